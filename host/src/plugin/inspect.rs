//! `tapedeck plugin inspect`: what a plugin file says of itself, for a person.

use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use super::binary;
use super::description::{Description, Rate};
use super::loaded::Plugin;
use super::runtime::{Runtime, RuntimeSettings};

/// Loads a plugin file in a sandbox of its own and describes it.
///
/// # Errors
/// The file is no plugin that this Tapedeck can run.
pub fn inspect(file: &Path) -> anyhow::Result<String> {
    let runtime = Runtime::new(&RuntimeSettings::default())?;
    Ok(describe(&Plugin::load(&runtime, file)?))
}

/// The description of a plugin, lines of text.
#[must_use]
pub fn describe(plugin: &Plugin) -> String {
    let description = plugin.description();
    let mut page = Page::default();
    page.title(&format!("{} {}", description.name, description.version));
    page.line("file", &plugin.file().display().to_string());
    page.line("size", &format!("{} bytes", plugin.size()));
    page.line("sha256", plugin.digest());
    let built_for = plugin.interface().contract_version().unwrap_or("none");
    page.line("contract", &format!("{built_for} (supported: {})", binary::supported()));
    page.list("imports", &plugin.interface().imports);
    page.list("exports", &plugin.interface().exports);
    if plugin.interface().wants_wasi() {
        page.line("", "WASI is linked to nothing: a call of it crashes the plugin");
    }
    exchange(&mut page, description);
    limits(&mut page, description);
    options(&mut page, description);
    page.text
}

fn exchange(page: &mut Page, description: &Description) {
    page.title("exchange");
    page.line("id", &description.exchange);
    page.line("markets", description.kind.as_str());
    page.line("trade ids", description.ids.as_str());
    page.line("timestamps", &format!("exact to {}", description.precision.as_str()));
    page.list("hosts", &description.hosts);
}

fn limits(page: &mut Page, description: &Description) {
    let limits = &description.limits;
    let show = |rate: Rate| format!("{} in {}", rate.count, duration(rate.window));
    page.title("limits");
    page.line("markets", &format!("{} on a connection", limits.subscriptions));
    page.line("connects", &show(limits.connects));
    page.line("messages", &format!("{} on a connection", show(limits.messages)));
    page.line("lifetime", &limits.lifetime.map_or("not limited".to_owned(), duration));
    page.line("REST weight", &limits.rest.map_or("no backfill".to_owned(), show));
}

fn options(page: &mut Page, description: &Description) {
    page.title("options");
    if description.options.is_empty() {
        page.line("", "none");
    }
    for option in &description.options {
        page.line(&option.name, &format!("{:?} by default. {}", option.default, option.help));
    }
}

/// A page of titles and lines of two columns.
#[derive(Default)]
struct Page {
    text: String,
}

impl Page {
    fn title(&mut self, title: &str) {
        let gap = if self.text.is_empty() { "" } else { "\n" };
        let _ = writeln!(self.text, "{gap}{title}");
    }

    fn line(&mut self, name: &str, value: &str) {
        let _ = writeln!(self.text, "  {name:<12}  {value}");
    }

    fn list(&mut self, name: &str, values: &[String]) {
        if values.is_empty() {
            self.line(name, "none");
        }
        for (index, value) in values.iter().enumerate() {
            self.line(if index == 0 { name } else { "" }, &super::text::bounded_escaped(value, 200));
        }
    }
}

/// `24 h`, `5 min`, `20 s` or `250 ms`, in the largest unit that leaves no rest.
fn duration(duration: Duration) -> String {
    let ms = duration.as_millis();
    for (unit, name) in [(3_600_000, "h"), (60_000, "min"), (1000, "s")] {
        if ms >= unit && ms.is_multiple_of(unit) {
            return format!("{} {name}", ms / unit);
        }
    }
    format!("{ms} ms")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_well() {
        for (ms, text) in [(250, "250 ms"), (1000, "1 s"), (1500, "1500 ms"), (300_000, "5 min"), (86_400_000, "24 h")]
        {
            assert_eq!(duration(Duration::from_millis(ms)), text);
        }
    }
}
