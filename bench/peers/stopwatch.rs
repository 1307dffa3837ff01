//! How a contender that is a process of its own measures: whole passes over its input until this thread has been on a processor
//! for long enough. Included by each of them, since they share no workspace.

use std::time::{Duration, Instant};

use nix::time::{ClockId, clock_gettime};

fn cpu() -> Duration {
    // Linux has this clock since before threads were cheap.
    clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).map_or(Duration::ZERO, Duration::from)
}

/// Repeats `pass`, which says how many trades it made, and prints a line of JSON: `trades` of one pass, `passes`, `wall_ns` and
/// `cpu_ns` of all of them. The first pass warms up and is not counted.
pub(crate) fn measure(seconds: f64, mut pass: impl FnMut() -> u64) {
    let trades = pass();
    let (began, cpu_before, mut passes) = (Instant::now(), cpu(), 0_u64);
    let (wall, cpu) = loop {
        assert_eq!(pass(), trades, "a pass made another number of trades than the one before");
        passes += 1;
        let (wall, cpu) = (began.elapsed(), cpu().saturating_sub(cpu_before));
        if cpu.as_secs_f64() >= seconds {
            break (wall, cpu);
        }
    };
    println!(
        "{{\"trades\":{trades},\"passes\":{passes},\"wall_ns\":{},\"cpu_ns\":{}}}",
        wall.as_nanos(),
        cpu.as_nanos()
    );
}
