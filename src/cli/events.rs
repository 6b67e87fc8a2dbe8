//! `events`: the daemon's events, streamed.

use std::io::{self, Write};
use std::time::{SystemTime, UNIX_EPOCH};

use clap::Args;
use serde::Deserialize;

use super::global_args::Globals;
use super::{Error, Outcome};
use crate::service::logs::{self, Query};

/// The records about commands, browsers, handles, pairing and the person, as listed in docs/protocol.md. Records about the
/// daemon itself are in the log only.
const EVENTS: &[&str] = &[
    "received",
    "pacing_wait",
    "forwarded",
    "response",
    "timeout",
    "replay",
    "ws_connect",
    "ws_disconnect",
    "pacing_config",
    "handle_mint",
    "handle_resolve",
    "handle_invalidate",
    "pair_claim_failed",
    "pair_claim_rate_limited",
    "pair_claim_ok",
    "auth_refused",
    "person",
];

/// Show events from now on, one line of JSON each
///
/// docs/protocol.md lists them: commands and their answers, browsers that connect and disconnect, handles, pairing, what
/// the person does. With -s, those of that session and its requests. They come from the log, so BPROXY_LOG_LEVEL has to
/// be info (the default) or debug. `bproxy service logs` shows past events.
#[derive(Args)]
#[command(after_help = "Examples:\n  bproxy events\n  bproxy events -s m4q7z2")]
pub(super) struct Events {}

impl Events {
    pub(super) fn run(self, globals: &Globals) -> Result<Outcome, Error> {
        let session = Some(globals.session()).filter(|session| !session.is_empty());
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let wanted = Query {
            id: None,
            session: session.map(str::to_owned),
            since: Some(now.as_millis() as u64),
        };
        let mut out = EventsOnly { line: Vec::new(), out: io::stdout().lock() };
        logs::show(&globals.home()?, wanted, true, &mut out)?;
        Ok(Outcome::Done)
    }
}

/// Writes the lines that are events to `out`.
struct EventsOnly<W> {
    /// The part of a line received so far.
    line: Vec<u8>,
    out: W,
}

impl<W: Write> Write for EventsOnly<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        for part in bytes.split_inclusive(|byte| *byte == b'\n') {
            self.line.extend_from_slice(part);
            if part.ends_with(b"\n") {
                let line = std::mem::take(&mut self.line);
                if is_event(&line) {
                    self.out.write_all(&line)?;
                }
            }
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

fn is_event(line: &[u8]) -> bool {
    #[derive(Deserialize)]
    struct Record<'a> {
        event: &'a str,
    }
    serde_json::from_slice(line).is_ok_and(|Record { event }| EVENTS.contains(&event))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_lines_that_are_events_are_passed_on() {
        let mut events = EventsOnly { line: Vec::new(), out: Vec::new() };
        for part in [
            "{\"ts\":1,\"event\":\"rece",
            "ived\"}\n{\"ts\":2,\"event\":\"start\"}\n{\"ts\":3,",
            "\"event\":\"person\"}\ndamaged\n{\"event\":\"resp",
        ] {
            events.write_all(part.as_bytes()).unwrap();
        }
        let passed = String::from_utf8(events.out).unwrap();
        assert_eq!(passed, "{\"ts\":1,\"event\":\"received\"}\n{\"ts\":3,\"event\":\"person\"}\n");
    }

    #[test]
    fn the_events_are_those_of_the_protocol() {
        let protocol = include_str!("../../docs/protocol.md");
        for event in EVENTS {
            assert!(protocol.contains(&format!("`{event}`")), "{event}");
        }
    }
}
