//! Writes records to systemd's journal. Each entry has a readable message, the record's fields, and the JSON line.
//!
//! `journalctl BPROXY_ID=…` shows all records of one request. The crate tracing-journald formats and sends the entries.
//! Its layer sends from the thread that logs, which a journal that hangs would block. So here the log's own thread, which
//! may block, replays each record to that layer.

use std::collections::HashMap;
use std::io;
use std::path::Path;
use std::sync::OnceLock;

use serde_json::{Map, Value};
use tracing::field::FieldSet;
use tracing::metadata::Kind;
use tracing::subscriber::{Interest, Subscriber};
use tracing::{Callsite, Event, Level, Metadata};
use tracing_core::identify_callsite;
use tracing_journald::{Priority, PriorityMappings};
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::registry::Registry;

use super::{FIELD_PREFIX, HOME_FIELD};

/// Longer values, such as payloads, are left out of the message; their fields have them in full.
const MAX_SHOWN_BYTES: usize = 100;

/// The most fields of an entry, more than any record has. Further ones are in the JSON line only.
const MAX_FIELDS: usize = 32;

/// A connection to the journal.
pub(super) struct JournalWriter {
    /// The library's layer, in a subscriber that is never set as a default, so that it gets these records only.
    entries: Box<dyn Subscriber + Send>,
    /// The metadata for each level and list of fields, cached because it is never freed. There are no more of them than
    /// callsites that log.
    metadata: HashMap<(Level, Vec<String>), &'static Metadata<'static>>,
}

impl JournalWriter {
    /// Connects to the system's journal, for the daemon of the state directory `home`.
    ///
    /// # Errors
    /// When the journal's socket does not exist.
    pub(super) fn open(home: &Path) -> io::Result<JournalWriter> {
        let priorities = PriorityMappings {
            info: Priority::Informational,
            debug: Priority::Debug,
            ..PriorityMappings::new()
        };
        let layer = tracing_journald::layer()?
            .with_field_prefix(Some(FIELD_PREFIX.into()))
            .with_syslog_identifier("bproxy".into())
            .with_priority_mappings(priorities)
            .with_custom_fields([(HOME_FIELD, home.display().to_string())]);
        Ok(JournalWriter::with_layer(layer))
    }

    fn with_layer(layer: impl Layer<Registry> + Send + Sync) -> JournalWriter {
        JournalWriter {
            entries: Box::new(tracing_subscriber::registry().with(layer)),
            metadata: HashMap::new(),
        }
    }

    /// Sends each line as an entry. Blocks while the journal hangs; an entry that it refuses is lost.
    pub(super) fn append(&mut self, lines: &[u8]) {
        for line in lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            self.send(&String::from_utf8_lossy(line));
        }
    }

    fn send(&mut self, line: &str) {
        let mut record: Map<String, Value> = serde_json::from_str(line).unwrap_or_default();
        let level = level(&record);
        // The journal has its own fields for both.
        record.retain(|name, _| !matches!(&**name, "level" | "ts"));
        let message = message(&record);
        // The entry's message contains it, and a second field of that name would clash.
        record.remove("message");
        let (names, values): (Vec<_>, Vec<_>) =
            record.into_iter().map(|(name, value)| (name, text(value))).unzip();
        let values = [&*message, line].into_iter().chain(values.iter().map(|value| &**value));
        let values: Vec<_> = values.collect();
        let metadata = *self
            .metadata
            .entry((level, names))
            .or_insert_with_key(|(level, names)| new_metadata(*level, names));
        let fields: Vec<_> = metadata.fields().iter().collect();
        let mut set = [(&fields[0], None); MAX_FIELDS];
        for (slot, (field, value)) in set.iter_mut().zip(fields.iter().zip(&values)) {
            *slot = (field, Some(value as &dyn tracing::Value));
        }
        self.entries.event(&Event::new(metadata, &metadata.fields().value_set(&set)));
    }
}

/// A callsite that is created at run time.
struct RuntimeCallsite(OnceLock<Metadata<'static>>);

impl Callsite for RuntimeCallsite {
    fn set_interest(&self, _: Interest) {}

    fn metadata(&self) -> &Metadata<'_> {
        self.0.get().expect("set right after the callsite is created")
    }
}

/// Metadata for records of this level with these fields, preceded by the message and the record's line. Never freed.
fn new_metadata(level: Level, names: &[String]) -> &'static Metadata<'static> {
    let callsite: &'static RuntimeCallsite = Box::leak(Box::new(RuntimeCallsite(OnceLock::new())));
    let own = names.iter().map(|name| &*name.clone().leak());
    let names: Vec<&'static str> = ["message", "record"].into_iter().chain(own).collect();
    callsite.0.get_or_init(|| {
        let fields = FieldSet::new(names.leak(), identify_callsite!(callsite));
        Metadata::new("record", "bproxy", level, None, None, None, fields, Kind::EVENT)
    })
}

fn level(record: &Map<String, Value>) -> Level {
    match record.get("level").and_then(Value::as_str) {
        Some("error") => Level::ERROR,
        Some("warn") => Level::WARN,
        Some("info") => Level::INFO,
        _ => Level::DEBUG,
    }
}

/// The entry's message, in one line: the event, the record's own message if it has one, and the other fields, as in
/// `received action=text id=01HZX9C2K8 session=m4q7z2`.
fn message(record: &Map<String, Value>) -> String {
    let mut message = record.get("event").cloned().map_or_else(String::new, text);
    if let Some(own) = record.get("message") {
        message.push_str(&format!(": {}", text(own.clone())));
    }
    for (name, value) in record {
        if !matches!(&**name, "event" | "message") {
            let value = text(value.clone());
            let shown =
                if value.len() > MAX_SHOWN_BYTES || value.contains('\n') { "…" } else { &value };
            message.push_str(&format!(" {name}={shown}"));
        }
    }
    message
}

fn text(value: Value) -> String {
    match value {
        Value::String(text) => text,
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::fmt::Debug;
    use std::sync::{Arc, Mutex};

    use tracing::field::{Field, Visit};
    use tracing_subscriber::layer::Context;

    use super::*;

    /// Collects the entries instead of sending them.
    #[derive(Clone, Default)]
    struct Entries(Arc<Mutex<Vec<Entry>>>);

    type Entry = (Level, BTreeMap<&'static str, String>);

    impl<S: Subscriber> Layer<S> for Entries {
        fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
            let mut fields = Fields::default();
            event.record(&mut fields);
            self.0.lock().unwrap().push((*event.metadata().level(), fields.0));
        }
    }

    #[derive(Default)]
    struct Fields(BTreeMap<&'static str, String>);

    impl Visit for Fields {
        fn record_str(&mut self, field: &Field, value: &str) {
            assert_eq!(self.0.insert(field.name(), value.to_owned()), None, "twice");
        }

        fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
            panic!("{field} is {value:?}, which the library would send in quotes");
        }
    }

    fn entries(lines: &[&str]) -> (Vec<Entry>, usize) {
        let entries = Entries::default();
        let mut journal = JournalWriter::with_layer(entries.clone());
        journal.append((lines.join("\n") + "\n").as_bytes());
        let entries = std::mem::take(&mut *entries.0.lock().unwrap());
        (entries, journal.metadata.len())
    }

    #[test]
    fn an_entry_has_a_message_its_line_and_every_field_of_the_record() {
        let line = r#"{"level":"info","ts":5,"event":"received","id":"01X","a_new_one":7,"destructive":false}"#;
        let (entries, _) = entries(&[line]);
        let expected = [
            ("message", "received a_new_one=7 destructive=false id=01X"),
            ("record", line),
            ("event", "received"),
            ("id", "01X"),
            ("a_new_one", "7"),
            ("destructive", "false"),
        ];
        assert_eq!(
            entries,
            [(Level::INFO, expected.map(|(name, value)| (name, value.to_owned())).into())]
        );
    }

    #[test]
    fn levels_are_kept_and_long_values_are_only_in_their_fields() {
        let long = "x".repeat(MAX_SHOWN_BYTES + 1);
        let lines = [
            &*format!(r#"{{"level":"error","event":"payload","params":"{long}"}}"#),
            r#"{"level":"warn","event":"e","remote":"a\nPRIORITY=0"}"#,
            r#"{"level":"debug","event":"e"}"#,
        ];
        let (entries, _) = entries(&lines);
        let levels: Vec<_> = entries.iter().map(|(level, _)| *level).collect();
        assert_eq!(levels, [Level::ERROR, Level::WARN, Level::DEBUG]);
        assert_eq!(
            (&*entries[0].1["message"], &entries[0].1["params"]),
            ("payload params=…", &long)
        );
        assert_eq!(entries[1].1["message"], "e remote=…");
        assert_eq!(entries[1].1["remote"], "a\nPRIORITY=0");
    }

    #[test]
    fn the_message_of_an_entry_contains_that_of_its_record() {
        let (entries, _) = entries(&[r#"{"level":"error","event":"failed","message":"no port"}"#]);
        assert_eq!(entries[0].1["message"], "failed: no port");
    }

    #[test]
    fn records_with_the_same_level_and_fields_share_their_metadata() {
        let line = r#"{"level":"info","event":"response","id":"1"}"#;
        let other = r#"{"level":"info","event":"response","id":"1","error_code":"TIMEOUT"}"#;
        assert_eq!(entries(&[line, other, line, line]).1, 2);
    }

    #[test]
    fn fields_beyond_the_limit_are_in_the_line_only() {
        let fields: String = (0..2 * MAX_FIELDS).map(|n| format!(r#","f{n}":1"#)).collect();
        let line = format!(r#"{{"level":"info"{fields}}}"#);
        let (entries, _) = entries(&[&line]);
        assert_eq!((entries[0].1.len(), &entries[0].1["record"]), (MAX_FIELDS, &line));
    }
}
