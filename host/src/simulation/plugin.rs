//! The plugin of the simulated exchange, without a sandbox.
//!
//! A frame is lines of words: `t market id count time_us live|snapshot` is a trade, `a market` confirms a subscription,
//! `r market` refuses one, `h` is a sign of life, `x` announces a shutdown, `q` wants an answer.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use super::plan::Plan;
use crate::frames::FrameBatch;
use crate::plugin::{
    AppPing, BackfillFailure, Decoded, Description, Event, FeedInstance, FeedPlugin, Gap, Heartbeat, HttpRequest,
    HttpResponse, Limits, OpenFailure, OpenRequest, Page, Precision, Rate, RefusalKind, Refused, SessionEvent,
    SessionPlan, TradeIds,
};
use crate::trade::{Decimal, MarketKind, Side, Source, Trade, TradeId};

/// Connection attempts that the exchange takes.
pub(super) const CONNECTS: Rate = Rate { count: 8, window: Duration::from_secs(60) };
/// Messages that the exchange takes on a connection.
pub(super) const MESSAGES: Rate = Rate { count: 5, window: Duration::from_secs(1) };
/// Requests that the exchange takes.
pub(super) const REQUESTS: Rate = Rate { count: 60, window: Duration::from_secs(60) };

/// Where the exchange is. Nothing is resolved or reached.
pub(super) const URL: &str = "ws://192.0.2.1:9000";
pub(super) const REST: &str = "http://192.0.2.1:9001";

pub(super) struct SimulatedPlugin {
    description: Description,
    plan: Arc<Plan>,
}

struct SimulatedInstance {
    plan: Arc<Plan>,
}

impl SimulatedPlugin {
    pub(super) fn new(plan: &Arc<Plan>) -> Self {
        let limits = Limits {
            subscriptions: 10,
            connects: CONNECTS,
            messages: MESSAGES,
            lifetime: plan.exchange.lifetime,
            rest: Some(REQUESTS),
        };
        let description = Description {
            name: "simulated".to_owned(),
            version: "1.0.0".to_owned(),
            exchange: "simulated".to_owned(),
            kind: MarketKind::Spot,
            ids: plan.exchange.ids,
            precision: Precision::Milliseconds,
            limits,
            hosts: Vec::new(),
            options: Vec::new(),
        };
        Self { description, plan: Arc::clone(plan) }
    }
}

impl FeedPlugin for SimulatedPlugin {
    fn description(&self) -> &Description {
        &self.description
    }

    fn digest(&self) -> &str {
        "none"
    }

    fn instance(self: Arc<Self>, request: OpenRequest) -> Result<(Box<dyn FeedInstance>, SessionPlan), OpenFailure> {
        let exchange = &self.plan.exchange;
        let numbers = 0..request.markets.len();
        let messages = if exchange.subscribes_at_once {
            vec![numbers.clone().fold("s".to_owned(), |mut text, number| {
                _ = write!(text, " {number}");
                text
            })]
        } else {
            numbers.clone().map(|number| format!("s {number}")).collect()
        };
        let ping = exchange.ping.then(|| AppPing { interval: exchange.idle / 2, message: "p".to_owned() });
        let plan = SessionPlan {
            url: URL.to_owned(),
            symbols: numbers.map(|number| number.to_string()).collect(),
            messages,
            heartbeat: Heartbeat { idle: exchange.idle, ping },
        };
        Ok((Box::new(SimulatedInstance { plan: Arc::clone(&self.plan) }), plan))
    }
}

impl FeedInstance for SimulatedInstance {
    fn decode(&mut self, batch: &FrameBatch, _received_at_us: i64, out: &mut Decoded) {
        out.clear();
        for (frame, bytes) in (0..).zip(batch.iter()) {
            let text = String::from_utf8_lossy(bytes);
            for line in text.lines() {
                match read(line, self.plan.exchange.ids) {
                    Some(Line::Trade(trade)) => out.trades.push(Trade { frame, ..trade }),
                    Some(Line::Event(what)) => out.events.push(Event { frame, what }),
                    None => {
                        let reason = format!("no such line: {line}");
                        out.refused.push(Refused { frame, kind: RefusalKind::Refused, reason });
                        break;
                    }
                }
            }
        }
    }

    fn backfill(&mut self, gap: &Gap) -> Result<HttpRequest, BackfillFailure> {
        let number = |id: &Option<TradeId>| match id {
            Some(TradeId::Number(number)) => Some(*number),
            _ => None,
        };
        let query = match (self.plan.exchange.ids, number(&gap.after)) {
            (TradeIds::Dense | TradeIds::Aggregated, Some(after)) => {
                let before = number(&gap.before).unwrap_or(u64::MAX);
                format!("{REST}/ids/{}/{after}/{before}", gap.market)
            }
            // From the start's own time on, since more than one trade may have it.
            _ => format!("{REST}/times/{}/{}/{}/0", gap.market, gap.start_us, gap.end_us),
        };
        Ok(HttpRequest { url: query, headers: Vec::new(), weight: 1 })
    }

    fn decode_backfill(
        &mut self,
        gap: &Gap,
        _request: &HttpRequest,
        response: &HttpResponse,
    ) -> Result<Page, BackfillFailure> {
        if response.status != 200 {
            return Err(BackfillFailure::Refused { plugin: "simulated".to_owned(), reason: "no page".to_owned() });
        }
        let mut page = Page::default();
        for line in String::from_utf8_lossy(&response.body).lines() {
            match (line.strip_prefix("next "), read(line, self.plan.exchange.ids)) {
                (Some(query), _) => {
                    page.next = Some(HttpRequest { url: query.to_owned(), headers: Vec::new(), weight: 1 });
                }
                (None, Some(Line::Trade(trade))) if trade.market == gap.market => {
                    page.trades.push(Trade { source: Source::Backfill, ..trade });
                }
                _ => page.refused.push(Refused { frame: 0, kind: RefusalKind::Refused, reason: line.to_owned() }),
            }
        }
        Ok(page)
    }
}

enum Line {
    Trade(Trade),
    Event(SessionEvent),
}

fn read(line: &str, ids: TradeIds) -> Option<Line> {
    let words: Vec<&str> = line.split(' ').collect();
    Some(match words[..] {
        ["t", market, id, count, time, source] => {
            let (order, one) = (id.parse().ok()?, Decimal { unscaled: 1, scale: 0 });
            Line::Trade(Trade {
                frame: 0,
                market: market.parse().ok()?,
                id: match ids {
                    TradeIds::Opaque => TradeId::Text(format!("x{id}").into()),
                    _ => TradeId::Number(order),
                },
                order,
                count: count.parse().ok()?,
                price: one,
                quantity: one,
                side: Side::Buy,
                timestamp_us: time.parse().ok()?,
                source: if source == "snapshot" { Source::Snapshot } else { Source::Live },
                vendor: String::new(),
            })
        }
        ["a", market] => Line::Event(SessionEvent::Subscribed(market.parse().ok()?)),
        ["r", market] => {
            let (market, reason) = (Some(market.parse().ok()?), "unknown".to_owned());
            Line::Event(SessionEvent::Rejected { market, reason })
        }
        ["h"] => Line::Event(SessionEvent::Heartbeat),
        ["x"] => Line::Event(SessionEvent::Reconnect("it shuts down".to_owned())),
        ["q"] => Line::Event(SessionEvent::Send("w".to_owned())),
        _ => return None,
    })
}
