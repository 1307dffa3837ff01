//! Lines over one axis, each axis straight or logarithmic.

use std::ops::Range;

use plotters::coord::ranged1d::{KeyPointHint, NoDefaultFormatting, Ranged, ValueFormatter};
use plotters::prelude::*;

use super::{Axis, COLOURS, Line, WIDTH};
use crate::unit::Unit;

const HEIGHT: u32 = 400;
/// Of the name of a line, with its share of what frames the names.
const NAME_HEIGHT: f64 = 24.0;
/// About so many marks on an axis.
const MARKS: usize = 8;

pub(super) fn svg(x: &Axis, y: &Axis, lines: &[Line]) -> Result<String, Box<dyn std::error::Error>> {
    let points = || lines.iter().flat_map(|line| &line.points);
    let x_scale = Scale::new(x, points().map(|point| point.0))?;
    let names = lines.len() as f64 * NAME_HEIGHT / f64::from(HEIGHT);
    let y_scale = Scale::new(y, points().map(|point| point.1))?.with_room_above(names);
    let mut text = String::new();
    {
        let area = SVGBackend::with_string(&mut text, (WIDTH, HEIGHT)).into_drawing_area();
        area.fill(&WHITE)?;
        let mut chart = ChartBuilder::on(&area)
            .margin(14)
            .x_label_area_size(46)
            .y_label_area_size(84)
            .build_cartesian_2d(x_scale, y_scale)?;
        chart
            .configure_mesh()
            .light_line_style(TRANSPARENT)
            .bold_line_style(BLACK.mix(0.15))
            .x_labels(MARKS)
            .y_labels(MARKS)
            .x_desc(&x.title)
            .y_desc(&y.title)
            .label_style(("sans-serif", 13))
            .axis_desc_style(("sans-serif", 14))
            .draw()?;
        for (line, colour) in lines.iter().zip(COLOURS.iter().cycle()) {
            chart
                .draw_series(LineSeries::new(line.points.iter().copied(), colour.stroke_width(2)))?
                .label(&line.label)
                .legend(move |(x, y)| PathElement::new(vec![(x, y), (x + 18, y)], colour.stroke_width(2)));
            chart.draw_series(line.points.iter().map(|point| Circle::new(*point, 3, colour.filled())))?;
        }
        chart
            .configure_series_labels()
            .position(SeriesLabelPosition::UpperLeft)
            .background_style(WHITE.mix(0.85))
            .border_style(BLACK.mix(0.2))
            .label_font(("sans-serif", 13))
            .draw()?;
        area.present()?;
    }
    Ok(text)
}

/// An axis with its range, which marks round values.
struct Scale {
    unit: Unit,
    is_logarithmic: bool,
    low: f64,
    high: f64,
}

impl Scale {
    fn new(axis: &Axis, values: impl Iterator<Item = f64>) -> Result<Self, String> {
        let (low, high) = values.fold((f64::INFINITY, 0.0_f64), |(low, high), value| (low.min(value), high.max(value)));
        if !low.is_finite() || !high.is_finite() || high <= 0.0 || (axis.is_logarithmic && low <= 0.0) {
            return Err(format!("the axis {:?} has no values that fit it", axis.title));
        }
        let (low, high) = if axis.is_logarithmic { (low / 1.1, high * 1.1) } else { (0.0, high * 1.05) };
        Ok(Self { unit: axis.unit, is_logarithmic: axis.is_logarithmic, low, high })
    }

    /// The same with so much of it left free above, where the names of the lines stand.
    fn with_room_above(self, share: f64) -> Self {
        let longer = 1.0 / (1.0 - share.min(0.5));
        let high = match self.is_logarithmic {
            true => self.low * (self.high / self.low).powf(longer),
            false => self.low + (self.high - self.low) * longer,
        };
        Self { high, ..self }
    }

    /// Where a value lies, 0 to 1.
    fn place(&self, value: f64) -> f64 {
        match self.is_logarithmic {
            true => (value / self.low).ln() / (self.high / self.low).ln(),
            false => (value - self.low) / (self.high - self.low),
        }
    }
}

impl Ranged for Scale {
    type FormatOption = NoDefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, limit: (i32, i32)) -> i32 {
        limit.0 + (f64::from(limit.1 - limit.0) * self.place(*value)).round() as i32
    }

    fn key_points<Hint: KeyPointHint>(&self, _hint: Hint) -> Vec<f64> {
        let within = |mark: &f64| (self.low..=self.high).contains(mark);
        if self.is_logarithmic {
            // Powers of ten, and of two and five between them where the range is short.
            let decades = self.low.log10().floor() as i32..=self.high.log10().ceil() as i32;
            let steps: &[f64] = if decades.clone().count() > 4 { &[1.0] } else { &[1.0, 2.0, 5.0] };
            let marks = decades.flat_map(|power| steps.iter().map(move |step| step * 10_f64.powi(power)));
            return marks.filter(within).collect();
        }
        let rough = self.high / MARKS as f64;
        let power = 10_f64.powf(rough.log10().floor());
        let step = [1.0, 2.0, 5.0, 10.0].iter().map(|step| step * power).find(|step| *step >= rough).unwrap_or(rough);
        (0..=MARKS * 2).map(|index| index as f64 * step).filter(within).collect()
    }

    fn range(&self) -> Range<f64> {
        self.low..self.high
    }
}

impl ValueFormatter<f64> for Scale {
    fn format_ext(&self, value: &f64) -> String {
        self.unit.show(*value)
    }
}
