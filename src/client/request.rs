//! A request's envelope, and the id that names it.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::value::RawValue;

use super::{Answer, Error};
use crate::protocol::{Action, Caller, Envelope, MAX_BODY_BYTES, VERSION};

/// A new request id: 26 characters, of which the first ten encode the time, so that ids sort in the order of their
/// creation.
pub fn request_id() -> String {
    const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    const RANDOM_BITS: u32 = 80;
    let ms = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |elapsed| elapsed.as_millis());
    let bits = (ms << RANDOM_BITS) | (rand::random::<u128>() >> (128 - RANDOM_BITS));
    (0..26).rev().map(|at| char::from(ALPHABET[(bits >> (5 * at)) as usize & 31])).collect()
}

/// By how many milliseconds the clocks of two programs may differ without a command that has time left being refused.
const SAME_CLOCK_MS: i64 = 1000;

/// Calls `send` with what has to be added to this program's clock. If the daemon refuses the command because its own clock
/// is further on, as in another container or machine, nothing was done, and it is sent again by that clock.
pub(super) fn by_either_clock(
    mut send: impl FnMut(i64) -> Result<Answer, Error>,
) -> Result<Answer, Error> {
    let answer = send(0)?;
    match answer.clock_of_refusal().map(|now| now - unix_ms()) {
        Some(ahead) if ahead.abs() >= SAME_CLOCK_MS => send(ahead),
        _ => Ok(answer),
    }
}

fn unix_ms() -> i64 {
    let elapsed = SystemTime::now().duration_since(UNIX_EPOCH);
    elapsed.map_or(0, |elapsed| i64::try_from(elapsed.as_millis()).unwrap_or(i64::MAX))
}

/// The body of a request, whose deadline is `timeout` from now by a clock that is `ahead_ms` ahead.
pub(super) fn body(
    id: &str,
    action: &Action,
    session: &str,
    timeout: Duration,
    caller: Option<&Caller>,
    again: bool,
    ahead_ms: i64,
) -> Result<String, Error> {
    let params = RawValue::from_string(action.params()).expect("parameters become JSON");
    let timeout_ms = i64::try_from(timeout.as_millis()).unwrap_or(i64::MAX);
    let deadline = unix_ms().saturating_add(ahead_ms).saturating_add(timeout_ms);
    let envelope = Envelope {
        protocol_version: VERSION,
        id,
        action: action.name(),
        params: &params,
        session,
        deadline,
        destructive: action.facts().effect.destructive(),
        again,
        client: caller,
    };
    let body = serde_json::to_string(&envelope).expect("texts and numbers become JSON");
    if body.len() > MAX_BODY_BYTES { Err(Error::TooLarge { size: body.len() }) } else { Ok(body) }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;
    use crate::protocol::Request;

    #[test]
    fn request_ids_are_distinct_and_sort_by_time() {
        let early = request_id();
        assert_eq!(early.len(), 26);
        let start = Instant::now();
        while start.elapsed() < Duration::from_millis(2) {}
        let late = request_id();
        assert!(early < late);
        assert_ne!(early, late);
    }

    #[test]
    fn the_daemon_accepts_the_request() {
        let click = r#"{"target":{"selector":"a[href=\"x\"]"}}"#;
        let action = Action::parse("click", click).expect("an action").expect("valid");
        let text = body("01X", &action, "m4q7z2", Duration::from_secs(30), None, false, 0).unwrap();
        let request = Request::parse(text.as_bytes()).unwrap();
        assert_eq!(request.action, action);
        assert_eq!((&*request.id, &*request.session, request.destructive), ("01X", "m4q7z2", true));
        assert!(!request.again);
        let text = body("01X", &action, "m4q7z2", Duration::from_secs(30), None, true, 0).unwrap();
        assert!(Request::parse(text.as_bytes()).unwrap().again);
    }

    #[test]
    fn a_command_that_the_daemons_clock_has_refused_is_sent_once_more_by_that_clock() {
        let refused = |now: i64| {
            let details =
                format!(r#"{{"code":"TIMEOUT","message":"x","details":{{"now":{now}}}}}"#);
            let body = format!(r#"{{"id":"a","ok":false,"error":{details}}}"#);
            Ok(Answer { ok: false, body: body.into_bytes() })
        };
        for (difference, sent) in [(-90_000, 2), (10, 1), (3_600_000, 2)] {
            let mut by = Vec::new();
            let answer = by_either_clock(|ahead| {
                by.push(ahead);
                refused(unix_ms() + difference)
            });
            assert!(!answer.unwrap().ok);
            assert_eq!((by[0], by.len()), (0, sent));
            assert!((by[sent - 1] - difference).abs() < 1000 || sent == 1, "{by:?}");
        }
    }
}
