//! Commands that need no servers, by the real binary: recorded messages through the plugins, and configurations that are
//! wrong.

use std::path::Path;

use anyhow::{Result, ensure};
use tapedeck_tests::command::{Output, tapedeck};
use tapedeck_tests::{programs, recorded};

#[test]
fn recorded_messages_give_the_expected_trades() -> Result<()> {
    let Some(folder) = recorded::folder("recorded_messages_give_the_expected_trades") else { return Ok(()) };
    for exchange in ["binance", "kraken"] {
        let printed = check_messages(exchange, &folder.join(format!("messages/{exchange}.jsonl")))?.success()?;
        let last = printed.lines().last().unwrap_or_default();
        println!("{exchange}: {last}");
        let passed: u64 = last.split(' ').next().unwrap_or_default().parse()?;
        ensure!(passed > 10 && last.ends_with(" passed, 0 failed"), "{printed}");
    }
    Ok(())
}

/// Kraken's old protocol: no trade, no trap, and a reason for every frame that has trades.
#[test]
fn messages_of_an_old_protocol_are_refused_with_a_reason() -> Result<()> {
    let test = "messages_of_an_old_protocol_are_refused_with_a_reason";
    let Some(folder) = recorded::folder(test) else { return Ok(()) };
    let Output { code, stdout, .. } = check_messages("kraken", &folder.join("messages/kraken_v1.jsonl"))?;
    ensure!(code == Some(1), "{stdout}");
    let is = |line: &str, what: &str| line.split_once(": ").is_some_and(|(_, rest)| rest.starts_with(what));
    let count = |what: &str| stdout.lines().filter(|line| is(line, what)).count();
    let empty = count("got 0 trades");
    ensure!(empty > 5 && count("refused: an array") == empty, "{stdout}");
    ensure!(stdout.trim_end().ends_with(&format!("passed, {empty} failed")), "{stdout}");
    ensure!(!stdout.contains("trap"), "{stdout}");
    Ok(())
}

fn check_messages(plugin: &str, messages: &Path) -> Result<Output> {
    let file = programs::plugins()?.join(format!("{plugin}.wasm"));
    tapedeck(["plugin".as_ref(), "check".as_ref(), file.as_os_str(), "--messages".as_ref(), messages.as_os_str()])
}

#[test]
fn a_wrong_configuration_is_refused_before_anything_is_opened() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let plugins = programs::plugins()?;
    let feed = "[[feed]]\nplugin = \"binance\"\nmarkets = [\"BTC/USDT\"]\n";
    let head = format!("version = 1\n[plugins]\nfolder = {plugins:?}\n");
    for (text, clues) in [
        (format!("{head}[kafka]\nbroker = \"x:1\"\n{feed}"), &["broker", "brokers", ":5:"][..]),
        (format!("{head}[kafka]\npartitions = \"four\"\n{feed}"), &["partitions", ":5:"]),
        (format!("{head}{}", feed.replace("binance", "binanse")), &["binanse", "binance"]),
        (format!("{head}{feed}{feed}"), &["BTC/USDT", "feed[2]"]),
    ] {
        let file = folder.path().join("wrong.toml");
        std::fs::write(&file, &text)?;
        for command in ["run", "check"] {
            let output = tapedeck([command.as_ref(), "--config".as_ref(), file.as_os_str()])?;
            ensure!(output.code == Some(64), "{command}: {output:?}\n{text}");
            let said = format!("{}{}", output.stdout, output.stderr);
            for clue in clues {
                ensure!(said.contains(clue), "{command} does not say {clue:?} of\n{text}\n{said}");
            }
        }
    }
    Ok(())
}
