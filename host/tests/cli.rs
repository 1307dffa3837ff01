//! The program from outside: exit codes, and what it prints where.

#![expect(clippy::unwrap_used)]

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

/// A folder of its own, with a plugin folder and a configuration.
struct Place {
    folder: TempDir,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("plugins")).unwrap();
        Self { folder }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Writes `c.toml`: a version, the plugin folder, closed ports for everything else, and what is given.
    fn configure(&self, rest: &str) {
        let cache = self.path().join("cache");
        let head = format!(
            "version = 1\n[plugins]\nfolder = \"plugins\"\ncache = '{}'\ntime_ms = 200\n[http]\nlisten = \"127.0.0.1:0\"\n[kafka]\nbrokers = \"127.0.0.1:{}\"\n",
            cache.display(),
            closed_port(),
        );
        fs::write(self.path().join("c.toml"), head + rest).unwrap();
    }

    /// Puts the project's own plugins into the plugin folder; false if they are not built.
    fn install_plugins(&self) -> bool {
        let built = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/plugins");
        for name in ["binance.wasm", "kraken.wasm"] {
            if fs::copy(built.join(name), self.path().join("plugins").join(name)).is_err() {
                eprintln!("skipped: no {name} in target/plugins; `cargo xtask plugins` builds it");
                return false;
            }
        }
        true
    }

    #[track_caller]
    fn tapedeck(&self, arguments: &[&str]) -> Ran {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tapedeck"));
        command.args(arguments).current_dir(self.path()).env_remove("TAPEDECK_LOG").env_remove("TAPEDECK_CONFIG");
        Ran::of(command.output().unwrap())
    }
}

struct Ran {
    code: Option<i32>,
    out: String,
    err: String,
}

impl Ran {
    fn of(output: Output) -> Self {
        Self {
            code: output.status.code(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    #[track_caller]
    fn expect(&self, code: i32, out: &[&str], err: &[&str]) {
        let all = format!("exit code {:?}\nout: {}\nerr: {}", self.code, self.out, self.err);
        assert_eq!(self.code, Some(code), "{all}");
        for part in out {
            assert!(self.out.contains(part), "no {part:?} in out\n{all}");
        }
        for part in err {
            assert!(self.err.contains(part), "no {part:?} in err\n{all}");
        }
        assert!(!self.err.contains("panicked"), "{all}");
    }
}

/// A port at which nothing answers.
fn closed_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

const FEED: &str = "[[feed]]\nplugin = \"binance\"\nmarkets = [\"BTC/USDT\"]\n";

#[test]
fn help_and_version_are_answers() {
    let place = Place::new();
    place.tapedeck(&["--version"]).expect(0, &[&format!("tapedeck {}\n", env!("CARGO_PKG_VERSION"))], &[]);
    place.tapedeck(&["--help"]).expect(0, &["Examples:", "run", "check", "sql", "topics", "candles", "plugin"], &[]);
    for command in ["run", "check", "sql", "topics", "candles", "plugin"] {
        place.tapedeck(&[command, "--help"]).expect(0, &["Usage: tapedeck"], &[]);
    }
}

#[test]
fn a_wrong_command_line_is_64() {
    let place = Place::new();
    place.tapedeck(&["chekc"]).expect(64, &[], &["unrecognized subcommand 'chekc'", "'check'"]);
    place.tapedeck(&["run"]).expect(64, &[], &["--config <FILE>"]);
    place.tapedeck(&["candles", "btc-usdt", "--exchange", "x"]).expect(64, &[], &["write \"BTC/USDT\""]);
    place.tapedeck(&["candles", "BTC/USDT", "--exchange", "x", "--interval", "2m"]).expect(64, &[], &["1m, 5m, 15m"]);
}

#[test]
fn a_file_that_is_not_there_is_64() {
    let place = Place::new();
    for arguments in [&["run"][..], &["sql", "plan"], &["topics", "apply"]] {
        let arguments = [arguments, &["--config", "nowhere.toml"]].concat();
        place.tapedeck(&arguments).expect(64, &[], &["nowhere.toml: cannot read the configuration: No such file"]);
    }
    place.tapedeck(&["check", "--config", "nowhere.toml"]).expect(64, &["problem: nowhere.toml: cannot read"], &[]);
}

/// Each wrong example stops `run` and `check` with its messages, before anything is opened.
#[test]
fn wrong_examples_are_64_with_every_problem() {
    let place = Place::new();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../config/wrong");
    let mut seen = 0;
    for entry in fs::read_dir(&folder).unwrap() {
        let file: PathBuf = entry.unwrap().path();
        if file.extension().is_none_or(|extension| extension != "toml") {
            continue;
        }
        seen += 1;
        let name = file.file_name().unwrap().to_str().unwrap();
        fs::create_dir_all(place.path().join("config/wrong")).unwrap();
        let shown = format!("config/wrong/{name}");
        fs::copy(&file, place.path().join(&shown)).unwrap();
        let expected = fs::read_to_string(file.with_extension("expected")).unwrap();
        let run = place.tapedeck(&["run", "--config", &shown]);
        run.expect(64, &[], &expected.lines().collect::<Vec<_>>());
        assert_eq!(run.out, "");
        let check = place.tapedeck(&["check", "--config", &shown]);
        let problems: Vec<String> = expected.lines().map(|line| format!("problem: {line}\n")).collect();
        check.expect(64, &problems.iter().map(String::as_str).collect::<Vec<_>>(), &[]);
        assert!(check.out.ends_with(&format!(
            "{} problem{}\n",
            problems.len(),
            if problems.len() == 1 { "" } else { "s" }
        )));
    }
    assert!(seen >= 8, "{seen}");
}

#[test]
fn a_missing_plugin_folder_is_64() {
    let place = Place::new();
    place.configure(FEED);
    fs::remove_dir(place.path().join("plugins")).unwrap();
    let sentence = "plugin folder plugins: can't be read";
    place.tapedeck(&["run", "--config", "c.toml"]).expect(64, &[], &[sentence, "plugins.folder"]);
    place.tapedeck(&["check", "--config", "c.toml"]).expect(64, &[sentence], &[]);
}

#[test]
fn a_missing_plugin_is_64_and_a_broken_file_is_named() {
    let place = Place::new();
    place.configure(FEED);
    fs::write(place.path().join("plugins/binance.wasm"), "not wasm").unwrap();
    let sentence = "c.toml:11:10: `feed[1].plugin`: no usable plugin \"binance\" in plugins";
    place.tapedeck(&["run", "--config", "c.toml"]).expect(64, &[], &[sentence, "binance.wasm: is not WebAssembly"]);
    place.tapedeck(&["check", "--config", "c.toml"]).expect(64, &[sentence], &[]);
}

#[test]
fn check_lists_all_that_is_wrong_at_once() {
    let place = Place::new();
    place.configure(&format!("[clickhouse]\nurl = \"http://127.0.0.1:{}\"\n{FEED}", closed_port()));
    place.tapedeck(&["check", "--config", "c.toml"]).expect(
        64,
        &[
            "ok: c.toml: 1 feed and 1 market\n",
            "problem: c.toml:13:10: `feed[1].plugin`: no usable plugin \"binance\"",
            "problem: Kafka cannot be reached at 127.0.0.1:",
            "problem: no ClickHouse answers at http://127.0.0.1:",
            "\n3 problems\n",
        ],
        &[],
    );
}

#[test]
fn plugins_judge_their_feeds() {
    let place = Place::new();
    if !place.install_plugins() {
        return;
    }
    place.configure(
        "[[feed]]\nplugin = \"binnance\"\nmarkets = [\"BTC/USDT\"]\n\
         [[feed]]\nplugin = \"kraken\"\nmarkets = [\"BTC/USD\"]\noptions = { snapshto = \"false\" }\n\
         [[feed]]\nplugin = \"binance\"\nmarkets = [\"BTC/USDT\"]\noptions = { stream = \"candles\" }\n",
    );
    let problems = [
        "c.toml:11:10: `feed[1].plugin`: no usable plugin \"binnance\" in plugins; did you mean \"binance\"?",
        "c.toml:16:13: `feed[2].options.snapshto`: plugin kraken",
        "has no such option; did you mean \"snapshot\"?",
        "c.toml:18:10: `feed[3].plugin`: plugin binance",
    ];
    place.tapedeck(&["run", "--config", "c.toml"]).expect(64, &[], &problems);
    place.tapedeck(&["check", "--config", "c.toml"]).expect(64, &problems, &[]);
}

/// Files that are no good plugin, from the guests that are built for such tests.
#[test]
fn files_that_are_no_good_plugin_are_told_by_name() {
    let guests = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/hostile");
    if !guests.join("wrong-version.wasm").exists() {
        eprintln!("skipped: no guests in target/hostile; `cargo xtask plugins --hostile` builds them");
        return;
    }
    for (guest, sentence) in [
        ("not-wasm", "is not WebAssembly"),
        ("core-module", "is a core module, not a component"),
        ("wrong-version", "supports"),
        ("imports-foreign", "which no plugin is given"),
        ("describe-traps", "failed when asked for its description"),
        ("describe-loops", "failed when asked for its description"),
        ("describe-lies", "its description can't be used"),
    ] {
        let place = Place::new();
        place.configure(FEED);
        fs::copy(guests.join(guest).with_extension("wasm"), place.path().join("plugins/binance.wasm")).unwrap();
        let ran = place.tapedeck(&["run", "--config", "c.toml"]);
        ran.expect(
            64,
            &[],
            &["c.toml:11:10: `feed[1].plugin`: no usable plugin \"binance\"", "binance.wasm", sentence],
        );
    }
}

#[test]
fn two_plugins_of_one_name_are_a_problem() {
    let place = Place::new();
    if !place.install_plugins() {
        return;
    }
    place.configure("[[feed]]\nplugin = \"kraken\"\nmarkets = [\"BTC/USD\"]\n");
    fs::copy(place.path().join("plugins/kraken.wasm"), place.path().join("plugins/old.wasm")).unwrap();
    let sentence = "old.wasm: its name `kraken` is that of plugins/kraken.wasm too";
    place.tapedeck(&["run", "--config", "c.toml"]).expect(64, &[], &[sentence]);
}

#[test]
fn a_plugin_file_can_be_inspected() {
    let place = Place::new();
    if !place.install_plugins() {
        return;
    }
    place.tapedeck(&["plugin", "inspect", "plugins/kraken.wasm"]).expect(
        0,
        &["kraken 0.1.0", "exchange", "options"],
        &[],
    );
    fs::write(place.path().join("x.wasm"), "not wasm").unwrap();
    place.tapedeck(&["plugin", "inspect", "x.wasm"]).expect(1, &[], &["x.wasm: is not WebAssembly"]);
}

#[test]
fn recorded_messages_pass_or_fail() {
    let place = Place::new();
    if !place.install_plugins() {
        return;
    }
    let message = |price: &str| {
        let raw = r#"{"e":"trade","E":1700000000001,"s":"BTCUSDT","t":7,"p":"100.10","q":"2.00","T":1700000000000,"m":true,"M":true}"#;
        let raw = raw.replace('"', "\\\"");
        format!(
            r#"{{"exchange":"binance","channel":"trade","kind":"trade","raw":"{raw}","expected":[{{"symbol":"BTCUSDT","price":"{price}","quantity":"2.00","side":"SELL","timestamp_us":1700000000000000,"trade_id":"7"}}]}}"#
        )
    };
    let run = |text: String| {
        fs::write(place.path().join("m.jsonl"), text).unwrap();
        place.tapedeck(&["plugin", "check", "plugins/binance.wasm", "--messages", "m.jsonl"])
    };
    let good = run(message("100.10"));
    good.expect(0, &[], &[]);
    assert!(good.out.ends_with("1 passed, 0 failed\n"), "{}", good.out);
    let bad = run(format!("{}\n{}\n", message("100.10"), message("100.11")));
    bad.expect(1, &["line 2", "100.11"], &[]);
    assert!(bad.out.ends_with("1 passed, 1 failed\n"), "{}", bad.out);
}

#[test]
fn sql_says_when_there_is_no_clickhouse() {
    let place = Place::new();
    place.configure(&format!("{FEED}exchange = \"binance\"\n"));
    place.tapedeck(&["sql", "plan", "--config", "c.toml"]).expect(64, &[], &["c.toml has no section [clickhouse]"]);
    place.configure(&format!(
        "{FEED}exchange = \"binance\"\n[clickhouse]\nurl = \"http://127.0.0.1:{}\"\n",
        closed_port()
    ));
    for command in ["plan", "apply", "status"] {
        let ran = place.tapedeck(&["sql", command, "--config", "c.toml"]);
        ran.expect(1, &[], &["tapedeck: no ClickHouse answers at http://127.0.0.1:"]);
    }
}

/// Runs a command until it ends, or for five seconds: Kafka may be waited for as long as it takes.
fn run_for_a_while(mut command: Command, folder: &Path) -> Ran {
    let (out, err) = (folder.join("out"), folder.join("err"));
    command.stdout(fs::File::create(&out).unwrap()).stderr(fs::File::create(&err).unwrap());
    let mut child = command.spawn().unwrap();
    let mut code = None;
    for _ in 0..50 {
        std::thread::sleep(std::time::Duration::from_millis(100));
        code = child.try_wait().unwrap();
        if code.is_some() {
            break;
        }
    }
    let _ = child.kill();
    let _ = child.wait();
    let code = code.and_then(|status| status.code());
    Ran { code, out: fs::read_to_string(out).unwrap(), err: fs::read_to_string(err).unwrap() }
}

/// Whatever a command prints, with all of its log and librdkafka's.
#[test]
fn no_command_prints_a_secret() {
    const SECRET: &str = "hunter2-is-not-to-be-seen";
    // All but the compiler of plugins, which writes down every instruction.
    const LEVELS: &str =
        "info,tapedeck=trace,librdkafka=trace,rdkafka=trace,clickhouse=trace,hyper_util=trace,rustls=trace";
    let place = Place::new();
    place.install_plugins();
    fs::write(place.path().join("secret"), SECRET).unwrap();
    place.configure(&format!(
        "[kafka.properties]\n\"security.protocol\" = \"sasl_plaintext\"\n\"sasl.mechanism\" = \"PLAIN\"\n\"sasl.username\" = \"me\"\n\
         \"sasl.password\" = {{ env = \"TAPEDECK_TEST_SECRET\" }}\n\"debug\" = \"all\"\n\
         [clickhouse]\nurl = \"http://127.0.0.1:{}\"\npassword_file = \"secret\"\n\
         [[feed]]\nplugin = \"kraken\"\nmarkets = [\"BTC/USD\"]\noptions = {{ key = {{ file = \"secret\" }} }}\n",
        closed_port()
    ));
    let commands: [&[&str]; 3] = [&["check"], &["sql", "status"], &["topics", "apply"]];
    for arguments in commands {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tapedeck"));
        command.args(arguments).args(["--config", "c.toml"]).current_dir(place.path());
        command.env("TAPEDECK_LOG", LEVELS).env("TAPEDECK_TEST_SECRET", SECRET);
        let ran = run_for_a_while(command, place.path());
        assert_ne!(ran.code, Some(0), "{arguments:?}");
        assert!(ran.out.len() + ran.err.len() > 20, "{arguments:?} says nothing");
        assert!(!ran.out.contains(SECRET) && !ran.err.contains(SECRET), "{arguments:?}\n{}\n{}", ran.out, ran.err);
        println!(
            "{arguments:?}: {} bytes, and {}",
            ran.out.len() + ran.err.len(),
            ran.err.lines().last().unwrap_or_default()
        );
    }
}

#[test]
fn topics_say_when_there_is_no_kafka() {
    let place = Place::new();
    place.configure(&format!("{FEED}exchange = \"binance\"\n"));
    place.tapedeck(&["topics", "apply", "--config", "c.toml"]).expect(
        1,
        &[],
        &["Kafka cannot be reached at 127.0.0.1:"],
    );
}

#[test]
fn a_level_that_is_none_is_64() {
    let place = Place::new();
    let mut command = Command::new(env!("CARGO_BIN_EXE_tapedeck"));
    command.args(["check", "--config", "c.toml"]).current_dir(place.path()).env("TAPEDECK_LOG", "verbose");
    Ran::of(command.output().unwrap()).expect(64, &[], &["TAPEDECK_LOG: \"verbose\" is none of the levels"]);
}
