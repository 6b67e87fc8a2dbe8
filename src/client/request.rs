//! A request's envelope, and the id that names it.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::value::RawValue;

use super::Error;
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

/// The body of a request, whose deadline is `timeout` from now.
pub(super) fn body(
    id: &str,
    action: &Action,
    session: &str,
    timeout: Duration,
    caller: Option<&Caller>,
    again: bool,
) -> Result<String, Error> {
    let params = RawValue::from_string(action.params()).expect("parameters become JSON");
    let deadline = SystemTime::now() + timeout;
    let deadline = deadline.duration_since(UNIX_EPOCH).map_or(0, |elapsed| elapsed.as_millis());
    let envelope = Envelope {
        protocol_version: VERSION,
        id,
        action: action.name(),
        params: &params,
        session,
        deadline: i64::try_from(deadline).unwrap_or(i64::MAX),
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
        let text = body("01X", &action, "m4q7z2", Duration::from_secs(30), None, false).unwrap();
        let request = Request::parse(text.as_bytes()).unwrap();
        assert_eq!(request.action, action);
        assert_eq!((&*request.id, &*request.session, request.destructive), ("01X", "m4q7z2", true));
        assert!(!request.again);
        let text = body("01X", &action, "m4q7z2", Duration::from_secs(30), None, true).unwrap();
        assert!(Request::parse(text.as_bytes()).unwrap().again);
    }
}
