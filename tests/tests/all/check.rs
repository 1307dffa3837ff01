//! `tapedeck check` on real servers: what it says of ClickHouse's threads.

use anyhow::{Context as _, Result, ensure};
use tapedeck_tests::pipeline::Pipeline;
use tapedeck_tests::{programs, servers};

/// On a server of its own, whose consumers are known.
#[test]
fn consumers_that_must_take_turns_are_noted() -> Result<()> {
    let stack = servers::own()?;
    let pipeline = |name: &str, consumers: u32| -> Result<Pipeline> {
        Ok(Pipeline::new(name, &stack)?
            .with_plugins(programs::plugins()?)
            .with("clickhouse", &format!("consumers = {consumers}"))
            .with_feed_named("acme", "binance", &["BTC/USDT"])
            .with_feed_named("bolt", "kraken", &["BTC/USD"]))
    };
    let said = |pipeline: &Pipeline| -> Result<Vec<String>> {
        let output = pipeline.command(&["check"])?;
        Ok(output.stdout.lines().filter(|line| line.contains(" threads ")).map(str::to_owned).collect())
    };
    let one = pipeline("threads", 1)?;
    ensure!(said(&one)?.is_empty(), "there are no consumers yet: {:?}", said(&one)?);
    one.apply_sql()?;
    ensure!(
        said(&one)? == ["ok: ClickHouse has 128 threads for consumers of Kafka; 4 are wanted"],
        "{:?}",
        said(&one)?
    );

    // Two consumers with a thread of their own each, and two tables that have one for all of theirs.
    for (table, settings) in [
        ("own", "kafka_num_consumers = 2, kafka_thread_per_consumer = 1"),
        ("shared", "kafka_num_consumers = 2, kafka_thread_per_consumer = 0"),
        ("plain", "kafka_max_block_size = 1000"),
    ] {
        one.client.query(&format!(
            "CREATE TABLE default.{table} (raw String) ENGINE = Kafka SETTINGS kafka_broker_list = '127.0.0.1:1', \
             kafka_topic_list = 't', kafka_group_name = 'g', kafka_format = 'RawBLOB', {settings}"
        ))?;
    }
    ensure!(
        said(&one)? == ["ok: ClickHouse has 128 threads for consumers of Kafka; 8 are wanted"],
        "{:?}",
        said(&one)?
    );
    // What this configuration asks for counts, not what it has now.
    let wide = pipeline("threads", 64)?;
    let noted = said(&wide)?;
    let note = noted.first().filter(|_| noted.len() == 1).context("no note, or more than one")?;
    for part in [
        "note: ClickHouse at ",
        " has 128 threads for consumers of Kafka, and 134 are wanted (130 by this configuration, 4 by other tables)",
        "trades come late. Set `background_message_broker_schedule_pool_size` to 134 or more in the server's own",
    ] {
        ensure!(note.contains(part), "no {part:?} in {note}");
    }
    let noted = said(&pipeline("threads_beside", 64)?)?;
    ensure!(noted.len() == 1 && noted[0].contains("(130 by this configuration, 8 by other tables)"), "{noted:?}");
    Ok(())
}
