//! `tapedeck audit`: nothing to say of what is well, and every damage by its name; what a mark left behind is mended.

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;
use tapedeck_tests::kafka::Record;
use tapedeck_tests::pipeline::Pipeline;
use tapedeck_tests::tape::{self, Tape};
use tapedeck_tests::{programs, servers, wait};

/// A pipeline whose records do not come from a host; its feed only names the exchange, whose ids are dense.
fn pipeline(name: &str) -> Result<Pipeline> {
    let pipeline = Pipeline::new(name, servers::shared()?)?.with_plugins(programs::plugins()?).with_feed_named(
        "acme",
        "binance",
        &["BTC/USDT", "ETH/USDT"],
    );
    pipeline.trades("acme").create()?;
    pipeline.apply_sql()?;
    Ok(pipeline)
}

/// Exit code and report of an audit of the tape's two days.
fn audit(pipeline: &Pipeline, more: &[&str]) -> Result<(Option<i32>, Value)> {
    let arguments = ["audit", "--from", "2024-08-08", "--to", "2024-08-10", "--format", "json"];
    let output = pipeline.command(&[&arguments, more].concat())?;
    let report = serde_json::from_str(&output.stdout).with_context(|| format!("{}{}", output.stdout, output.stderr))?;
    Ok((output.code, report))
}

fn kinds(report: &Value, part: &str) -> Vec<String> {
    let all = report["differences"].as_array().cloned().unwrap_or_default();
    let of_part = all.iter().filter(|one| one["part"] == part);
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    of_part.map(|one| format!("{}: {} {}", text(&one["kind"]), text(&one["subject"]), text(&one["detail"]))).collect()
}

fn id_of(record: &Record) -> Result<u64> {
    record.json()?["order"].as_u64().context("no order")
}

/// Waits until ClickHouse has said to Kafka that it has taken over what it has: the audit looks no further.
fn committed(pipeline: &Pipeline, records: u64) -> Result<()> {
    wait::until_true("the offsets are committed", std::time::Duration::from_secs(60), || {
        let (_, report) = audit(pipeline, &[])?;
        Ok(report["compared"]["kafka"].as_u64() == Some(records))
    })
}

/// Waits until completeness has counted all that silver has: what is changed before is never seen to have changed.
fn counted(pipeline: &Pipeline) -> Result<()> {
    let minutes = "SELECT count() FROM (SELECT exchange, canonical_symbol, minute, sum(marks) AS m FROM {db}.minute_marks GROUP BY ALL) AS d \
                   LEFT JOIN (SELECT exchange, canonical_symbol, minute, version AS v FROM {db}.minute_ids FINAL) AS c \
                   USING (exchange, canonical_symbol, minute) WHERE d.m != c.v";
    let hours = "SELECT count() FROM {db}.hours_of_minutes AS d LEFT JOIN (SELECT * FROM {db}.hour_ids FINAL) AS c \
                 USING (exchange, canonical_symbol, hour) WHERE d.version != c.version OR d.digest != c.digest";
    wait::until_true("completeness has counted", std::time::Duration::from_secs(90), || {
        let left = |sql: &str| pipeline.client.count(&sql.replace("{db}", &pipeline.database));
        Ok(left(minutes)? == 0 && left(hours)? == 0)
    })
}

/// Seed 53.
#[test]
fn every_damage_is_found_by_name_and_candles_are_mended() -> Result<()> {
    let Tape { records, truth } = tape::around_midnight(53)?;
    let pipeline = pipeline("audit_damage")?;
    let run = |sql: &str| pipeline.client.query(&sql.replace("{db}", &pipeline.database));
    let topic = pipeline.trades("acme");
    topic.produce(&records)?;
    // Delivered again, so that bronze has them twice.
    topic.produce(&records[..100])?;
    pipeline.audit(&["acme"], &truth)?;
    committed(&pipeline, records.len() as u64 + 100)?;
    counted(&pipeline)?;
    let (code, report) = audit(&pipeline, &[])?;
    ensure!(code == Some(0) && report["differences"] == Value::Array(Vec::new()), "{report:#}");
    ensure!(report["compared"]["silver"].as_u64() == Some(truth.len() as u64), "{report:#}");
    ensure!(report["compared"]["gold"].as_u64() > Some(100), "{report:#}");

    // One trade of silver, two candles, one row of bronze.
    let victim = records.iter().find(|record| record.partition == 0 && id_of(record).is_ok_and(|id| id % 1_000 == 77));
    let victim = id_of(victim.context("no such trade")?)?;
    run(&format!("ALTER TABLE {{db}}.silver_trades DELETE WHERE trade_id = '{victim}' SETTINGS mutations_sync = 2"))?;
    run(
        "INSERT INTO {db}.gold_1m SELECT exchange, canonical_symbol, minute, open, high + 100000, low, close, volume, quote_volume, trades, \
         version + 5, opened, closed, reach, blocks FROM {db}.gold_1m FINAL WHERE canonical_symbol = 'ETH/USDT' AND trades > 0 ORDER BY minute LIMIT 1",
    )?;
    run("INSERT INTO {db}.gold_1h SELECT exchange, canonical_symbol, hour, open, high, low, close, volume, \
         quote_volume + toDecimal256('0.000000000000000000000001', 24), trades, version + 100000 FROM {db}.gold_1h FINAL \
         WHERE canonical_symbol = 'ETH/USDT' AND trades > 0 ORDER BY hour DESC LIMIT 1")?;
    run(
        "ALTER TABLE {db}.bronze_trades_acme DELETE WHERE kafka_partition = 1 AND kafka_offset IN (321, 322, 1000) SETTINGS mutations_sync = 2",
    )?;

    let (code, report) = audit(&pipeline, &[])?;
    ensure!(code == Some(1), "{report:#}");
    let silver = kinds(&report, "silver");
    ensure!(silver.len() == 1 && silver[0].starts_with("silver changed: BTC/USDT counted were"), "{silver:#?}");
    let holed = format!("-{} {}-", victim - 1, victim + 1);
    ensure!(silver[0].contains(&holed), "no {holed} in {silver:#?}");
    let gold = kinds(&report, "gold");
    let has =
        |interval: &str| gold.iter().any(|one| one.starts_with(&format!("candle differs: {interval} gold has open")));
    for interval in
        ["BTC/USDT 1m", "BTC/USDT 5m", "BTC/USDT 1h", "BTC/USDT 1d", "ETH/USDT 1m", "ETH/USDT 5m", "ETH/USDT 1h"]
    {
        ensure!(has(interval), "no {interval} in {gold:#?}");
    }
    ensure!(gold.iter().filter(|one| one.contains("ETH/USDT 1m")).count() == 1, "{gold:#?}");
    let kafka = kinds(&report, "kafka");
    ensure!(
        kafka.len() == 2 && kafka[0].contains("offsets 321 to 322:") && kafka[1].contains("offset 1000:"),
        "{kafka:#?}"
    );
    let output = pipeline.command(&["audit", "--from", "2024-08-08", "--to", "2024-08-10"])?;
    ensure!(output.code == Some(1) && output.stdout.contains("not in bronze"), "{}{}", output.stdout, output.stderr);

    // Candles follow silver again; what is lost is lost, and named.
    let (code, report) = audit(&pipeline, &["--mend"])?;
    ensure!(code == Some(1) && kinds(&report, "gold").is_empty(), "{report:#}");
    ensure!(report["mended"].as_u64() > Some(8) && kinds(&report, "kafka").len() == 2, "{report:#}");
    let silver = kinds(&report, "silver");
    ensure!(silver == [format!("missing: BTC/USDT id {victim}: the host has not said why")], "{silver:#?}");
    Ok(())
}

/// Seed 59: a trade whose mark never came, as it would be after a crash without redelivery.
#[test]
fn a_mark_that_never_came_is_mended() -> Result<()> {
    let Tape { records, truth } = tape::around_midnight(59)?;
    let pipeline = pipeline("audit_marks")?;
    let run = |sql: &str| pipeline.client.query(&sql.replace("{db}", &pipeline.database));
    let topic = pipeline.trades("acme");
    let unseen: Vec<u64> =
        records.iter().filter(|one| one.partition == 1).map(id_of).skip(500).take(6).collect::<Result<_>>()?;
    let (lost, kept): (Vec<Record>, Vec<Record>) =
        records.iter().cloned().partition(|record| id_of(record).is_ok_and(|id| unseen.contains(&id)));
    topic.produce(&kept)?;
    pipeline.audit(&["acme"], &tapedeck_tests::audit::received(&kept, &truth)?)?;
    let (code, report) = audit(&pipeline, &[])?;
    let named = format!("missing: ETH/USDT ids {} to {}, 6 of them: the host has not said why", unseen[0], unseen[5]);
    ensure!(code == Some(1) && kinds(&report, "silver") == [named], "{report:#}");

    run("DROP VIEW {db}.mark_minutes SYNC")?;
    topic.produce(&lost)?;
    wait::until_true("the trades are in silver", std::time::Duration::from_secs(60), || {
        let count = run("SELECT count() FROM {db}.silver_trades FINAL")?;
        Ok(count.trim().parse::<usize>()? == truth.len())
    })?;
    pipeline.apply_sql()?;
    let (code, report) = audit(&pipeline, &[])?;
    ensure!(code == Some(1), "{report:#}");
    ensure!(kinds(&report, "gold").iter().any(|one| one.starts_with("candle differs: ETH/USDT 1m")), "{report:#}");
    ensure!(kinds(&report, "silver").iter().any(|one| one.starts_with("silver changed: ETH/USDT")), "{report:#}");
    let (code, report) = audit(&pipeline, &["--mend"])?;
    ensure!(code == Some(0) && report["mended"].as_u64() > Some(0), "{report:#}");
    ensure!(audit(&pipeline, &[])?.0 == Some(0));
    println!("{}", pipeline.audit(&["acme"], &truth)?);

    let refused = pipeline.command(&["audit", "--from", "2024-08-10", "--to", "2024-08-08"])?;
    ensure!(refused.code == Some(64) && refused.stderr.contains("is not before"), "{}", refused.stderr);
    let refused = pipeline.command(&["audit", "--from", "yesterday"])?;
    ensure!(refused.code == Some(64), "{:?}", refused.code);
    Ok(())
}

/// Where ids show nothing, the audit lists the times that `completeness` counts, a day at a time, until they are filled.
#[test]
fn missing_times_are_told_as_completeness_counts_them() -> Result<()> {
    let pipeline = pipeline("audit_times")?;
    let run = |sql: &str| pipeline.client.query(&sql.replace("{db}", &pipeline.database));
    let say = |state: &str, from: &str, to: &str, at: u32| {
        let reason = if state == "missing" { "it was asked for in vain" } else { "" };
        run(&format!(
            "INSERT INTO {{db}}.gaps SELECT 'opaque', 'BTC/EUR', 0, toUnixTimestamp64Micro(begun), '{state}', 0, 0, \
             toDateTime64('2024-08-{from}', 6, 'UTC') AS begun, toDateTime64('2024-08-{to}', 6, 'UTC'), '{reason}', begun, {at}"
        ))
    };
    say("missing", "08 22:10:00", "09 01:20:00", 1)?;
    say("open", "09 05:00:00", "09 05:10:00.5", 2)?;
    say("filled", "09 05:20:00", "09 05:30:00", 3)?;
    say("filled", "09 00:00:00", "09 00:59:59.999999", 4)?;
    let (code, report) = audit(&pipeline, &[])?;
    let reason = "it was asked for in vain";
    let expected = [
        format!("missing: BTC/EUR trades from 2024-08-08T22:10:00Z to 2024-08-08T23:59:59.999999Z: {reason}"),
        format!("missing: BTC/EUR trades from 2024-08-09T01:00:00Z to 2024-08-09T01:20:00Z: {reason}"),
        "healing: BTC/EUR trades from 2024-08-09T05:00:00Z to 2024-08-09T05:10:00.5Z".to_owned(),
    ];
    ensure!(code == Some(1) && kinds(&report, "silver") == expected, "{report:#}");
    let hours = run("SELECT formatDateTime(hour, '%d %H'), state FROM {db}.completeness ORDER BY hour")?;
    ensure!(hours == "08 22\tmissing\n08 23\tmissing\n09 01\tmissing\n09 05\thealing\n", "{hours}");

    say("filled", "08 22:00:00", "09 02:00:00", 5)?;
    say("missing", "09 05:00:00", "09 05:10:00.5", 6)?;
    let (_, report) = audit(&pipeline, &[])?;
    ensure!(report["different"]["silver"] == 1 && report["differences"][0]["kind"] == "missing", "{report:#}");
    say("open", "08 23:30:00", "09 06:00:00", 7)?;
    let (_, report) = audit(&pipeline, &[])?;
    let at: Vec<&Value> = report["differences"].as_array().into_iter().flatten().map(|one| &one["at"]).collect();
    let both = ["2024-08-08T23:30:00Z", "2024-08-09T00:00:00Z", "2024-08-09T05:00:00Z"];
    ensure!(at == both, "once a day: {report:#}");
    say("filled", "08 23:30:00", "09 06:00:00", 8)?;
    let (code, report) = audit(&pipeline, &[])?;
    ensure!(code == Some(0), "{report:#}");
    let left = run("SELECT count() FROM {db}.completeness WHERE state != 'complete'")?;
    ensure!(left == "0\n", "{left}");
    Ok(())
}
