//! What one thread logs, for tests of it.
//!
//! All tests of the process share one subscriber. With one for each test, a line that a test without any reaches first
//! may count as one that nobody listens to, for good: `tracing` asks once for each line of code whether to log it, and
//! asks the subscriber of the thread that happens to be there.

use std::cell::RefCell;
use std::io::{self, Write};
use std::marker::PhantomData;
use std::sync::Once;

use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::DynFilterFn;
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};

thread_local! {
    /// What this thread has logged since somebody began to listen; none while nobody does.
    static SAID: RefCell<Option<Vec<u8>>> = const { RefCell::new(None) };
}

/// Listens to the thread that it was made on until it is dropped.
pub(crate) struct Heard(PhantomData<*const ()>);

impl Heard {
    /// Listens from now on.
    pub(crate) fn listen() -> Self {
        static START: Once = Once::new();
        START.call_once(|| {
            // A thread that is ending has no buffer any more.
            let is_heard = || SAID.try_with(|said| said.borrow().is_some()).unwrap_or_default();
            let is_heard = DynFilterFn::new(move |line, _| *line.level() <= LevelFilter::INFO && is_heard());
            let is_heard = is_heard.with_max_level_hint(LevelFilter::INFO);
            let lines = tracing_subscriber::fmt::layer().with_ansi(false).with_writer(|| Said).with_filter(is_heard);
            // Nothing else of these tests logs for the whole process.
            tracing::subscriber::set_global_default(tracing_subscriber::registry().with(lines)).unwrap();
        });
        // A line that was reached while the subscriber was being set may think that nobody listens.
        tracing::callsite::rebuild_interest_cache();
        SAID.set(Some(Vec::new()));
        Self(PhantomData)
    }

    /// What was logged since.
    pub(crate) fn text(&self) -> String {
        SAID.with_borrow(|said| String::from_utf8(said.clone().unwrap_or_default()).unwrap())
    }
}

impl Drop for Heard {
    fn drop(&mut self) {
        SAID.set(None);
    }
}

/// Writes to the thread's buffer.
struct Said;

impl Write for Said {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        SAID.with_borrow_mut(|said| said.iter_mut().for_each(|said| said.extend(bytes)));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
