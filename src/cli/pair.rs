//! `pair`: issues a code for the extension's popup, and waits until it is used.

use std::io::{self, IsTerminal};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use clap::Args;

use super::global_args::{Format, Globals};
use super::spinner::Spinner;
use super::{Error, Outcome, call, output};
use crate::home::Home;
use crate::protocol::{self, DEFAULT_PORT, PairingIssueData};

/// How often to check whether the code has been used. A person watches the spinner meanwhile.
const POLL: Duration = Duration::from_millis(120);

/// Print a code that pairs the browser's extension with this daemon
///
/// In a terminal, waits until the code has been used.
#[derive(Args)]
#[command(after_help = "Example:\n  bproxy pair")]
pub(super) struct Pair {}

impl Pair {
    pub(super) fn run(self, globals: &Globals) -> Result<Outcome, Error> {
        let client = globals.client()?;
        let action = protocol::PairingIssue {}.into();
        let mut answer = call::send_to(&client, globals, &action, globals.timeout())?;
        // Whoever issues a code has written down its port.
        let port = client.port().unwrap_or(DEFAULT_PORT);
        let issued = answer.data::<PairingIssueData>();
        let ok = answer.ok;
        if ok && globals.format() == Some(Format::Text) {
            answer.body = output::change_data(&answer.body, |mut data: PairingIssueData| {
                data.pairing_code = for_people(&data.pairing_code, port);
                Ok(data)
            })?;
        }
        let outcome = call::show_answer(globals, answer)?;
        if !ok || !io::stderr().is_terminal() || !io::stdin().is_terminal() {
            return Ok(outcome);
        }
        let code = issued.map_err(|error| Error::Answer(error.to_string()))?;
        output::say(&format!(
            "type {} into the popup of the browser's bproxy extension",
            for_people(&code.pairing_code, port)
        ));
        wait(&globals.home()?, &code)?;
        output::say("paired");
        Ok(outcome)
    }
}

/// The code as people are shown it: with the port, if that is not the one that the popup assumes.
pub(super) fn for_people(code: &str, port: u16) -> String {
    match port {
        DEFAULT_PORT => code.to_owned(),
        port => format!("{code}@{port}"),
    }
}

/// Waits until the daemon has removed the code's file, as it does when the code is claimed.
fn wait(home: &Home, code: &PairingIssueData) -> Result<(), Error> {
    let mut spinner = Spinner::new();
    loop {
        let left = (code.pairing_expires_at - now()).max(0) / 1000;
        spinner.sleep(POLL, &format!("waiting, {}:{:02} left", left / 60, left % 60));
        let ended = match home.read_secret(&home.pairing())? {
            // Both a claim and a shutdown remove the code; a shutdown removes the port file too.
            None if home.read_secret(&home.port())?.is_some() => Some(Ok(())),
            None => Some(Err(Error::Pairing(
                "the daemon has stopped: start it with `bproxy service start`",
            ))),
            Some(bytes) => match serde_json::from_slice::<PairingIssueData>(&bytes) {
                Ok(current) if current != *code => Some(Err(Error::Pairing(
                    "another code has been issued in the meantime: use that one",
                ))),
                _ if now() > code.pairing_expires_at => {
                    Some(Err(Error::Pairing("the code has expired: run `bproxy pair` again")))
                }
                _ => None,
            },
        };
        if let Some(result) = ended {
            return result;
        }
    }
}

fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |elapsed| elapsed.as_millis() as i64)
}
