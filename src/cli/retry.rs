//! Waits that end with something that a person or a browser does.

use std::time::{Duration, Instant};

use clap::Args;
use serde::Deserialize;
use serde_json::Value;

use super::global_args::Globals;
use super::spinner::Spinner;
use super::{Error, Outcome, call, output};
use crate::client::{self, Answer, Client, request_id};
use crate::protocol::{self, ErrorCode, ProtocolError};

/// How often is looked whether a browser has connected. Asking is not a command, and costs next to nothing.
const BROWSER_LOOK: Duration = Duration::from_millis(250);

/// How often is looked whether a session goes on. Each look is a command in the log, and nobody minds two seconds after
/// minutes.
const LOOK: Duration = Duration::from_secs(2);

/// Sends what `send` sends, again and again for as long as --wait-extension says, while the answer is that the browser is
/// not connected: then nothing was done.
pub(super) fn for_extension(
    globals: &Globals,
    client: &Client,
    mut send: impl FnMut() -> Result<Answer, client::Error>,
) -> Result<Answer, client::Error> {
    let end = Instant::now() + globals.wait_extension();
    let mut spinner = Spinner::new();
    loop {
        let answer = send()?;
        if answer.ok || Instant::now() >= end || !is_no_extension(&answer.body) {
            return Ok(answer);
        }
        // At least once, because the browser that is there may be another one.
        loop {
            let left = end.saturating_duration_since(Instant::now());
            spinner.rest(left.min(BROWSER_LOOK), "waiting for the browser");
            if left.is_zero() {
                return Ok(answer);
            }
            if browsers(client)? > 0 {
                break;
            }
        }
    }
}

fn is_no_extension(body: &[u8]) -> bool {
    #[derive(Deserialize)]
    struct Failure {
        error: Code,
    }
    #[derive(Deserialize)]
    struct Code {
        code: String,
    }
    serde_json::from_slice(body)
        .is_ok_and(|Failure { error: Code { code } }| code == ErrorCode::NoExtension.name())
}

/// How many browsers are connected.
fn browsers(client: &Client) -> Result<u64, client::Error> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Health {
        #[serde(default)]
        ws_clients: u64,
    }
    let health = client.health()?;
    Ok(serde_json::from_slice(&health).map_or(0, |Health { ws_clients }| ws_clients))
}

/// Wait until a session that its person was asked into goes on
///
/// A session that is not paused goes on at once. The line tells of the session, or of TIMEOUT after --for seconds.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  bproxy session wait -s m4q7z2\n  bproxy session wait --for 600 -s m4q7z2"
)]
pub(super) struct SessionWait {
    /// The most seconds to wait [default: no limit]
    #[arg(long = "for", value_name = "SECONDS")]
    longest: Option<u64>,
}

/// What is asked of the sessions in an answer.
#[derive(Deserialize)]
struct Sessions {
    sessions: Vec<Value>,
}

impl SessionWait {
    pub(super) fn run(self, globals: &Globals) -> Result<Outcome, Error> {
        let session = globals.session();
        let client = globals.client()?;
        let end = self.longest.map(|seconds| Instant::now() + Duration::from_secs(seconds));
        let mut spinner = Spinner::new();
        loop {
            let id = request_id();
            let fail = |code, message: String| {
                let error = ProtocolError::new(code, message, session);
                call::show_answer(
                    globals,
                    Answer { ok: false, body: protocol::failure(&id, &error) },
                )
            };
            if session.is_empty() {
                return fail(ErrorCode::SessionRequired, "name the session with -s".into());
            }
            let list = protocol::SessionList {}.into();
            let mut answer = client.command(&id, &list, "", globals.timeout())?;
            let mut found = None;
            if answer.ok {
                answer.body = output::change_data(&answer.body, |Sessions { sessions }| {
                    found = sessions.into_iter().find(|info| info["id"] == session);
                    Ok(found.clone())
                })?;
            }
            let reason = match found {
                None if answer.ok => {
                    let message = format!("there is no session {session}, or no longer");
                    return fail(ErrorCode::SessionNotFound, message);
                }
                Some(info) if info["paused"] == true => {
                    info["pauseReason"].as_str().unwrap_or("a person has to help").to_owned()
                }
                _ => return call::show_answer(globals, answer),
            };
            let left = end.map(|end| end.saturating_duration_since(Instant::now()));
            if left.is_some_and(|left| left.is_zero()) {
                let message = format!("session {session} still waits for its person: {reason}");
                return fail(ErrorCode::Timeout, message);
            }
            spinner.rest(left.map_or(LOOK, |left| left.min(LOOK)), &reason);
        }
    }
}
