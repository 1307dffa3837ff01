//! Tables of results, for a terminal and for Markdown.

use serde::{Deserialize, Serialize};

use crate::rounds::Measurement;
use crate::statistics::Summary;
use crate::unit::Unit;

/// A table. Its first column names the rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Table {
    /// What it shows.
    pub title: String,
    /// Headings, that of the names first.
    pub head: Vec<String>,
    /// The rows.
    pub rows: Vec<Row>,
}

/// A row.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// Its name.
    pub name: String,
    /// One for each heading but the first.
    pub cells: Vec<Cell>,
}

/// A cell.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cell {
    /// Words.
    Text(String),
    /// A figure: its median is shown.
    Figure {
        /// What the runs gave.
        summary: Summary,
        /// What it counts.
        unit: Unit,
    },
    /// The same with its lowest and highest.
    Spread {
        /// What the runs gave.
        summary: Summary,
        /// What it counts.
        unit: Unit,
    },
    /// Was not measured.
    Nothing,
}

impl Cell {
    /// The median of a figure, if it was measured.
    #[must_use]
    pub fn figure(summary: Option<Summary>, unit: Unit) -> Self {
        summary.map_or(Self::Nothing, |summary| Self::Figure { summary, unit })
    }

    /// A figure with its spread, if it was measured.
    #[must_use]
    pub fn spread(summary: Option<Summary>, unit: Unit) -> Self {
        summary.map_or(Self::Nothing, |summary| Self::Spread { summary, unit })
    }
}

impl std::fmt::Display for Cell {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Text(text) => formatter.write_str(text),
            Self::Figure { summary, unit } => formatter.write_str(&unit.show(summary.median)),
            Self::Spread { summary, unit } => {
                let [median, low, high] = [summary.median, summary.low, summary.high].map(|value| unit.show(value));
                write!(formatter, "{median} ({low} to {high})")
            }
            Self::Nothing => formatter.write_str("–"),
        }
    }
}

impl Table {
    /// An empty table.
    #[must_use]
    pub fn new(title: &str, head: &[&str]) -> Self {
        Self { title: title.to_owned(), head: head.iter().map(|&text| text.to_owned()).collect(), rows: Vec::new() }
    }

    /// Adds a row.
    pub fn row(&mut self, name: &str, cells: Vec<Cell>) {
        self.rows.push(Row { name: name.to_owned(), cells });
    }

    /// A row for each contender with these figures, and last how many times the reference's first figure its own is.
    #[must_use]
    pub fn of(measurement: &Measurement, figures: &[&str], reference: &str) -> Self {
        let ratio = format!("{} of {reference}", figures.first().unwrap_or(&""));
        let head: Vec<&str> = std::iter::once("").chain(figures.iter().copied()).chain([ratio.as_str()]).collect();
        let mut table = Self::new(&measurement.title, &head);
        for series in &measurement.series {
            let cell = |figure: &&str| Cell::spread(series.summary(figure), series.unit(figure).unwrap_or(Unit::Count));
            let mut cells: Vec<Cell> = figures.iter().map(cell).collect();
            let first = figures.first().unwrap_or(&"");
            cells.push(Cell::spread(measurement.ratio(&series.contender, reference, first), Unit::Times));
            table.row(&series.contender, cells);
        }
        table
    }

    /// For a terminal.
    #[must_use]
    pub fn terminal(&self) -> String {
        let mut table = comfy_table::Table::new();
        table.load_style(comfy_table::presets::UTF8_BORDERS_ONLY);
        table.set_header(&self.head);
        for row in self.texts() {
            table.add_row(row);
        }
        format!("{}\n{table}", self.title)
    }

    /// For a page.
    #[must_use]
    pub fn markdown(&self) -> String {
        markdown(&self.head, &self.texts().collect::<Vec<_>>())
    }

    fn texts(&self) -> impl Iterator<Item = Vec<String>> {
        self.rows.iter().map(|row| {
            let cells = row.cells.iter().map(Cell::to_string);
            std::iter::once(row.name.clone()).chain(cells).collect()
        })
    }
}

/// A table in Markdown: names to the left, the rest to the right.
pub(crate) fn markdown(head: &[impl AsRef<str>], rows: &[Vec<String>]) -> String {
    let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
    let head: Vec<String> = head.iter().map(|text| text.as_ref().to_owned()).collect();
    let rule: Vec<String> =
        head.iter().enumerate().map(|(index, _)| if index == 0 { "---" } else { "---:" }.to_owned()).collect();
    let mut text = line(&head);
    text.push_str(&format!("|{}|\n", rule.join("|")));
    for row in rows {
        text.push_str(&line(&row.iter().map(|cell| cell.replace('|', "\\|")).collect::<Vec<_>>()));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rounds::Series;
    use crate::sample::Sample;

    #[test]
    fn a_measurement_becomes_a_table_with_ratios() {
        let series = |contender: &str, rates: [f64; 2]| Series {
            contender: contender.to_owned(),
            samples: rates.map(|rate| Sample::new().with("rate", rate, Unit::PerSecond)).to_vec(),
        };
        let measurement = Measurement {
            title: "Rates".to_owned(),
            series: vec![series("ours", [2e6, 4e6]), series("theirs", [1e6, 1e6])],
            left_out: Vec::new(),
        };
        let expected = "|  | rate | rate of theirs |\n|---|---:|---:|\n\
                        | ours | 3.00 M/s (2.00 M/s to 4.00 M/s) | 3.00× (2.00× to 4.00×) |\n\
                        | theirs | 1.00 M/s (1.00 M/s to 1.00 M/s) | 1.00× (1.00× to 1.00×) |\n";
        assert_eq!(Table::of(&measurement, &["rate"], "theirs").markdown(), expected);
    }
}
