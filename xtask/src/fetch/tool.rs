//! Runs a tool that the fetch needs, and turns its failures into sentences.

use std::io::ErrorKind;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};

/// A tool, where to get it, and what it talks to.
pub(crate) struct Tool {
    /// Name of the program.
    pub(crate) program: &'static str,
    /// How to get it, a clause: `install … (Debian: apt install …)`.
    pub(crate) install: &'static str,
    /// Who it asks over the network, and where its way there is configured; empty where it stays on this machine.
    pub(crate) peer: &'static str,
}

pub(crate) const JAVA: Tool = Tool {
    program: "java",
    install: "install a Java runtime of version 17 or newer (Debian: apt install openjdk-17-jre-headless)",
    peer: "",
};

pub(crate) const MAVEN: Tool = Tool {
    program: "mvn",
    install: "install Maven, which fetches Kafka (Debian: apt install maven)",
    peer: "Maven Central (mirrors and proxies: ~/.m2/settings.xml)",
};

pub(crate) const NPM: Tool = Tool {
    program: "npm",
    install: "install Node.js and npm, which fetches ClickHouse (Debian: apt install npm)",
    peer: "the npm registry (mirrors and proxies: npm config, HTTPS_PROXY)",
};

/// How the tools say that they cannot get out.
const NO_NETWORK: [&str; 12] = [
    "ENOTFOUND",
    "EAI_AGAIN",
    "ECONNREFUSED",
    "ECONNRESET",
    "ETIMEDOUT",
    "ENETUNREACH",
    "Unknown host",
    "Temporary failure in name resolution",
    "Connection refused",
    "Network is unreachable",
    "Connect timed out",
    "connection timed out",
];

impl Tool {
    /// The command, not started: stdin closed.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(self.program);
        command.stdin(Stdio::null());
        command
    }

    /// Fails with a sentence if it is not there.
    pub(crate) fn need(&self, what: &str) -> Result<()> {
        let mut command = self.command();
        command.arg(if self.program == "java" { "-version" } else { "--version" });
        self.run(command, what, || ()).map(drop)
    }

    /// Runs it to its end, calling `meanwhile` many times a second, and gives its output.
    pub(crate) fn run(&self, mut command: Command, what: &str, meanwhile: impl Fn()) -> Result<String> {
        let log = tempfile::NamedTempFile::new().context("no temporary file can be made; is the disk full?")?;
        let output = log.as_file().try_clone().context("the tool's log cannot be opened")?;
        command.stdout(output.try_clone().context("the tool's log cannot be opened")?).stderr(output);
        let mut child = command.spawn().map_err(|error| match error.kind() {
            ErrorKind::NotFound => anyhow!("`{}` was not found, and {what} needs it: {}", self.program, self.install),
            _ => anyhow!("`{}` cannot be started: {error}", self.program),
        })?;
        let status = loop {
            if let Some(status) = child.try_wait().with_context(|| format!("`{}` was lost", self.program))? {
                break status;
            }
            meanwhile();
            std::thread::sleep(Duration::from_millis(50));
        };
        let output = std::fs::read(log.path()).map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        let output = output.unwrap_or_default();
        if status.success() {
            return Ok(output);
        }
        bail!(self.explain(what, &output))
    }

    fn explain(&self, what: &str, output: &str) -> String {
        if output.contains("ENOSPC") || output.contains("No space left on device") {
            return format!("{what} failed, the disk is full: free some room, or set TAPEDECK_HOME to another disk");
        }
        if !self.peer.is_empty()
            && let Some(clue) = NO_NETWORK.iter().find(|clue| output.contains(**clue))
        {
            return format!(
                "{what} failed, no way to {} was found ({clue}): connect to the network and run this again",
                self.peer
            );
        }
        let lines: Vec<&str> = output.lines().filter(|line| !line.trim().is_empty()).collect();
        let last = lines[lines.len().saturating_sub(15)..].join("\n  ");
        format!("{what} failed; the last lines of `{}`:\n  {last}", self.program)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_become_sentences() {
        let message = MAVEN.explain("fetching Kafka", "[ERROR] Unknown host repo.example: Name or service not known");
        assert!(message.starts_with("fetching Kafka failed, no way to Maven Central"), "{message}");
        let message = NPM.explain("fetching ClickHouse", "npm error code ENOSPC");
        assert!(message.contains("the disk is full"), "{message}");
        let message = JAVA.explain("formatting", "a\n\nConnection refused\n");
        assert!(message.ends_with("a\n  Connection refused"), "{message}");
    }

    #[test]
    fn a_missing_tool_says_how_to_get_it() {
        let tool = Tool { program: "tapedeck-no-such-tool", install: "install it (Debian: apt install it)", peer: "" };
        let error = tool.run(tool.command(), "testing", || ()).err().map(|error| error.to_string());
        let expected =
            "`tapedeck-no-such-tool` was not found, and testing needs it: install it (Debian: apt install it)";
        assert_eq!(error.as_deref(), Some(expected));
    }
}
