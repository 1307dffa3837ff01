//! The report as text: tables for people, JSON for programs.

use std::fmt::Write as _;
use std::str::FromStr;

use comfy_table::{CellAlignment, Table, presets};

use super::report::{Part, Report};
use super::warehouse::AuditError;

/// Differences that a table shows.
const SHOWN: usize = 100;

/// How a report is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AuditFormat {
    /// For people.
    #[default]
    Table,
    /// One object.
    Json,
}

impl FromStr for AuditFormat {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "table" => Ok(Self::Table),
            "json" => Ok(Self::Json),
            other => Err(format!("there is no format {other:?}: the formats are table, json")),
        }
    }
}

impl AuditFormat {
    /// Writes a report; the text ends with a line break.
    ///
    /// # Errors
    /// [`AuditError::Render`] when the writer fails.
    pub fn render(self, report: &Report) -> Result<String, AuditError> {
        match self {
            Self::Table => Ok(table(report)),
            Self::Json => Ok(serde_json::to_string_pretty(report)? + "\n"),
        }
    }
}

fn table(report: &Report) -> String {
    let mut text = match (&report.from, &report.to) {
        (Some(from), Some(to)) => format!("{from} to {to}\n"),
        _ => "no whole day of silver is in this time\n".to_owned(),
    };
    let mut summary = Table::new();
    summary.load_style(presets::UTF8_BORDERS_ONLY).set_header(["comparison", "compared", "different"]);
    for part in Part::ALL {
        let count = |of: &std::collections::BTreeMap<Part, u64>| of.get(&part).copied().unwrap_or(0).to_string();
        summary.add_row([part.title().to_owned(), count(&report.compared), count(&report.different)]);
    }
    for column in summary.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    let _ = writeln!(text, "{summary}");
    if !report.differences.is_empty() {
        let mut differences = Table::new();
        differences.load_style(presets::UTF8_BORDERS_ONLY).set_header(["what", "exchange", "where", "when", "detail"]);
        for one in report.differences.iter().take(SHOWN) {
            differences.add_row([&one.kind, &one.exchange, &one.subject, &one.at, &one.detail]);
        }
        let _ = writeln!(text, "{differences}");
    }
    let total: u64 = report.different.values().sum();
    let shown = report.differences.len().min(SHOWN) as u64;
    if total > shown {
        let _ = writeln!(text, "and {} more", total - shown);
    }
    for note in &report.notes {
        let _ = writeln!(text, "note: {note}");
    }
    if report.mended > 0 {
        let _ = writeln!(text, "{} mended", report.mended);
    }
    let end = if total == 0 { "nothing differs".to_owned() } else { format!("{total} differ") };
    let _ = writeln!(text, "{end}");
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::Difference;

    #[test]
    fn a_report_says_what_differs_in_both_formats() {
        let mut report = Report::default();
        assert!(AuditFormat::Table.render(&report).unwrap().ends_with("nothing differs\n"));
        report.add(Difference {
            part: Part::Gold,
            kind: "candle differs".into(),
            exchange: "moonex".into(),
            subject: "BTC/USDT 1m".into(),
            at: "2026-01-01T00:00:00Z".into(),
            detail: "gold has 0.000000000001".into(),
        });
        assert!(!report.is_clean());
        let text = AuditFormat::Table.render(&report).unwrap();
        assert!(text.contains("candle differs") && text.ends_with("1 differ\n"), "{text}");
        let value: serde_json::Value = serde_json::from_str(&AuditFormat::Json.render(&report).unwrap()).unwrap();
        assert_eq!(value["different"]["gold"], 1);
        assert_eq!(value["differences"][0]["part"], "gold");
        assert_eq!(value["differences"][0]["detail"], "gold has 0.000000000001");
    }
}
