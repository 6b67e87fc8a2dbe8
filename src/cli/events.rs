//! `events`: the daemon's events, streamed.

use std::collections::HashSet;
use std::io::{self, Write};
use std::thread;
use std::time::Duration;

use clap::Args;
use serde::Deserialize;

use super::global_args::Globals;
use super::{Error, Outcome};
use crate::client::{self, Client};
use crate::protocol::SHUTTING_DOWN;

/// How often to check whether a daemon that ended is running again.
const POLL: Duration = Duration::from_millis(250);

/// How many connections in a row may fail: a daemon that ends resets them for a moment.
const MAX_FAILURES: u32 = 20;

/// Show events from now on, one line of JSON each
///
/// docs/protocol.md lists them: commands and their answers, browsers that connect and disconnect, handles, pairing,
/// what the person does. With -s, those of that session and its requests. Continues when the daemon is restarted.
/// `bproxy service logs` shows past events.
#[derive(Args)]
#[command(after_help = "Examples:\n  bproxy events\n  bproxy events -s m4q7z2")]
pub(super) struct Events {}

impl Events {
    pub(super) fn run(self, globals: &Globals) -> Result<Outcome, Error> {
        let mut filter = Filter::new(globals.session());
        let mut client = globals.client()?;
        let home = globals.home_path()?;
        let mut failures = 0;
        loop {
            match show(&client, &mut filter) {
                // The reader has closed the stream.
                Err(Error::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => {
                    return Ok(Outcome::Done);
                }
                Err(Error::Client(client::Error::Exchange { .. })) if failures < MAX_FAILURES => {
                    failures += 1;
                }
                shown => {
                    shown?;
                    failures = 0;
                }
            }
            // Its requests ended with the daemon.
            filter.requests.clear();
            // Only checks: a connection would restart a daemon that exited because it was idle.
            client = loop {
                thread::sleep(POLL);
                if let Ok(client) = client::connect_running(Some(&home)) {
                    break client;
                }
            };
        }
    }
}

/// Prints events until the daemon ends.
fn show(client: &Client, filter: &mut Filter) -> Result<(), Error> {
    let events = match client.events() {
        Ok(events) => events,
        // It is ending, or has ended since it was found.
        Err(client::Error::NotRunning) => return Ok(()),
        Err(client::Error::Refused { code, .. }) if code == SHUTTING_DOWN => return Ok(()),
        Err(error) => return Err(error.into()),
    };
    for line in events {
        // A killed daemon leaves its answer incomplete.
        let Ok(mut line) = line else { return Ok(()) };
        if filter.wants(&line) {
            line.push(b'\n');
            let mut stdout = io::stdout().lock();
            stdout.write_all(&line).and_then(|()| stdout.flush()).map_err(Error::Output)?;
        }
    }
    Ok(())
}

/// Which events to show.
struct Filter {
    /// The session that the events belong to; `None` for all sessions.
    session: Option<String>,
    /// The requests of that session that have not ended.
    requests: HashSet<String>,
}

impl Filter {
    fn new(session: &str) -> Filter {
        let session = Some(session.to_owned()).filter(|session| !session.is_empty());
        Filter { session, requests: HashSet::new() }
    }

    fn wants(&mut self, line: &[u8]) -> bool {
        #[derive(Deserialize)]
        struct Event {
            event: String,
            session: Option<String>,
            id: Option<String>,
        }
        let Some(session) = &self.session else { return true };
        let Ok(Event { event, session: of, id }) = serde_json::from_slice(line) else {
            return false;
        };
        match (event.as_str(), id) {
            ("received", Some(id)) if of.as_ref() == Some(session) => {
                self.requests.insert(id);
                true
            }
            ("response" | "timeout", Some(id)) => self.requests.remove(&id),
            (_, Some(id)) => self.requests.contains(&id),
            // The lost events may have belonged to this session.
            ("lost", None) => true,
            (_, None) => of.as_ref() == Some(session),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_has_its_own_events_and_those_of_its_requests() {
        let mut filter = Filter::new("m4q7z2");
        for (line, wanted) in [
            (r#"{"event":"received","id":"a","session":"m4q7z2"}"#, true),
            (r#"{"event":"received","id":"b","session":"aaaaaa"}"#, false),
            (r#"{"event":"forwarded","id":"a"}"#, true),
            (r#"{"event":"forwarded","id":"b"}"#, false),
            (r#"{"event":"handle_mint","session":"m4q7z2"}"#, true),
            (r#"{"event":"handle_mint","session":"aaaaaa"}"#, false),
            (r#"{"event":"ws_connect"}"#, false),
            (r#"{"event":"lost","count":3}"#, true),
            (r#"{"event":"response","id":"a"}"#, true),
            (r#"{"event":"response","id":"a"}"#, false),
            ("not JSON", false),
        ] {
            assert_eq!(filter.wants(line.as_bytes()), wanted, "{line}");
        }
        assert!(Filter::new("").wants(b"anything"));
    }
}
