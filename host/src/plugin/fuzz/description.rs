//! What a plugin says of itself.

use super::Input;
use crate::plugin::bindings::tapedeck::plugin::types;
use crate::plugin::description::Description;

/// Makes up what a plugin says of itself, and checks it as the host does.
///
/// # Errors
/// The host's, half a sentence.
pub fn description(bytes: &[u8]) -> Result<Description, String> {
    let mut input = Input::new(bytes);
    Description::checked(types::Description {
        name: input.text(),
        version: input.text(),
        exchange: input.text(),
        kind: [
            types::MarketKind::Spot,
            types::MarketKind::Perpetual,
            types::MarketKind::Future,
            types::MarketKind::Option,
        ][usize::from(input.byte() % 4)],
        ids: [
            types::TradeIds::Dense,
            types::TradeIds::Aggregated,
            types::TradeIds::Increasing,
            types::TradeIds::Opaque,
        ][usize::from(input.byte() % 4)],
        precision: [types::Precision::Seconds, types::Precision::Milliseconds, types::Precision::Microseconds]
            [usize::from(input.byte() % 3)],
        limits: types::Limits {
            subscriptions: input.index(),
            connects: input.rate(),
            messages: input.rate(),
            lifetime: input.byte().is_multiple_of(2).then(|| input.number()),
            rest: input.byte().is_multiple_of(2).then(|| input.rate()),
        },
        // More than are allowed.
        hosts: (0..2).flat_map(|_| input.list(Input::text)).collect(),
        options: (0..3).flat_map(|_| input.list(Input::option)).collect(),
    })
}

impl Input<'_> {
    fn rate(&mut self) -> types::Rate {
        types::Rate { count: self.index(), window: self.index() }
    }

    fn option(&mut self) -> types::OptionInfo {
        types::OptionInfo { name: self.text(), default: self.text(), help: self.text() }
    }
}
