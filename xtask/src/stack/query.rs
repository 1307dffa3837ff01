//! A small client for ClickHouse's HTTP interface: text in, text out. For tests, the demo and its audit.

use std::io::{BufRead, BufReader};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use ureq::Agent;

/// Longest time for one statement.
const TIMEOUT: Duration = Duration::from_secs(120);
const PING_TIMEOUT: Duration = Duration::from_secs(2);

/// Sends SQL to one server.
#[derive(Debug, Clone)]
pub struct Client {
    url: String,
    agent: Agent,
}

impl Client {
    /// A client for the server at this URL (`http://127.0.0.1:8123`), as the user `default` without a password.
    pub fn new(url: &str) -> Self {
        // Answers with an error status carry ClickHouse's own message: read it rather than fail on the number.
        let agent = Agent::config_builder().http_status_as_error(false).build().new_agent();
        Self { url: url.trim_end_matches('/').to_owned(), agent }
    }

    /// Whether the server is up.
    pub fn ping(&self) -> bool {
        let request = self.agent.get(format!("{}/ping", self.url));
        let answer = request.config().timeout_global(Some(PING_TIMEOUT)).build().call();
        answer.is_ok_and(|answer| answer.status().is_success())
    }

    /// Runs one statement and gives the whole answer (TabSeparated unless the statement says FORMAT).
    ///
    /// Fails with ClickHouse's own message, also when it comes after the first rows.
    pub fn query(&self, sql: &str) -> Result<String> {
        // With the whole answer buffered at the server, an error in mid-answer becomes an error status.
        let url = format!("{}/?wait_end_of_query=1", self.url);
        let request = self.agent.post(url).config().timeout_global(Some(TIMEOUT)).build();
        let answer = request.send(sql).with_context(|| format!("ClickHouse at {} does not answer", self.url))?;
        let good = answer.status().is_success();
        let text = answer.into_body().into_with_config().limit(u64::MAX).read_to_string();
        let text = text.with_context(|| format!("the answer of ClickHouse at {} broke off", self.url))?;
        if good {
            return Ok(text);
        }
        bail!("ClickHouse refused `{}`: {}", start(sql), text.trim())
    }

    /// Runs one statement and hands over its answer line by line, without holding all of it.
    ///
    /// Fails with ClickHouse's own message before the first row, and on the line that carries it later; fails with what
    /// `each` fails with.
    pub fn lines(&self, sql: &str, mut each: impl FnMut(&str) -> Result<()>) -> Result<()> {
        let request = self.agent.post(&self.url).config().timeout_global(Some(TIMEOUT)).build();
        let answer = request.send(sql).with_context(|| format!("ClickHouse at {} does not answer", self.url))?;
        if !answer.status().is_success() {
            let text = answer.into_body().read_to_string().unwrap_or_default();
            bail!("ClickHouse refused `{}`: {}", start(sql), text.trim());
        }
        let body = answer.into_body().into_with_config().limit(u64::MAX).reader();
        for line in BufReader::new(body).lines() {
            let line = line.with_context(|| format!("the answer of ClickHouse at {} broke off", self.url))?;
            each(&line)?;
        }
        Ok(())
    }

    /// Runs one statement whose answer is one number.
    pub fn count(&self, sql: &str) -> Result<u64> {
        let answer = self.query(sql)?;
        answer.trim().parse().with_context(|| format!("`{sql}` answered {answer:?}, not a number"))
    }
}

/// Enough of a statement to know it by.
fn start(sql: &str) -> String {
    sql.chars().take(200).collect()
}
