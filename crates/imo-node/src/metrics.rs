//! What the node counts, for Prometheus.

use std::{
    sync::atomic::{AtomicI64, AtomicU64},
    time::Duration,
};

use prometheus_client::{
    encoding::{EncodeLabelSet, text::encode},
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::{Registry, Unit},
};

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub struct Outcome {
    pub outcome: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub struct Round {
    pub round: &'static str,
}

type Counters = Family<Outcome, Counter<u64, AtomicU64>>;

/// All of them, with the registry that writes them down.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    /// Requests to the gateway, by what became of them.
    pub requests: Counters,
    /// From the first byte of the headers to the answer.
    pub latency: Histogram,
    /// Questions being computed or waiting for it.
    pub queued: Gauge<i64, AtomicI64>,
    /// Served and not collected, in units.
    pub owed_units: Gauge<i64, AtomicI64>,
    /// What the operator did on chain.
    pub operator: Counters,
    /// What the watcher did.
    pub watcher: Counters,
    /// What became of the websocket.
    pub socket: Counters,
    /// Whether the websocket is connected.
    socket_connected: Gauge<i64, AtomicI64>,
    /// Bytes of the watcher's transactions.
    pub watcher_bytes: Counter<u64, AtomicU64>,
    /// When each loop's last round went through, in Unix seconds.
    last_round_unix: Family<Round, Gauge<i64, AtomicI64>>,
}

impl Default for Metrics {
    fn default() -> Self {
        let metrics = Self {
            registry: Registry::with_prefix("imo_node"),
            requests: Counters::default(),
            latency: Histogram::new([
                0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
            ]),
            queued: Gauge::default(),
            owed_units: Gauge::default(),
            operator: Counters::default(),
            watcher: Counters::default(),
            socket: Counters::default(),
            socket_connected: Gauge::default(),
            watcher_bytes: Counter::default(),
            last_round_unix: Family::default(),
        };
        metrics.registered()
    }
}

impl Metrics {
    fn registered(mut self) -> Self {
        let registry = &mut self.registry;
        registry.register("requests", "Requests by what became of them", self.requests.clone());
        registry.register_with_unit(
            "request_duration",
            "Time until a paid request was answered",
            Unit::Seconds,
            self.latency.clone(),
        );
        registry.register("queued", "Questions being computed or waiting", self.queued.clone());
        registry.register("owed_units", "Served and not yet collected", self.owed_units.clone());
        registry.register(
            "operator_actions",
            "What the operator did on chain",
            self.operator.clone(),
        );
        registry.register("watcher_actions", "What the watcher did", self.watcher.clone());
        registry.register("socket", "What became of the websocket", self.socket.clone());
        registry.register(
            "socket_connected",
            "Whether the websocket is connected",
            self.socket_connected.clone(),
        );
        registry.register(
            "watcher_bytes",
            "Bytes of the watcher's transactions",
            self.watcher_bytes.clone(),
        );
        registry.register(
            "last_round_unix",
            "When each loop's last round went through",
            self.last_round_unix.clone(),
        );
        self
    }

    pub fn count(counters: &Counters, outcome: &'static str) {
        counters.get_or_create(&Outcome { outcome }).inc();
    }

    pub fn count_by(counters: &Counters, outcome: &'static str, count: u64) {
        counters.get_or_create(&Outcome { outcome }).inc_by(count);
    }

    pub fn socket(&self, connected: bool) {
        self.socket_connected.set(connected.into());
    }

    pub fn went_through(&self, round: &'static str, unix: i64) {
        self.last_round_unix.get_or_create(&Round { round }).set(unix);
    }

    pub fn answered_after(&self, duration: Duration) {
        self.latency.observe(duration.as_secs_f64());
    }

    /// In OpenMetrics' text format.
    pub fn text(&self) -> String {
        let mut text = String::new();
        // Writing into a string cannot fail.
        let _ = encode(&mut text, &self.registry);
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_counted_things_when_written_then_each_with_its_label() {
        let metrics = Metrics::default();
        Metrics::count(&metrics.requests, "answered");
        metrics.answered_after(Duration::from_millis(3));
        let text = metrics.text();
        assert!(
            text.contains("imo_node_requests_total{outcome=\"answered\"} 1"),
            "{text}"
        );
        assert!(text.contains("imo_node_request_duration_seconds_count 1"), "{text}");
        assert!(text.ends_with("# EOF\n"), "{text}");
    }
}
