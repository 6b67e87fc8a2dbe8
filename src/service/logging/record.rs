//! Formats an event as one line of JSON: `{"level":"info","ts":1714000027000,"event":"received",…}`.

use std::fmt;
use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use serde::Serialize;
use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::subscriber::Interest;
use tracing::{Event, Metadata, Subscriber};
use tracing_subscriber::layer::{Context, Layer};

use super::writer::Queue;
use crate::config::LogLevel;

/// The prefix of the targets (module paths) of this crate's events.
const OWN_TARGET: &str = env!("CARGO_CRATE_NAME");

/// The initial capacity of a line: enough for nearly every record, so that most lines are allocated once.
const LINE_BYTES: usize = 256;

/// The log's level, which can be changed at run time.
#[derive(Clone)]
pub(in crate::service) struct LevelHandle(Arc<AtomicU8>);

impl LevelHandle {
    pub(super) fn new(level: LogLevel) -> LevelHandle {
        LevelHandle(Arc::new(AtomicU8::new(level as u8)))
    }

    /// Changes the level for later records.
    pub(in crate::service) fn set(&self, level: LogLevel) {
        self.0.store(level as u8, Ordering::Relaxed);
        // `tracing` caches at every callsite whether it is enabled.
        tracing::callsite::rebuild_interest_cache();
    }

    fn filter(&self) -> LevelFilter {
        match self.0.load(Ordering::Relaxed) {
            level if level == LogLevel::Debug as u8 => LevelFilter::DEBUG,
            level if level == LogLevel::Info as u8 => LevelFilter::INFO,
            _ => LevelFilter::WARN,
        }
    }
}

/// Formats the enabled events and queues their lines.
pub(super) struct RecordLayer {
    level: LevelHandle,
    queue: Arc<Queue>,
}

impl RecordLayer {
    pub(super) fn new(level: LevelHandle, queue: Arc<Queue>) -> RecordLayer {
        RecordLayer { level, queue }
    }

    /// Whether an event is logged. Of libraries, only warnings and errors are: their lower levels concern their internals.
    fn is_enabled(&self, metadata: &Metadata<'_>) -> bool {
        let is_own = metadata.target().starts_with(OWN_TARGET);
        let level = self.level.filter();
        let limit = if is_own { level } else { level.min(LevelFilter::WARN) };
        *metadata.level() <= limit
    }
}

impl<S: Subscriber> Layer<S> for RecordLayer {
    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        if self.is_enabled(metadata) { Interest::always() } else { Interest::never() }
    }

    fn enabled(&self, metadata: &Metadata<'_>, _: Context<'_, S>) -> bool {
        self.is_enabled(metadata)
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(self.level.filter())
    }

    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut line = Line::begin(level_name(event.metadata().level()), now());
        event.record(&mut line);
        if !line.has_event {
            line.text("event", "message");
            line.text("target", event.metadata().target());
        }
        self.queue.push(&line.end());
    }
}

/// A record that says how many records before it were lost.
pub(super) fn lost(count: u64) -> Vec<u8> {
    let mut line = Line::begin("warn", now());
    line.text("event", "log_lost");
    line.json("records", &count);
    line.end()
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |elapsed| elapsed.as_millis() as u64)
}

fn level_name(level: &tracing::Level) -> &'static str {
    match *level {
        tracing::Level::ERROR => "error",
        tracing::Level::WARN => "warn",
        tracing::Level::INFO => "info",
        tracing::Level::DEBUG => "debug",
        tracing::Level::TRACE => "trace",
    }
}

/// A line of JSON under construction.
struct Line {
    bytes: Vec<u8>,
    has_event: bool,
}

impl Line {
    fn begin(level: &str, ts: u64) -> Line {
        let mut bytes = Vec::with_capacity(LINE_BYTES);
        // Writing to memory cannot fail, here and below.
        let _ = write!(bytes, r#"{{"level":"{level}","ts":{ts}"#);
        Line { bytes, has_event: false }
    }

    fn json(&mut self, name: &str, value: &impl Serialize) {
        self.has_event |= name == "event";
        let _ = write!(self.bytes, r#","{name}":"#);
        let _ = serde_json::to_writer(&mut self.bytes, value);
    }

    fn text(&mut self, name: &str, value: &str) {
        self.json(name, &value);
    }

    fn end(mut self) -> Vec<u8> {
        self.bytes.extend_from_slice(b"}\n");
        self.bytes
    }
}

impl Visit for Line {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.json(field.name(), &value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.json(field.name(), &value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.json(field.name(), &value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.json(field.name(), &value);
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.text(field.name(), value);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.text(field.name(), &format!("{value:?}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tracing_subscriber::layer::SubscriberExt;

    fn logged(level: LogLevel, events: impl FnOnce()) -> Vec<serde_json::Value> {
        let queue = Arc::new(Queue::default());
        let subscriber = tracing_subscriber::registry()
            .with(RecordLayer::new(LevelHandle::new(level), queue.clone()));
        tracing::subscriber::with_default(subscriber, events);
        let bytes = queue.take();
        String::from_utf8(bytes)
            .unwrap()
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    #[test]
    fn a_record_has_its_level_its_time_and_its_fields_as_they_are() {
        let records = logged(LogLevel::Info, || {
            tracing::info!(
                event = "received",
                sourceAction = "a\"b\n",
                delay_ms = 5_u64,
                offset = -2_i64,
                ok = true,
                missing = None::<&str>,
                shown = %"text",
            );
        });
        let mut record = records[0].clone();
        let ts = record.as_object_mut().unwrap().remove("ts").unwrap().as_u64().unwrap();
        assert!(ts > 1_700_000_000_000);
        assert_eq!(
            record,
            serde_json::json!({"level": "info", "event": "received", "sourceAction": "a\"b\n", "delay_ms": 5,
                "offset": -2, "ok": true, "shown": "text"})
        );
    }

    #[test]
    fn records_below_the_level_are_left_out() {
        let events = || {
            tracing::debug!(event = "d");
            tracing::info!(event = "i");
            tracing::warn!(event = "w");
            tracing::error!(event = "e");
        };
        assert_eq!(logged(LogLevel::Debug, events).len(), 4);
        assert_eq!(logged(LogLevel::Info, events).len(), 3);
        assert_eq!(logged(LogLevel::Warn, events).len(), 2);
    }

    #[test]
    fn only_warnings_and_errors_of_libraries_are_logged() {
        let records = logged(LogLevel::Debug, || {
            tracing::info!(target: "hyper::proto", "chatter");
            tracing::warn!(target: "hyper::proto", "trouble");
        });
        assert_eq!(records.len(), 1);
        assert_eq!(records[0]["message"], "trouble");
        assert_eq!(records[0]["target"], "hyper::proto");
    }
}
