//! Something that is measured beside others.

use anyhow::Result;

use crate::sample::Sample;

/// A program, or a way to do something, that runs once in each round.
pub trait Contender {
    /// Its name, with its version where it is not ours.
    fn name(&self) -> String;

    /// Makes everything ready before the first round; not measured.
    ///
    /// # Errors
    /// It cannot be had here: a sentence. The part fails then if it is required, and goes on without it if not.
    fn set_up(&mut self) -> Result<()> {
        Ok(())
    }

    /// One run. Figures of the same name mean the same for all contenders of a comparison.
    ///
    /// # Errors
    /// As [`Contender::set_up`].
    fn run(&mut self) -> Result<Sample>;

    /// Whether there is nothing to say without it: true of what is Tapedeck's own.
    fn is_required(&self) -> bool;
}
