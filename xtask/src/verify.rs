//! `cargo verify`: the one check of the project. Goes on after a failure where the next step can still say something, and
//! ends with a table.

use std::time::{Duration, Instant};

use anyhow::{Result, anyhow, bail};

use crate::{fetch, plugins, tidy};

mod steps;
mod tests;

/// What became of a step.
#[derive(Debug)]
enum Outcome {
    /// It passed; with a few words on what it did.
    Passed(String),
    /// It failed, and has said why.
    Failed(String),
    /// It was not run, for this reason.
    Skipped(String),
}

#[derive(Debug)]
struct Step {
    name: &'static str,
    outcome: Outcome,
    time: Duration,
}

/// Everything that ran, in order.
#[derive(Debug, Default)]
struct Record {
    steps: Vec<Step>,
}

/// Runs all checks. Fails if any of them failed.
pub fn run() -> Result<()> {
    let started = Instant::now();
    // The network fetches Kafka and ClickHouse while the processors compile.
    let fetching = std::thread::spawn(|| fetch::fetch(fetch::Show::Lines).map(drop));
    let mut record = Record::default();

    record.run("tools", || fetch::prerequisites().map(|()| String::new()));
    record.run("formatting", steps::formatting);
    record.run("tidy", || tidy::run().map(|()| String::new()));
    record.run("lints", steps::lints);
    record.run("licences and advisories", || steps::optional("cargo-deny", &["deny", "check"]));
    record.run("unused dependencies", || steps::optional("cargo-machete", &["machete"]));
    let plugins = record.run("plugins", || {
        let plugins = plugins::build(&plugins::Options { quiet: true, ..Default::default() })?.len();
        let hostile = plugins::build(&plugins::Options { hostile: true, quiet: true, ..Default::default() })?.len();
        Ok(format!("{plugins} plugins, {hostile} misbehaving guests"))
    });
    record.run("instructions", steps::instructions);
    let stack = record.run("local stack", || {
        fetching.join().map_err(|_| anyhow!("the thread that fetches the local stack panicked"))??;
        Ok("Kafka and ClickHouse fetched".to_owned())
    });
    let built = record.run("build", steps::build);
    if plugins && stack && built {
        record.run("unit tests", || tests::run(tests::Group::Units));
        record.run("pipeline", || tests::run(tests::Group::Pipeline));
        record.run("documentation tests", tests::run_documentation);
        record.run("demo", steps::demo);
    } else {
        let reason = "needs plugins, local stack and build";
        for name in ["unit tests", "pipeline", "documentation tests", "demo"] {
            record.skip(name, reason);
        }
    }
    record.print(started.elapsed());
    record.verdict()
}

impl Record {
    /// Runs a step, and says whether it passed.
    fn run(&mut self, name: &'static str, step: impl FnOnce() -> Result<String>) -> bool {
        println!("\n── {name} ──");
        let started = Instant::now();
        let outcome = match step() {
            Ok(words) => match words.strip_prefix(steps::SKIPPED) {
                Some(reason) => Outcome::Skipped(reason.to_owned()),
                None => Outcome::Passed(words),
            },
            Err(error) => {
                eprintln!("{error:#}");
                Outcome::Failed(format!("{error:#}"))
            }
        };
        let passed = !matches!(outcome, Outcome::Failed(_));
        self.steps.push(Step { name, outcome, time: started.elapsed() });
        passed
    }

    fn skip(&mut self, name: &'static str, reason: &str) {
        self.steps.push(Step { name, outcome: Outcome::Skipped(reason.to_owned()), time: Duration::ZERO });
    }

    fn print(&self, total: Duration) {
        println!("\n{:<24} {:<8} {:>7}  ", "step", "result", "time");
        for step in &self.steps {
            let (result, words) = match &step.outcome {
                Outcome::Passed(words) => ("passed", words.as_str()),
                Outcome::Failed(why) => ("FAILED", why.lines().next().unwrap_or_default()),
                Outcome::Skipped(why) => ("skipped", why.as_str()),
            };
            println!("{:<24} {result:<8} {:>5} s  {words}", step.name, step.time.as_secs());
        }
        println!("{:<24} {:<8} {:>5} s", "all", "", total.as_secs());
    }

    /// Passes only if nothing failed and nothing was left out that something failed for.
    fn verdict(&self) -> Result<()> {
        let failed = self.steps.iter().filter(|step| matches!(step.outcome, Outcome::Failed(_)));
        let names: Vec<&str> = failed.map(|step| step.name).collect();
        if names.is_empty() {
            println!("\nverified");
            return Ok(());
        }
        bail!("\nnot verified: {}", names.join(", "))
    }
}

#[cfg(test)]
mod unit_tests {
    use super::*;

    #[test]
    fn one_failure_fails_all_and_the_rest_still_runs() {
        let mut record = Record::default();
        assert!(record.run("first", || Ok("fine".to_owned())));
        assert!(!record.run("second", || bail!("broken")));
        assert!(record.run("third", || Ok(format!("{}not installed", steps::SKIPPED))));
        assert!(matches!(record.steps[2].outcome, Outcome::Skipped(_)));
        let error = record.verdict().map_err(|error| error.to_string());
        assert_eq!(error.unwrap_err().trim(), "not verified: second");
    }
}
