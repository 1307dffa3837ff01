//! The trades of a load, one after the other, and their way into a socket.

use std::io::{self, Write};
use std::thread;
use std::time::Duration;

use jiff::Timestamp;

use super::template::Template;
use super::{Amount, FIRST_ID};
use crate::moment::Moment;

/// How much is handed to the system at once where there is no rate.
const WRITE: usize = 64 << 10;

/// Messages without an end: ids count up, prices repeat, times are those of their sending.
pub struct Frames {
    templates: Vec<Template>,
    time: Box<dyn Fn(Timestamp) -> Vec<u8>>,
    now: Vec<u8>,
    next: u64,
}

impl Frames {
    /// Messages by these templates, whose times are written so.
    pub fn new(templates: Vec<Template>, time: impl Fn(Timestamp) -> Vec<u8> + 'static) -> Self {
        Self { templates, time: Box::new(time), now: Vec::new(), next: 0 }
    }

    /// How many were made.
    #[must_use]
    pub fn made(&self) -> u64 {
        self.next
    }

    /// Gives those that follow the time of now.
    pub fn set_time(&mut self) {
        self.now = (self.time)(Timestamp::now());
    }

    /// Appends the next one.
    pub fn append(&mut self, out: &mut Vec<u8>) {
        let template = &self.templates[(self.next % self.templates.len() as u64) as usize];
        template.append(FIRST_ID + self.next, &self.now, out);
        self.next += 1;
    }
}

/// What was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    /// How many trades.
    pub trades: u64,
    /// Just before the first one.
    pub began: Moment,
    /// Just after the last one.
    pub ended: Moment,
    /// When each was handed to the system; empty where there was no rate.
    pub times: Vec<Moment>,
    /// How far behind its rate the last one was.
    pub behind: Duration,
}

/// Sends trades into `out`.
///
/// # Errors
/// The client is gone.
pub fn send(frames: &mut Frames, amount: &Amount, out: &mut impl Write) -> io::Result<Sent> {
    match amount.rate {
        None => send_all(frames, amount, out),
        Some(rate) => send_paced(frames, amount.most(), rate, out),
    }
}

fn send_all(frames: &mut Frames, amount: &Amount, out: &mut impl Write) -> io::Result<Sent> {
    let mut buffer = Vec::with_capacity(WRITE + 1024);
    let began = Moment::now();
    let end = began + Duration::from_secs_f64(amount.seconds);
    let most = amount.most();
    let mut now = began;
    while frames.made() < most && now < end {
        buffer.clear();
        frames.set_time();
        while buffer.len() < WRITE && frames.made() < most {
            frames.append(&mut buffer);
        }
        out.write_all(&buffer)?;
        now = Moment::now();
    }
    Ok(Sent { trades: frames.made(), began, ended: now, times: Vec::new(), behind: Duration::ZERO })
}

/// Each trade at its time; those whose time has come together go together.
fn send_paced(frames: &mut Frames, most: u64, rate: u32, out: &mut impl Write) -> io::Result<Sent> {
    let mut buffer = Vec::with_capacity(WRITE);
    let mut times = Vec::with_capacity(usize::try_from(most).unwrap_or(0));
    let began = Moment::now();
    let due = |trade: u64| Moment(began.0 + (u128::from(trade) * 1_000_000_000 / u128::from(rate)) as u64);
    while frames.made() < most {
        let now = Moment::now();
        if let Some(early) = Some(due(frames.made()).since(now)).filter(|early| !early.is_zero()) {
            thread::sleep(early);
            continue;
        }
        buffer.clear();
        frames.set_time();
        while buffer.len() < WRITE && frames.made() < most && due(frames.made()) <= now {
            frames.append(&mut buffer);
        }
        times.resize(frames.made() as usize, Moment::now());
        out.write_all(&buffer)?;
    }
    let ended = Moment::now();
    Ok(Sent { trades: frames.made(), began, ended, times, behind: ended.since(due(frames.made().saturating_sub(1))) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::template::{ID_DIGITS, ID_MARK};

    fn frames() -> Frames {
        Frames::new(vec![Template::plain(&format!("{}\n", ID_MARK.repeat(ID_DIGITS)))], |_| Vec::new())
    }

    #[test]
    fn as_many_trades_are_sent_as_were_asked_for() {
        let mut out = Vec::new();
        let amount = Amount { seconds: 60.0, rate: None, most: Some(10_000) };
        let sent = send(&mut frames(), &amount, &mut out).unwrap();
        let ids: Vec<u64> = String::from_utf8(out).unwrap().lines().map(|line| line.parse().unwrap()).collect();
        assert_eq!(ids, (FIRST_ID..FIRST_ID + 10_000).collect::<Vec<_>>());
        assert_eq!(sent.trades, 10_000);
    }

    #[test]
    fn no_trade_is_sent_before_its_time() {
        let amount = Amount { seconds: 0.05, rate: Some(2_000), most: None };
        let sent = send(&mut frames(), &amount, &mut Vec::new()).unwrap();
        assert_eq!((sent.trades, sent.times.len()), (100, 100));
        for (index, time) in (0..).zip(&sent.times) {
            assert!(time.since(sent.began) >= Duration::from_micros(500 * index), "{index}");
        }
    }
}
