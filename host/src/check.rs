//! `tapedeck check`: everything that can be known without starting, as one list.

use std::fmt;
use std::path::Path;

use crate::config::{Config, listed};

mod clickhouse;
mod feeds;
mod http;
mod kafka;

pub(crate) use clickhouse::schema_settings;
pub use feeds::{Feeds, exchanges, feeds, trade_ids};

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Findings {
    /// What is as it should be.
    pub passed: Vec<String>,
    /// What is worth knowing, but keeps nothing from working.
    pub notes: Vec<String>,
    /// What is wrong: what, where, and what to do.
    pub problems: Vec<String>,
}

impl Findings {
    /// Adds what was found elsewhere.
    fn extend(&mut self, other: Self) {
        self.passed.extend(other.passed);
        self.notes.extend(other.notes);
        self.problems.extend(other.problems);
    }
}

/// One finding a line, the problems last, and their number.
impl fmt::Display for Findings {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (kind, lines) in [("ok", &self.passed), ("note", &self.notes), ("problem", &self.problems)] {
            for line in lines {
                writeln!(formatter, "{kind}: {line}")?;
            }
        }
        match self.problems.len() {
            0 => formatter.write_str("no problems"),
            1 => formatter.write_str("1 problem"),
            count => write!(formatter, "{count} problems"),
        }
    }
}

/// Checks a configuration file and everything that it names. Starts nothing and changes nothing.
pub async fn check(file: &Path) -> Findings {
    let mut findings = Findings::default();
    let config = match Config::load(file) {
        Ok(config) => config,
        Err(errors) => {
            findings.problems = errors.problems.iter().map(ToString::to_string).collect();
            findings
                .notes
                .push("plugins, Kafka and ClickHouse are looked at once the configuration is valid".to_owned());
            return findings;
        }
    };
    let markets: usize = config.feeds.iter().map(|feed| feed.markets.len()).sum();
    findings.passed.push(format!(
        "{}: {} and {}",
        file.display(),
        count(config.feeds.len(), "feed"),
        count(markets, "market")
    ));

    let Feeds { findings: of_feeds, exchanges, trade_ids, .. } = feeds(&config);
    findings.extend(of_feeds);
    // Where a plugin is missing, its exchange is not known: the others are looked at all the same.
    let exchanges: Vec<String> = exchanges.into_iter().collect();
    findings.extend(http::check(&config.http));
    let (of_kafka, of_clickhouse) = tokio::join!(
        kafka::check(&config.kafka, &exchanges, file),
        clickhouse::check(&config, &exchanges, trade_ids, file)
    );
    findings.extend(of_kafka);
    findings.extend(of_clickhouse);
    findings
}

/// `1 feed`, `2 feeds`.
fn count(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

/// The first few of many names.
fn some(names: &[String]) -> String {
    const SHOWN: usize = 5;
    let shown = names.iter().take(SHOWN).map(String::as_str);
    match names.len().checked_sub(SHOWN) {
        None | Some(0) => listed(shown),
        Some(rest) => format!("{} and {rest} more", shown.collect::<Vec<_>>().join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn findings_end_with_their_number() {
        let mut findings = Findings { passed: vec!["a".to_owned()], ..Findings::default() };
        assert_eq!(findings.to_string(), "ok: a\nno problems");
        findings.extend(Findings {
            notes: vec!["b".to_owned()],
            problems: vec!["c".to_owned()],
            ..Findings::default()
        });
        assert_eq!(findings.to_string(), "ok: a\nnote: b\nproblem: c\n1 problem");
        findings.problems.push("d".to_owned());
        assert!(findings.to_string().ends_with("\n2 problems"));
    }

    #[test]
    fn long_lists_are_cut() {
        let names = |count: usize| (1..=count).map(|number| number.to_string()).collect::<Vec<_>>();
        assert_eq!(some(&names(1)), "1");
        assert_eq!(some(&names(5)), "1, 2, 3, 4 and 5");
        assert_eq!(some(&names(7)), "1, 2, 3, 4, 5 and 2 more");
    }
}
