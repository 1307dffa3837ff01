//! What is counted of gaps.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use super::SessionLabels;
use crate::ledger::GapState;

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct GapLabels {
    exchange: String,
    state: &'static str,
}

/// The families.
#[derive(Clone, Debug, Default)]
pub(super) struct HealFamilies {
    gaps: Family<GapLabels, Counter>,
    open: Family<SessionLabels, Gauge>,
    trades: Family<SessionLabels, Counter>,
    failed: Family<SessionLabels, Counter>,
}

/// Figures of one feed's gaps.
#[derive(Clone, Debug)]
pub struct HealMetrics {
    exchange: String,
    gaps: Family<GapLabels, Counter>,
    /// Gaps that have not come to their end.
    pub open: Gauge,
    /// Missed trades that came by asking for them.
    pub trades: Counter,
    /// Attempts that failed.
    pub failed: Counter,
}

impl HealFamilies {
    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register("gaps", "What became of gaps, by state", self.gaps.clone());
        registry.register("open_gaps", "Gaps that have not come to their end", self.open.clone());
        registry.register("backfilled_trades", "Missed trades that were asked for and came", self.trades.clone());
        registry.register("backfill_failures", "Attempts to ask for missed trades that failed", self.failed.clone());
    }

    pub(super) fn of(&self, labels: &SessionLabels) -> HealMetrics {
        HealMetrics {
            exchange: labels.exchange.clone(),
            gaps: self.gaps.clone(),
            open: self.open.get_or_create(labels).clone(),
            trades: self.trades.get_or_create(labels).clone(),
            failed: self.failed.get_or_create(labels).clone(),
        }
    }
}

impl HealMetrics {
    /// Counts what became of a gap.
    pub fn count(&self, state: &GapState) {
        let labels = GapLabels { exchange: self.exchange.clone(), state: state.as_str() };
        self.gaps.get_or_create(&labels).inc();
    }
}
