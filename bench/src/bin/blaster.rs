//! An exchange that sends trades as fast as one client reads them, or at a rate. See [`tapedeck_bench::load`].

use std::io::Write;
use std::net::{Ipv4Addr, TcpListener};
use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Parser;
use tapedeck_bench::load::form::Form;
use tapedeck_bench::load::frames::{self, Frames};
use tapedeck_bench::load::source::{self, Orders};
use tapedeck_bench::load::template::Template;
use tapedeck_bench::load::{Amount, Event, server, tick};

/// Sends trades to one WebSocket client, once it has subscribed and `go` came on stdin.
#[derive(Parser)]
struct Arguments {
    /// Whose protocol.
    #[arg(long)]
    form: Form,
    #[command(flatten)]
    amount: Amount,
    /// Where the time of each trade is left, if there is a rate: 8 bytes each, nanoseconds of the monotonic clock.
    #[arg(long)]
    times: Option<PathBuf>,
}

fn main() -> Result<()> {
    let Arguments { form, amount, times } = Arguments::parse();
    let orders = Orders::listen();
    // Sleeps that end when they are to.
    nix::sys::prctl::set_timerslack(1).context("the timer's slack cannot be set")?;
    let templates = tick::ticks().0.iter().map(|tick| Template::framed(&form.message(tick))).collect();
    let mut frames = Frames::new(templates, move |time| form.time(time));
    let mut heartbeat = Vec::new();
    if let Some(text) = form.heartbeat() {
        Template::framed(text).append(0, b"", &mut heartbeat);
    }

    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("no port can be listened on")?;
    Event::Listening { port: listener.local_addr()?.port() }.tell();
    let mut socket = server::accept(&listener, form)?;
    Event::Ready.tell();
    orders.wait(|| Ok(socket.write_all(&heartbeat)?))?;
    let sent = frames::send(&mut frames, &amount, &mut socket).context("the client left")?;
    source::report(&sent, times.as_deref())?;
    // Until stdin is closed: a client whose connection ended would come again.
    orders.wait(|| Ok(socket.write_all(&heartbeat)?))
}
