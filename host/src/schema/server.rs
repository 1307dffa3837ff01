//! The ClickHouse server: reached, recognised and asked, with every failure turned into a sentence.

use clickhouse::{Client, Compression, Row, RowOwned, RowRead};

use super::error::SchemaError;
use super::settings::SchemaSettings;

/// Oldest version that has been seen to do all that the statements ask for.
const OLDEST: (u32, u32) = (26, 7);

/// A server that answered, let us in and is new enough.
pub(super) struct Server {
    client: Client,
    url: String,
    user: String,
    /// Its version, such as `26.7.2.1`.
    pub(super) version: String,
}

impl Server {
    /// Connects and checks the version.
    pub(super) async fn connect(settings: &SchemaSettings) -> Result<Self, SchemaError> {
        let client = Client::default()
            .with_url(&settings.url)
            .with_user(&settings.user)
            .with_password(&settings.password)
            .with_compression(Compression::None)
            .with_product_info("tapedeck", env!("CARGO_PKG_VERSION"));
        let mut server =
            Self { client, url: settings.url.clone(), user: settings.user.clone(), version: String::new() };
        server.version = server.one("SELECT version()", &[]).await?;
        if !is_new_enough(&server.version) {
            let needed = format!("{}.{}", OLDEST.0, OLDEST.1);
            return Err(SchemaError::TooOld { url: server.url, found: server.version, needed });
        }
        Ok(server)
    }

    /// The client, for what needs more than text in and rows out.
    pub(super) fn client(&self) -> &Client {
        &self.client
    }

    /// Runs a statement that gives no rows.
    pub(super) async fn run(&self, sql: &str) -> Result<(), SchemaError> {
        self.client.query_raw(sql).execute().await.map_err(|error| self.error(error))
    }

    /// Fetches all rows of a query with named parameters.
    pub(super) async fn rows<T>(&self, sql: &str, parameters: &[(&str, &str)]) -> Result<Vec<T>, SchemaError>
    where
        T: RowOwned + RowRead,
    {
        let mut query = self.client.query_raw(sql);
        for (name, value) in parameters {
            query = query.param(name, value);
        }
        query.fetch_all().await.map_err(|error| self.error(error))
    }

    /// Fetches the only row of a query.
    pub(super) async fn one<T>(&self, sql: &str, parameters: &[(&str, &str)]) -> Result<T, SchemaError>
    where
        T: RowOwned + RowRead,
    {
        let rows = self.rows(sql, parameters).await?;
        rows.into_iter().next().ok_or_else(|| self.error(clickhouse::error::Error::RowNotFound))
    }

    /// Adds one row to a table.
    pub(super) async fn insert<T>(&self, table: &str, row: &T) -> Result<(), SchemaError>
    where
        T: Row + serde::Serialize + for<'a> Row<Value<'a> = T>,
    {
        let write = async {
            let mut insert = self.client.insert_unescaped::<T>(table).await?;
            insert.write(row).await?;
            insert.end().await
        };
        write.await.map_err(|error| self.error(error))
    }

    /// Whether a database of that name is there.
    pub(super) async fn has_database(&self, database: &str) -> Result<bool, SchemaError> {
        let sql = "SELECT count() FROM system.databases WHERE name = {database:String}";
        Ok(self.one::<u64>(sql, &[("database", database)]).await? > 0)
    }

    /// Sorts a client's error into those that have a remedy.
    pub(super) fn error(&self, error: clickhouse::error::Error) -> SchemaError {
        SchemaError::of_client(&self.url, &self.user, error)
    }
}

fn is_new_enough(version: &str) -> bool {
    let mut numbers = version.split('.').map_while(|part| part.parse::<u32>().ok());
    (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0)) >= OLDEST
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_compare_by_number() {
        for (version, enough) in [
            ("26.7.2.1", true),
            ("27.1", true),
            ("26.10.1.1", true),
            ("26.6.9.9", false),
            ("9.9", false),
            ("odd", false),
        ] {
            assert_eq!(is_new_enough(version), enough, "{version}");
        }
    }
}
