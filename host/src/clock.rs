//! The host's clock.

use std::time::{SystemTime, UNIX_EPOCH};

/// Now, µs since 1970 UTC.
pub fn now_us() -> i64 {
    let since = now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
}

/// Now.
pub fn now() -> SystemTime {
    #[cfg(test)]
    if let Some(now_us) = crate::simulation::now_us() {
        return UNIX_EPOCH + std::time::Duration::from_micros(now_us.unsigned_abs());
    }
    SystemTime::now()
}
