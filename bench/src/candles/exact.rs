//! The product's own chain: what `tapedeck sql apply` makes.

use anyhow::{Result, ensure};
use tapedeck_tests::pipeline::Pipeline;

use super::MARKETS;
use super::chain::Chain;
use super::records::{EXCHANGE, QUOTE};
use super::run::{BRONZE, SILVER};
use super::stage::Stage;
use crate::markets::{borrowed, names};

/// The columns of a candle, as all views have them.
const CANDLE: &str = "exchange, canonical_symbol, bucket, open, high, low, close, volume, quote_volume, trades";

/// Topics and a database of its own, which reads from the start.
pub(super) fn pipeline(stage: &Stage<'_>) -> Result<Pipeline> {
    let markets = names(MARKETS, QUOTE);
    let pipeline = Pipeline::new(&stage.next_run(), &stage.stack)?
        .with_plugins(&stage.setting.plugins)
        .with_feed_named(EXCHANGE, EXCHANGE, &borrowed(&markets));
    pipeline.command(&["topics", "apply"])?.success()?;
    pipeline.apply_sql()?;
    Ok(pipeline)
}

/// The same, but closed, and its Kafka table named to the topic of the stage.
pub(super) fn prepare(stage: &Stage<'_>) -> Result<Chain> {
    let pipeline = pipeline(stage)?;
    let (client, database) = (pipeline.client.clone(), pipeline.database.clone());
    let (reader, queue) = (format!("{database}.read_trades_{EXCHANGE}"), format!("{database}.kafka_trades_{EXCHANGE}"));
    client.query(&format!("DETACH TABLE {reader} SYNC"))?;
    let statement = client.query(&format!("SHOW CREATE TABLE {queue} FORMAT TSVRaw"))?;
    let own = format!("'{}'", pipeline.trades(EXCHANGE).name());
    ensure!(statement.contains(&own), "{queue} does not name the topic {own}: {statement}");
    client.query(&format!("DROP TABLE {queue} SYNC"))?;
    client.query(&statement.replace(&own, &format!("'{}'", stage.topic.name())))?;
    let of_candles = |name: &str| format!("SELECT sum(trades) FROM {database}.ohlcv_{name}");
    Ok(Chain {
        open: format!("ATTACH TABLE {reader}"),
        arrived: of_candles("1m"),
        followed: of_candles("1d"),
        sums: format!("SELECT sum(trades), sum(volume) FROM {database}.ohlcv_1m"),
        faults: faults(&database),
        tables: vec![(format!("bronze_trades_{EXCHANGE}"), BRONZE), ("silver_trades".to_owned(), SILVER)],
        _pipeline: Some(pipeline),
        client,
        database,
    })
}

/// Candles that are none of the distinct trades, those that there should be and are not, and what is in the quarantine.
fn faults(database: &str) -> Vec<String> {
    let recomputed = format!(
        "SELECT exchange, canonical_symbol, minute, argMin(price, (timestamp, order, trade_id)), max(price), min(price), \
         argMax(price, (timestamp, order, trade_id)), sum(toDecimal256(quantity, 12)), sum(quote_quantity), count() \
         FROM {database}.silver_trades FINAL GROUP BY exchange, canonical_symbol, minute"
    );
    let kept = format!("SELECT {CANDLE} FROM {database}.ohlcv_1m");
    vec![
        format!("SELECT count() FROM ({kept} EXCEPT {recomputed})"),
        format!("SELECT count() FROM ({recomputed} EXCEPT {kept})"),
        format!("SELECT count() FROM {database}.quarantine"),
    ]
}
