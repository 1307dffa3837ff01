//! Made-up markets of simulated exchanges.

/// The names of so many markets, the busiest first.
#[must_use]
pub fn names(count: usize, quote: &str) -> Vec<String> {
    (0..count).map(|number| format!("C{number:03}/{quote}")).collect()
}

/// The same names, borrowed.
#[must_use]
pub fn borrowed(names: &[String]) -> Vec<&str> {
    names.iter().map(String::as_str).collect()
}
