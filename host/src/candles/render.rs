//! Candles as text: a table for people, CSV and JSON for programs.

use std::fmt;
use std::str::FromStr;

use comfy_table::{CellAlignment, Table, presets};

use super::{Candle, CandleError};

/// Names of the columns, in order.
const COLUMNS: [&str; 8] = ["bucket", "open", "high", "low", "close", "volume", "quote_volume", "trades"];

/// How candles are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CandleFormat {
    /// Aligned columns.
    #[default]
    Table,
    /// One line a candle under a header.
    Csv,
    /// One array of objects, decimals as strings.
    Json,
}

impl CandleFormat {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Table, Self::Csv, Self::Json];

    /// Its name: `table`, `csv` or `json`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Table => "table",
            Self::Csv => "csv",
            Self::Json => "json",
        }
    }

    /// Writes candles in this format; the text ends with a line break.
    ///
    /// # Errors
    /// [`CandleError::Render`] when a writer fails.
    pub fn render(self, candles: &[Candle]) -> Result<String, CandleError> {
        match self {
            Self::Table => Ok(table(candles)),
            Self::Csv => csv(candles),
            Self::Json => json(candles),
        }
    }

    fn error(self, source: impl std::error::Error + Send + Sync + 'static) -> CandleError {
        CandleError::Render { format: self.name(), source: Box::new(source) }
    }
}

impl FromStr for CandleFormat {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.into_iter().find(|format| format.name() == text);
        found.ok_or_else(|| format!("there is no format {text:?}: the formats are table, csv, json"))
    }
}

impl fmt::Display for CandleFormat {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

fn cells(candle: &Candle) -> [String; 8] {
    [
        candle.bucket.to_string(),
        candle.open.clone(),
        candle.high.clone(),
        candle.low.clone(),
        candle.close.clone(),
        candle.volume.clone(),
        candle.quote_volume.clone(),
        candle.trades.to_string(),
    ]
}

fn table(candles: &[Candle]) -> String {
    let mut table = Table::new();
    table.load_style(presets::UTF8_BORDERS_ONLY).set_header(COLUMNS);
    for candle in candles {
        table.add_row(cells(candle));
    }
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    format!("{table}\n")
}

fn csv(candles: &[Candle]) -> Result<String, CandleError> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(COLUMNS).map_err(|error| CandleFormat::Csv.error(error))?;
    for candle in candles {
        writer.write_record(cells(candle)).map_err(|error| CandleFormat::Csv.error(error))?;
    }
    let bytes = writer.into_inner().map_err(|error| CandleFormat::Csv.error(error))?;
    String::from_utf8(bytes).map_err(|error| CandleFormat::Csv.error(error))
}

fn json(candles: &[Candle]) -> Result<String, CandleError> {
    let mut text = serde_json::to_string_pretty(candles).map_err(|error| CandleFormat::Json.error(error))?;
    text.push('\n');
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candle() -> Candle {
        Candle {
            bucket: "2024-08-08T23:54:00Z".parse().unwrap(),
            open: "2683.8".into(),
            high: "2684".into(),
            low: "0.000000000001".into(),
            close: "2683.81".into(),
            volume: "99999999999999999999999999.123456789012".into(),
            quote_volume: "10.735200000000000000000001".into(),
            trades: 2,
        }
    }

    #[test]
    fn every_digit_is_in_every_format() {
        for format in CandleFormat::ALL {
            let text = format.render(&[candle()]).unwrap();
            for digits in cells(&candle()) {
                assert!(text.contains(&digits), "{digits} is not in\n{text}");
            }
            assert!(text.ends_with('\n'));
        }
    }

    #[test]
    fn json_keeps_decimals_as_text_and_counts_as_numbers() {
        let text = CandleFormat::Json.render(&[candle()]).unwrap();
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(value[0]["low"], "0.000000000001");
        assert_eq!(value[0]["trades"], 2);
        assert_eq!(value[0]["bucket"], "2024-08-08T23:54:00Z");
        assert_eq!(CandleFormat::Json.render(&[]).unwrap(), "[]\n");
    }

    #[test]
    fn csv_has_its_header_even_without_candles() {
        assert_eq!(CandleFormat::Csv.render(&[]).unwrap(), "bucket,open,high,low,close,volume,quote_volume,trades\n");
    }
}
