//! Horizontal bars with their names to the left and their values behind them.

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::{Bar, COLOURS, GREY, WIDTH};
use crate::unit::Unit;

/// Pixels of a bar with what is between it and the next.
const STEP: i32 = 34;
const THICKNESS: i32 = 20;
/// Where bars begin and the longest ends.
const LEFT: i32 = 290;
const RIGHT: i32 = 660;
const MARGIN: i32 = 10;

pub(super) fn svg(unit: Unit, bars: &[Bar]) -> Result<String, Box<dyn std::error::Error>> {
    let longest = bars.iter().map(|bar| bar.value.high).fold(0.0, f64::max);
    if !longest.is_finite() || longest <= 0.0 {
        return Err("there is no bar that is longer than nothing".into());
    }
    let height = 2 * MARGIN + STEP * i32::try_from(bars.len())?;
    let mut text = String::new();
    {
        let area = SVGBackend::with_string(&mut text, (WIDTH, height.unsigned_abs())).into_drawing_area();
        area.fill(&WHITE)?;
        let x = |value: f64| LEFT + (f64::from(RIGHT - LEFT) * value / longest) as i32;
        let style = ("sans-serif", 14).into_text_style(&area).color(&BLACK);
        let names = style.pos(Pos::new(HPos::Right, VPos::Center));
        let values = style.pos(Pos::new(HPos::Left, VPos::Center));
        for (bar, top) in bars.iter().zip((MARGIN..).step_by(STEP.unsigned_abs() as usize)) {
            let (top, middle) = (top + (STEP - THICKNESS) / 2, top + STEP / 2);
            let colour = if bar.own { COLOURS[0] } else { GREY };
            area.draw(&Text::new(bar.label.clone(), (LEFT - 10, middle), names.clone()))?;
            area.draw(&Rectangle::new([(LEFT, top), (x(bar.value.median), top + THICKNESS)], colour.filled()))?;
            // How far the runs reach.
            area.draw(&PathElement::new(vec![(x(bar.value.low), middle), (x(bar.value.high), middle)], BLACK))?;
            let value = unit.show(bar.value.median);
            area.draw(&Text::new(value, (x(bar.value.high) + 8, middle), values.clone()))?;
        }
        area.present()?;
    }
    Ok(text)
}
