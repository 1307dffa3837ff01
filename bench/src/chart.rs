//! Charts, as data in a report and as SVG on the page.

use anyhow::{Result, anyhow};
use serde::{Deserialize, Serialize};

use crate::statistics::Summary;
use crate::unit::Unit;

mod bars;
mod lines;

/// A chart.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Chart {
    /// Its name within the part: lower case, hyphens.
    pub name: String,
    /// What it shows.
    pub title: String,
    /// What is drawn.
    pub shape: Shape,
}

/// What is drawn.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Shape {
    /// A bar for each contender, from zero.
    Bars {
        /// What the values count.
        unit: Unit,
        /// From the top.
        bars: Vec<Bar>,
    },
    /// Lines over one axis.
    Lines {
        /// The horizontal axis.
        x: Axis,
        /// The vertical one.
        y: Axis,
        /// At most eight.
        lines: Vec<Line>,
    },
}

/// A bar.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Bar {
    /// Its name.
    pub label: String,
    /// Its length, and how far the runs reach.
    pub value: Summary,
    /// Whether it is Tapedeck's own, and stands out.
    pub own: bool,
}

/// An axis.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Axis {
    /// What it is.
    pub title: String,
    /// What it counts.
    pub unit: Unit,
    /// Whether equal distances are equal ratios. If not, it begins at zero.
    pub is_logarithmic: bool,
}

/// A line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// Its name.
    pub label: String,
    /// Its points, from left to right.
    pub points: Vec<(f64, f64)>,
}

impl Chart {
    /// A chart of bars.
    #[must_use]
    pub fn bars(name: &str, title: &str, unit: Unit, bars: Vec<Bar>) -> Self {
        Self { name: name.to_owned(), title: title.to_owned(), shape: Shape::Bars { unit, bars } }
    }

    /// A chart of lines.
    #[must_use]
    pub fn lines(name: &str, title: &str, x: Axis, y: Axis, lines: Vec<Line>) -> Self {
        Self { name: name.to_owned(), title: title.to_owned(), shape: Shape::Lines { x, y, lines } }
    }

    /// The name of its file.
    #[must_use]
    pub fn file_name(&self, part: &str) -> String {
        format!("performance-{part}-{}.svg", self.name)
    }

    /// The chart as SVG.
    ///
    /// # Errors
    /// There is nothing to draw, or a value is no number.
    pub fn svg(&self) -> Result<String> {
        let drawn = match &self.shape {
            Shape::Bars { unit, bars } => bars::svg(*unit, bars),
            Shape::Lines { x, y, lines } => lines::svg(x, y, lines),
        };
        drawn.map_err(|error| anyhow!("the chart {:?} cannot be drawn: {error}", self.title))
    }
}

/// Tapedeck's own, and the colours of lines.
const COLOURS: [plotters::style::RGBColor; 8] = [
    plotters::style::RGBColor(0x1f, 0x6f, 0xb4),
    plotters::style::RGBColor(0xd9, 0x5f, 0x02),
    plotters::style::RGBColor(0x1b, 0x9e, 0x77),
    plotters::style::RGBColor(0x75, 0x70, 0xb3),
    plotters::style::RGBColor(0xe7, 0x29, 0x8a),
    plotters::style::RGBColor(0x66, 0xa6, 0x1e),
    plotters::style::RGBColor(0xa6, 0x76, 0x1d),
    plotters::style::RGBColor(0x66, 0x66, 0x66),
];

/// Others' bars.
const GREY: plotters::style::RGBColor = plotters::style::RGBColor(0x9a, 0xa5, 0xb1);

/// Width of all charts.
const WIDTH: u32 = 760;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_carry_their_labels_and_values() {
        let bar = |label: &str, value, own| Bar { label: label.to_owned(), value, own };
        let (ours, theirs) = (Summary::of(&[3e6, 3.1e6, 2.9e6]), Summary::of(&[1e6]));
        let bars = vec![bar("Tapedeck", ours.unwrap(), true), bar("<other>", theirs.unwrap(), false)];
        let svg = Chart::bars("rate", "Trades", Unit::PerSecond, bars).svg().unwrap();
        assert!(svg.starts_with("<svg") && svg.contains("3.00 M/s") && svg.contains("&lt;other&gt;"), "{svg}");
    }

    #[test]
    fn lines_have_axes_and_a_legend() {
        let axis = |title: &str, is_logarithmic| Axis { title: title.to_owned(), unit: Unit::Count, is_logarithmic };
        let line = Line { label: "Tapedeck".to_owned(), points: vec![(1.0, 10.0), (64.0, 3.0), (256.0, 2.0)] };
        for logarithmic in [false, true] {
            let (x, y) = (axis("frames", true), axis("cost", logarithmic));
            let svg = Chart::lines("batch", "Batches", x, y, vec![line.clone()]).svg().unwrap();
            assert!(svg.contains("frames") && svg.contains("cost") && svg.contains("Tapedeck"), "{svg}");
        }
        assert!(Chart::lines("none", "None", axis("x", false), axis("y", false), Vec::new()).svg().is_err());
    }
}
