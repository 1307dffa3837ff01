//! Runs contenders in rounds, and keeps every sample.

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};
use xtask::interrupt;

use crate::contender::Contender;
use crate::sample::Sample;
use crate::statistics::Summary;
use crate::unit::Unit;

/// All samples of a contender, by round.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Series {
    /// The contender's name.
    pub contender: String,
    /// One a round.
    pub samples: Vec<Sample>,
}

impl Series {
    /// The summary of a figure; none if it was not measured.
    #[must_use]
    pub fn summary(&self, figure: &str) -> Option<Summary> {
        Summary::of(&self.values(figure))
    }

    /// The unit of a figure.
    #[must_use]
    pub fn unit(&self, figure: &str) -> Option<Unit> {
        self.samples.first().and_then(|sample| sample.get(figure)).map(|figure| figure.unit)
    }

    fn values(&self, figure: &str) -> Vec<f64> {
        self.samples.iter().filter_map(|sample| sample.get(figure)).map(|figure| figure.value).collect()
    }
}

/// A contender that could not be had, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftOut {
    /// The contender's name.
    pub contender: String,
    /// A sentence.
    pub reason: String,
}

/// What a comparison measured.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Measurement {
    /// What was compared.
    pub title: String,
    /// In the order of the contenders.
    pub series: Vec<Series>,
    /// Those that could not be had.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<LeftOut>,
}

impl Measurement {
    /// The series of a contender, if it could be had.
    #[must_use]
    pub fn series(&self, contender: &str) -> Option<&Series> {
        self.series.iter().find(|series| series.contender == contender)
    }

    /// The summary of a contender's figure.
    #[must_use]
    pub fn summary(&self, contender: &str, figure: &str) -> Option<Summary> {
        self.series(contender)?.summary(figure)
    }

    /// How many times the reference's figure the contender's is: the summary of the ratios of each round, not the ratio of
    /// two summaries.
    #[must_use]
    pub fn ratio(&self, contender: &str, reference: &str, figure: &str) -> Option<Summary> {
        self.compare(contender, reference, figure, |own, other| own / other)
    }

    /// The summary of what comes of both figures in each round.
    #[must_use]
    pub fn compare(
        &self,
        contender: &str,
        reference: &str,
        figure: &str,
        with: impl Fn(f64, f64) -> f64,
    ) -> Option<Summary> {
        let (own, other) = (self.series(contender)?.values(figure), self.series(reference)?.values(figure));
        let compared: Vec<f64> = own.iter().zip(&other).map(|(own, other)| with(*own, *other)).collect();
        Summary::of(&compared)
    }
}

/// Sets all contenders up and runs each `runs` times, in rounds; each round begins with another one. Prints its progress.
///
/// # Errors
/// A contender that is required fails, or somebody has asked to end.
pub fn alternate(title: &str, runs: usize, contenders: &mut [Box<dyn Contender + '_>]) -> Result<Measurement> {
    println!("\n{title}");
    let mut reasons: Vec<Option<String>> = Vec::new();
    for contender in contenders.iter_mut() {
        let ready = contender.set_up();
        reasons.push(judge(contender.as_ref(), ready, "cannot be set up")?.err());
    }
    let mut samples: Vec<Vec<Sample>> = vec![Vec::new(); contenders.len()];
    for round in 0..runs {
        for turn in 0..contenders.len() {
            if interrupt::asked() {
                bail!("ended in round {} of {runs}", round + 1);
            }
            let index = (round + turn) % contenders.len();
            if reasons[index].is_some() {
                continue;
            }
            let contender = &mut contenders[index];
            let sample = contender.run();
            match judge(contender.as_ref(), sample, &format!("failed in round {}", round + 1))? {
                Ok(sample) => {
                    println!("  round {}/{runs}  {:<44} {}", round + 1, contender.name(), line(&sample));
                    samples[index].push(sample);
                }
                Err(reason) => reasons[index] = Some(reason),
            }
        }
    }
    let mut measurement = Measurement { title: title.to_owned(), series: Vec::new(), left_out: Vec::new() };
    for ((contender, samples), reason) in contenders.iter().zip(samples).zip(reasons) {
        let contender = contender.name();
        match reason {
            None => measurement.series.push(Series { contender, samples }),
            Some(reason) => measurement.left_out.push(LeftOut { contender, reason }),
        }
    }
    Ok(measurement)
}

/// An error of one that is required is ours; of another it is a reason to go on without it, told in one line.
fn judge<T>(contender: &dyn Contender, outcome: Result<T>, what: &str) -> Result<std::result::Result<T, String>> {
    match outcome {
        Ok(value) => Ok(Ok(value)),
        Err(error) if contender.is_required() => Err(error).with_context(|| format!("{} {what}", contender.name())),
        Err(error) => {
            let reason = format!("{what}: {error:#}").replace('\n', " ");
            println!("  {}: left out, {reason}", contender.name());
            Ok(Err(reason))
        }
    }
}

/// The figures of a run, for a terminal.
pub(crate) fn line(sample: &Sample) -> String {
    let figures = sample.figures().iter().map(|figure| format!("{} {}", figure.name, figure.unit.show(figure.value)));
    figures.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    struct Scripted<'a> {
        name: &'static str,
        rates: Vec<f64>,
        order: &'a RefCell<Vec<&'static str>>,
    }

    impl Contender for Scripted<'_> {
        fn name(&self) -> String {
            self.name.to_owned()
        }

        fn run(&mut self) -> Result<Sample> {
            self.order.borrow_mut().push(self.name);
            let rate = self.rates.pop().context("nothing is left of it")?;
            Ok(Sample::new().with("rate", rate, Unit::PerSecond))
        }

        fn is_required(&self) -> bool {
            self.name == "ours"
        }
    }

    #[test]
    fn rounds_rotate_and_ratios_are_of_one_round() {
        let order = RefCell::new(Vec::new());
        let scripted = |name, rates: &[f64]| Box::new(Scripted { name, rates: rates.to_vec(), order: &order });
        let mut contenders: Vec<Box<dyn Contender>> = vec![
            scripted("ours", &[10.0, 40.0, 20.0]),
            scripted("theirs", &[5.0, 10.0, 10.0]),
            scripted("weak", &[1.0]),
        ];
        let measurement = alternate("test", 3, &mut contenders).unwrap();
        assert_eq!(*order.borrow(), ["ours", "theirs", "weak", "theirs", "weak", "ours", "ours", "theirs"]);
        assert_eq!(measurement.series.len(), 2);
        assert_eq!(measurement.left_out[0].reason, "failed in round 2: nothing is left of it");
        assert_eq!(measurement.ratio("ours", "theirs", "rate").unwrap().median, 2.0);
        assert_eq!(measurement.summary("ours", "rate").unwrap().median, 20.0);
        assert_eq!(measurement.ratio("ours", "weak", "rate"), None);
    }

    #[test]
    fn nothing_is_said_without_what_is_required() {
        let order = RefCell::new(Vec::new());
        let ours = Scripted { name: "ours", rates: Vec::new(), order: &order };
        let error = alternate("test", 3, &mut [Box::new(ours)]).unwrap_err();
        assert_eq!(format!("{error:#}"), "ours failed in round 1: nothing is left of it");
    }
}
