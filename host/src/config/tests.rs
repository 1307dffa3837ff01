//! Tests of the whole configuration: the examples, wrong ones with the messages that they must give, and every key's default.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::*;

mod documentation;

/// The smallest good configuration.
const SMALLEST: &str = "version = 1\n[[feed]]\nplugin = \"binance\"\nmarkets = [\"BTC/USDT\"]\n";

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../config").join(name)
}

fn toml_files(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
        .collect();
    files.sort();
    assert!(!files.is_empty());
    files
}

fn parse(text: &str) -> Result<Config, ConfigErrors> {
    Config::parse(text, Path::new("t.toml"))
}

/// Checks that a text gives just these problems.
#[track_caller]
fn check(text: &str, expected: &[&str]) {
    let got = parse(text).map_or_else(|errors| errors.to_string(), |_| String::new());
    assert_eq!(got.lines().collect::<Vec<_>>(), expected, "\n{got}");
}

#[test]
fn every_example_loads() {
    for file in toml_files(&folder("")) {
        if let Err(errors) = Config::load(&file) {
            panic!("{errors}");
        }
    }
}

/// Beside each wrong example stands what it must give; `UPDATE_EXPECTED=1` writes it anew, to be reviewed.
#[test]
fn every_wrong_example_gives_its_errors() {
    for file in toml_files(&folder("wrong")) {
        let name = format!("config/wrong/{}", file.file_name().unwrap().to_str().unwrap());
        let errors = Config::parse(&fs::read_to_string(&file).unwrap(), Path::new(&name)).unwrap_err();
        let (got, beside) = (format!("{errors}\n"), file.with_extension("expected"));
        if std::env::var_os("UPDATE_EXPECTED").is_some() {
            fs::write(&beside, &got).unwrap();
        }
        assert_eq!(got, fs::read_to_string(&beside).unwrap_or_default(), "{}", beside.display());
    }
}

#[test]
fn the_smallest_configuration_has_every_default() {
    let config = parse(SMALLEST).unwrap();
    assert_eq!(config.plugins.folder, Path::new("target/plugins"));
    assert_eq!(config.plugins.memory_bytes, 64 << 20);
    assert_eq!(config.plugins.time, Duration::from_secs(1));
    assert_eq!(config.kafka.brokers, "127.0.0.1:9092");
    assert_eq!(config.kafka.topic("x"), "market.crypto.trades.x");
    assert_eq!(config.kafka.dead_letter_topic("x"), "market.crypto.trades.x.dead-letters");
    assert_eq!((config.kafka.partitions, config.kafka.replication), (4, 1));
    assert_eq!(config.kafka.compression, Compression::Lz4);
    assert_eq!(config.kafka.linger, Duration::from_millis(5));
    assert_eq!((config.kafka.queue_messages, config.kafka.queue_bytes), (100_000, 64 << 20));
    assert_eq!(config.clickhouse, None);
    assert_eq!(config.http.listen.to_string(), "127.0.0.1:9464");
    assert_eq!((config.log.format, config.log.level.as_str()), (LogFormat::Human, "info"));
    assert_eq!((config.limits.frame_bytes, config.limits.batch_frames), (16 << 20, 256));
    assert_eq!(config.limits.drain, Duration::from_secs(20));
    assert_eq!(config.reconnect.base, Duration::from_millis(250));
    assert_eq!(config.reconnect.cap, Duration::from_secs(30));
    let [feed] = &config.feeds[..] else { panic!("{:?}", config.feeds) };
    assert_eq!(
        (feed.plugin.as_str(), &feed.exchange, &feed.endpoint, feed.allow_plain),
        ("binance", &None, &None, false)
    );
    assert_eq!(feed.markets, [MarketConfig { name: "BTC/USDT".to_owned(), symbol: None }]);
    assert_eq!(feed.places.markets[0].to_string(), "t.toml:4:12");
}

#[test]
fn clickhouse_reaches_the_same_brokers_unless_told_otherwise() {
    let with = |section: &str| parse(&format!("{SMALLEST}[kafka]\nbrokers = \"k:1\"\n{section}")).unwrap().clickhouse;
    let clickhouse = with("[clickhouse]\n").unwrap();
    assert_eq!((clickhouse.kafka_brokers.as_str(), clickhouse.silver_days, clickhouse.bronze_days), ("k:1", None, 7));
    let clickhouse = with("[clickhouse]\nkafka_brokers = \"inside:2\"\nurl = \"https://ch:8443/\"").unwrap();
    assert_eq!((clickhouse.kafka_brokers.as_str(), clickhouse.url.as_str()), ("inside:2", "https://ch:8443"));
}

#[test]
fn secrets_come_from_files_and_do_not_print() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("password");
    fs::write(&file, "hunter2\n").unwrap();
    let file = file.display();
    let config = parse(&format!(
        "{SMALLEST}[clickhouse]\npassword_file = '{file}'\n[kafka.properties]\n\"sasl.password\" = {{ file = '{file}' }}"
    ))
    .unwrap();
    assert_eq!(config.clickhouse.as_ref().map(|clickhouse| clickhouse.password.expose()), Some("hunter2"));
    assert_eq!(config.kafka.properties["sasl.password"].expose(), "hunter2");
    assert!(!format!("{config:?}").contains("hunter2"), "{config:?}");
}

#[test]
fn options_of_a_plugin_may_be_secrets() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("key");
    fs::write(&file, "hunter2\n").unwrap();
    let options = format!("options = {{ key = {{ file = '{}' }}, plain = \"hunter2\" }}\n", file.display());
    let config = parse(&format!("{SMALLEST}{options}")).unwrap();
    assert_eq!(config.feeds[0].options["key"].expose(), "hunter2");
    assert!(!format!("{config:?}").contains("hunter2"), "{config:?}");
    let request =
        crate::plugin::OpenRequest { settings: vec![("key".to_owned(), "hunter2".to_owned())], ..Default::default() };
    assert!(!format!("{request:?}").contains("hunter2"), "{request:?}");
    let message =
        parse(&format!("{SMALLEST}options = {{ key = {{ text = \"hunter2\" }} }}\n")).unwrap_err().to_string();
    assert_eq!(
        message,
        "t.toml:5:19: `feed[1].options.key`: expected { file = \"…\" } or { env = \"…\" }, or the value itself"
    );
}

#[test]
fn a_wrong_secret_does_not_print() {
    let head = SMALLEST.replace("version = 1\n", "version = 1\nkafka.properties = { X }\n");
    for value in ["\"sasl.password\" = [\"hunter2\"]", "\"sasl.password\" = { text = \"hunter2\" }"] {
        let message = parse(&head.replace('X', value)).unwrap_err().to_string();
        assert!(message.contains("t.toml:2:") && !message.contains("hunter2"), "{message}");
    }
    let message = parse(&format!("{SMALLEST}[clickhouse]\npassword = \"hunter2\"")).unwrap_err().to_string();
    assert!(message.starts_with("t.toml:6:1: `clickhouse.password`: a password does not belong"), "{message}");
    assert!(!message.contains("hunter2"), "{message}");
}

#[test]
fn passwords_have_one_source() {
    check(
        &format!("{SMALLEST}[clickhouse]\npassword_file = \"a\"\npassword_env = \"B\""),
        &["t.toml:7:16: `clickhouse.password_env`: password_file is there as well; keep one of the two"],
    );
}

#[test]
fn sections_are_written_with_the_right_brackets() {
    check(
        "version = 1\n[feed]\nplugin = \"binance\"\nmarkets = [\"BTC/USDT\"]\n",
        &["t.toml:2:1: `feed`: there may be many such sections; write [[feed]] with double brackets"],
    );
    check(
        &format!("{SMALLEST}[[kafka]]\nbrokers = \"a:1\""),
        &["t.toml:5:1: `kafka`: there is one such section; write [kafka] with single brackets, once"],
    );
}

#[test]
fn a_pause_may_not_be_capped_below_its_base() {
    check(
        &format!("{SMALLEST}[reconnect]\nbase_ms = 500\ncap_ms = 100"),
        &["t.toml:7:10: `reconnect.cap_ms`: 100 is less than base_ms, 500; the cap is the longest pause"],
    );
}

#[test]
fn levels_are_levels() {
    check(
        &format!("{SMALLEST}[log]\nlevel = \"inof\"\nformat = \"jsn\""),
        &[
            "t.toml:6:9: `log.level`: \"inof\" is none of the levels error, warn, info, debug, trace, off; did you mean \"info\"?",
            "t.toml:7:10: `log.format`: \"jsn\" is none of \"human\", \"json\"; did you mean \"json\"?",
        ],
    );
    assert_eq!(check_log_level("warn,tapedeck::session=debug"), Ok(()));
}

#[test]
fn one_symbol_stands_for_one_market() {
    check(
        "version = 1\n[[feed]]\nplugin = \"x\"\nmarkets = [{ market = \"A/B\", symbol = \"ab\" },\n { market = \"C/D\", symbol = \"ab\" }]",
        &["t.toml:5:2: `feed[1].markets`: symbol \"ab\" is given to both A/B and C/D; one of them is wrong"],
    );
}

#[test]
fn the_same_market_of_two_exchanges_is_no_duplicate() {
    let two = "[[feed]]\nplugin = \"binance\"\nexchange = \"binance_us\"\nmarkets = [\"BTC/USDT\"]\n";
    assert_eq!(parse(&format!("{SMALLEST}{two}")).map(|config| config.feeds.len()), Ok(2));
}

#[test]
fn librdkafka_judges_its_properties() {
    let head = format!("{SMALLEST}[kafka.properties]\n");
    check(
        &format!("{head}\"socket.timeout.ms\" = \"soon\"\n\"client.id\" = {{ env = \"TAPEDECK_NO_SUCH_VARIABLE\" }}"),
        &[
            "t.toml:6:1: `kafka.properties.\"socket.timeout.ms\"`: librdkafka says: Invalid value for configuration property \"socket.timeout.ms\"",
            "t.toml:7:15: `kafka.properties.\"client.id\"`: the environment variable TAPEDECK_NO_SUCH_VARIABLE is not set; set it where tapedeck is started",
        ],
    );
    let config = parse(&format!("{head}\"socket.keepalive.enable\" = true\n\"socket.timeout.ms\" = 1000")).unwrap();
    assert_eq!(config.kafka.properties["socket.keepalive.enable"].expose(), "true");
    assert_eq!(config.kafka.properties["socket.timeout.ms"].expose(), "1000");
}

#[test]
fn tls_to_kafka_is_a_feature_of_the_build() {
    let got = parse(&format!("{SMALLEST}[kafka.properties]\n\"security.protocol\" = \"ssl\""));
    if cfg!(feature = "kafka-tls") {
        assert!(got.is_ok(), "{got:?}");
    } else {
        assert!(got.unwrap_err().to_string().ends_with("build it with `cargo build --features kafka-tls`"));
    }
}

#[test]
fn columns_count_characters() {
    check(
        &format!("# ü\n{SMALLEST}[kafka]\n\"ü\" = 1\n# é\nbrokers = \"é\""),
        &[
            "t.toml:7:1: `kafka.ü`: there is no such key; there are brokers, commit_ms, compression, delivery, headers, linger_ms, partitions, properties, queue_mb, queue_messages, replication, topic_prefix and transactional_id",
            "t.toml:9:11: `kafka.brokers`: \"é\" has no port; write host:port, for example \"127.0.0.1:9092\", and commas between several",
        ],
    );
}

#[test]
fn windows_line_ends_and_byte_order_marks_are_no_problem() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("c.toml");
    fs::write(&file, format!("\u{feff}{}", SMALLEST.replace('\n', "\r\n"))).unwrap();
    assert_eq!(Config::load(&file).map(|config| config.feeds.len()), Ok(1));
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let error = Config::load(Path::new("no/such.toml")).unwrap_err().to_string();
    assert!(error.starts_with("no/such.toml: cannot read the configuration: "), "{error}");
}

proptest::proptest! {
    /// Whatever the file holds, the answer is a configuration or problems with places, never a panic.
    #[test]
    fn no_text_breaks_the_reader(text in "(?s)[\\[\\]{}=\"'a-c.\\n #0-9é-]{0,60}", line in 0..40usize) {
        let mut lines: Vec<&str> = include_str!("../../../config/example.toml").lines().collect();
        lines.insert(line, &text);
        if let Err(errors) = parse(&lines.join("\n")) {
            proptest::prop_assert!(!errors.problems.is_empty());
        }
    }
}
