//! `session wait`: until a person has resumed the session.

use std::time::Duration;

use clap::Args;
use serde::de::IgnoredAny;

use super::global_args::Globals;
use super::spinner::Spinner;
use super::{Error, Outcome, call, output};
use crate::agent::{self, SessionWait as Ended};
use crate::client::{Answer, request_id};
use crate::protocol::{self, ErrorCode, ProtocolError};

/// Wait until a paused session is resumed
///
/// Ends at once if the session is not paused. Prints the session, or TIMEOUT after --for seconds.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  bproxy session wait -s m4q7z2\n  bproxy session wait --for 600 -s m4q7z2"
)]
pub(super) struct SessionWait {
    /// The most seconds to wait [default: no limit]
    #[arg(long = "for", value_name = "SECONDS")]
    limit: Option<u64>,
}

impl SessionWait {
    pub(super) fn run(self, globals: &Globals) -> Result<Outcome, Error> {
        let client = globals.client()?;
        let session = globals.session();
        let fail = |code, message: String| {
            let error = ProtocolError::new(code, message, session);
            let body = protocol::failure(&request_id(), &error);
            call::show_answer(globals, Answer { ok: false, body })
        };
        if session.is_empty() {
            return fail(ErrorCode::SessionRequired, "name the session with -s".into());
        }
        let list = || {
            let list = protocol::SessionList {}.into();
            client.command(&request_id(), &list, "", globals.timeout())
        };
        let limit = self.limit.map(Duration::from_secs);
        match agent::wait_for_session(session, limit, Spinner::new(), list)? {
            Ended::Running { mut answer, session } => {
                answer.body = output::change_data(&answer.body, |_: IgnoredAny| Ok(session))?;
                call::show_answer(globals, answer)
            }
            Ended::NotFound => fail(
                ErrorCode::SessionNotFound,
                format!("session {session} does not exist, or was closed"),
            ),
            Ended::Paused { reason } => {
                fail(ErrorCode::Timeout, format!("session {session} is still paused: {reason}"))
            }
            Ended::Failed(answer, _) if !answer.ok => call::show_answer(globals, answer),
            Ended::Failed(_, error) => Err(Error::Answer(error.to_string())),
        }
    }
}
