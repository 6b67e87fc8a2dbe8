//! Waiting until a person has resumed a paused session.

use std::time::{Duration, Instant};

use serde::Deserialize;
use serde_json::Value;

use super::Waiter;
use crate::client::{Answer, AnswerError, Error};

/// How often to list the sessions. Each listing is a command in the daemon's log and traces; a person takes minutes, so
/// a delay of two seconds does not matter.
const POLL: Duration = Duration::from_secs(2);

/// The outcome of waiting for a session.
#[derive(Debug)]
pub enum SessionWait {
    /// The session is not, or no longer, paused.
    Running {
        /// The last listing.
        answer: Answer,
        /// The session's entry in it, with members that this version may not know.
        session: Value,
    },
    /// The session is still paused at the end of the limit.
    Paused {
        /// What the person has to do.
        reason: String,
    },
    /// The session does not exist, or no longer does.
    NotFound,
    /// The daemon does not list its sessions.
    Failed(Answer, AnswerError),
}

/// The data of `session.list`, of which only the entry of one session has to be understood.
#[derive(Deserialize)]
struct Listing {
    sessions: Vec<Value>,
}

/// Waits until the session called `id` is not paused, for up to `limit`. `list` sends `session.list`.
///
/// # Errors
/// Those of `list`, and [`Error::Cancelled`] from the waiter.
pub fn wait_for_session(
    id: &str,
    limit: Option<Duration>,
    mut waiter: impl Waiter,
    mut list: impl FnMut() -> Result<Answer, Error>,
) -> Result<SessionWait, Error> {
    let end = limit.map(|limit| Instant::now() + limit);
    loop {
        let answer = list()?;
        let sessions = match answer.data() {
            Ok(Listing { sessions }) => sessions,
            Err(error) => return Ok(SessionWait::Failed(answer, error)),
        };
        let Some(session) = sessions.into_iter().find(|session| session["id"] == id) else {
            return Ok(SessionWait::NotFound);
        };
        if session["paused"] != true {
            return Ok(SessionWait::Running { answer, session });
        }
        let reason = session["pauseReason"].as_str().unwrap_or("a person has to help");
        let left = end.map(|end| end.saturating_duration_since(Instant::now()));
        if left.is_some_and(|left| left.is_zero()) {
            return Ok(SessionWait::Paused { reason: reason.to_owned() });
        }
        waiter.wait(left.map_or(POLL, |left| left.min(POLL)), reason)?;
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    struct Reasons<'a>(&'a mut Vec<String>);

    impl Waiter for Reasons<'_> {
        fn wait(&mut self, _: Duration, reason: &str) -> Result<(), Error> {
            self.0.push(reason.to_owned());
            Ok(())
        }
    }

    fn listing(sessions: Value) -> Answer {
        let body = json!({"id": "a", "ok": true, "data": {"sessions": sessions}, "page": {}});
        Answer { ok: true, body: body.to_string().into_bytes() }
    }

    fn wait(limit: Option<Duration>, answers: Vec<Answer>) -> (SessionWait, Vec<String>) {
        let (mut reasons, mut answers) = (Vec::new(), answers.into_iter());
        let list = || Ok(answers.next().expect("no further listing"));
        let ended = wait_for_session("m4q7z2", limit, Reasons(&mut reasons), list).unwrap();
        (ended, reasons)
    }

    #[test]
    fn the_wait_ends_when_the_session_is_resumed_or_gone() {
        let other = json!({"id": "aaaaaa", "pacing": "fast", "paused": true});
        let paused =
            json!({"id": "m4q7z2", "pacing": "fast", "paused": true, "pauseReason": "sign in"});
        let running = json!({"id": "m4q7z2", "pacing": "fast", "paused": false});
        let (ended, reasons) =
            wait(None, vec![listing(json!([other, paused])), listing(json!([other, running]))]);
        assert!(
            matches!(ended, SessionWait::Running { session, .. } if session["paused"] == false)
        );
        assert_eq!(reasons, ["sign in"]);
        let (ended, _) = wait(None, vec![listing(json!([paused])), listing(json!([other]))]);
        assert!(matches!(ended, SessionWait::NotFound));
    }

    #[test]
    fn at_the_end_of_the_limit_the_reason_of_the_pause_is_returned() {
        let paused =
            json!({"id": "m4q7z2", "pacing": "fast", "paused": true, "pauseReason": "sign in"});
        let (ended, reasons) = wait(Some(Duration::ZERO), vec![listing(json!([paused]))]);
        assert!(matches!(ended, SessionWait::Paused { reason } if reason == "sign in"));
        assert!(reasons.is_empty());
    }
}
