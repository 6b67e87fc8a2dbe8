//! The invariants of every parser of untrusted input, one function per parser.
//!
//! The fuzz targets call these with inputs guided by coverage, `tests/wire/fuzz.rs` with mutations of `seeds` on every run
//! of the tests. Each function panics if an invariant does not hold.

use std::collections::BTreeMap;

use bproxy::daemon::Gate;
use bproxy::protocol::{
    By, ElementHandle, MAX_ID_CHARS, Message, Outcome, Place, Proof, Request, SessionId, TabHandle,
    Target, VERSION, forwarded,
};
use bproxy::secrets::{ExtensionCredential, Secret};
use bproxy::state::{Instant, Now, Process, State};
use serde_json::Value;
use serde_json::value::RawValue;
use warp::http::header::{HeaderMap, HeaderName, HeaderValue};
use warp::http::{Method, Uri};

/// A body is either a request that can be forwarded unchanged, or refused with a reason.
pub fn request(body: &[u8]) {
    let request = match Request::parse(body) {
        Ok(request) => request,
        Err(refusal) => return assert!(!refusal.to_string().is_empty()),
    };
    assert!((1..=MAX_ID_CHARS).contains(&request.id.chars().count()));

    let session = "m4q7z2";
    let place = Some(Place { tab: Some(7), ..Place::default() });
    let message = forwarded(VERSION, &request, request.params, session, request.deadline, place);
    let members: BTreeMap<String, Value> = serde_json::from_str(&message).expect("JSON");
    let names: Vec<_> = members.keys().map(String::as_str).collect();
    let expected = [
        "action",
        "deadline",
        "destructive",
        "id",
        "params",
        "protocol_version",
        "session",
        "target",
    ];
    assert_eq!(names, expected);
    assert_eq!(members["id"], *request.id);
    assert_eq!(members["session"], session);
    assert_eq!(members["target"], serde_json::json!({"tabId": 7}));

    // Parsing and serializing the parameters does not change them.
    let params = request.action.params();
    assert_eq!(members["params"], serde_json::from_str::<Value>(&params).expect("JSON"));
    let again = forwarded(VERSION, &request, &params, session, request.deadline, None);
    let again = Request::parse(again.as_bytes()).expect("a request");
    assert_eq!((again.id, again.action), (request.id, request.action));
}

/// A message that is relayed unchanged has the members that a client expects.
pub fn message(text: &str) {
    let message = match Message::parse(text) {
        Ok(message) => message,
        Err(problem) => return assert!(!problem.to_string().is_empty()),
    };
    match message {
        Message::Ping { ts } => {
            assert!(ts.starts_with(|first: char| first == '-' || first.is_ascii_digit()));
            assert!(serde_json::from_str::<&RawValue>(ts).is_ok());
        }
        Message::Answer(answer) => {
            let Some(Outcome::Ok { data, page }) = answer.outcome else { return };
            for part in [data, page] {
                assert!(part.starts_with('{') && serde_json::from_str::<&RawValue>(part).is_ok());
            }
            if answer.relayable {
                let members: BTreeMap<String, &RawValue> =
                    serde_json::from_str(text).expect("an object");
                let names: Vec<_> = members.keys().map(String::as_str).collect();
                assert_eq!(names, ["data", "id", "ok", "page", "protocol_version", "replay"]);
                assert_eq!(members["ok"].get(), "true");
                assert_eq!(members["protocol_version"].get(), "1");
                assert_eq!(members["replay"].get(), answer.replay.to_string());
                let id: String = serde_json::from_str(members["id"].get()).expect("a text");
                assert_eq!(id, answer.id);
            }
        }
        Message::Navigation(_)
        | Message::Tab(_)
        | Message::Hello(_)
        | Message::Person(_)
        | Message::Other(_) => {}
    }
}

/// The gate's port.
const PORT: u16 = 9615;
/// The token of clients. Fixed, so that seeds contain it and mutations come close to it.
const DAEMON_TOKEN: &str = "d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0";
/// The token of the extension.
const EXTENSION_TOKEN: &str = "extension-token";
/// The Origin of the paired extension.
const ORIGIN: &str = "chrome-extension://aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

/// What a head says in place of the daemon's nonce, which is different each time, and in place of the proof for it.
const NONCE: &str = "NONCE";
const PROOF: &str = "PROOF";

/// A request that passes the gate has every credential that its route requires. The data is a request's head: a line with
/// the method and the target, then the headers, one per line.
pub fn gate(data: &[u8]) {
    let credential = ExtensionCredential {
        token: Secret::new(EXTENSION_TOKEN.to_owned()),
        origin: Some(ORIGIN.to_owned()),
    };
    let started = Instant::now();
    let process = Process { pid: 1, port: PORT, started };
    let state = State::new(process, Some(credential), Box::new(()));
    let nonce = state.challenge("", Now { instant: started, unix_ms: 0 }).nonce;
    let proof = Proof::Extension { nonce: &nonce }.of(EXTENSION_TOKEN, PORT);
    let filled_in =
        |line: &[u8]| String::from_utf8_lossy(line).replace(NONCE, &nonce).replace(PROOF, &proof);
    let mut lines = data.split(|byte| *byte == b'\n');
    let Some((method, uri)) = lines.next().and_then(method_and_target) else { return };
    let mut headers = HeaderMap::new();
    for line in lines {
        let Some(colon) = line.iter().position(|byte| *byte == b':') else { return };
        let name = HeaderName::from_bytes(&line[..colon]);
        let value = HeaderValue::from_str(filled_in(&line[colon + 1..]).trim_ascii());
        let (Ok(name), Ok(value)) = (name, value) else { return };
        headers.append(name, value);
    }

    let gate = Gate::new(PORT, Secret::new(DAEMON_TOKEN.to_owned()), None, state);
    if gate
        .check(&method, uri.path(), uri.query().unwrap_or_default(), uri.authority(), &headers)
        .is_err()
    {
        return;
    }

    let all = |name: &str| -> Vec<&[u8]> {
        headers.get_all(name).iter().map(HeaderValue::as_bytes).collect()
    };
    let hosts = [format!("127.0.0.1:{PORT}"), format!("localhost:{PORT}")];
    let own = |host: &[u8]| hosts.iter().any(|own| own.as_bytes() == host);
    assert!(matches!(all("host")[..], [host] if own(host)));
    assert!(uri.authority().is_none_or(|authority| own(authority.as_str().as_bytes())));
    assert!(matches!(all("sec-fetch-site")[..], [] | [b"none"] | [b"same-origin"]));
    assert_ne!(method, Method::OPTIONS);
    let route = (method.as_str(), uri.path());
    let origins = all("origin");
    match route {
        ("POST", "/pair/claim") => assert!(matches!(origins[..], [origin] if is_extension(origin))),
        ("GET", "/ws") => {
            assert_eq!(origins, [ORIGIN.as_bytes()]);
            let shown = format!("proof.{nonce}.");
            let offers = all("sec-websocket-protocol").join(&b',');
            let offers = offers.split(|byte| *byte == b',').map(<[u8]>::trim_ascii);
            let proofs: Vec<_> = offers.filter(|offer| offer.starts_with(b"proof.")).collect();
            let [offer] = proofs[..] else { panic!("not one proof") };
            let given = offer.strip_prefix(shown.as_bytes()).expect("this nonce");
            assert!(given.eq_ignore_ascii_case(proof.as_bytes()));
        }
        (_, path) => {
            if matches!(path, "/ws" | "/pair/claim") {
                assert!(matches!(origins[..], [origin] if is_extension(origin)));
            } else {
                assert!(origins.is_empty());
            }
            if !matches!(route, ("GET", "/challenge" | "/health")) {
                let shown = format!("bearer {DAEMON_TOKEN}");
                assert!(matches!(all("authorization")[..], [value]
                    if value.eq_ignore_ascii_case(shown.as_bytes())
                        && value.ends_with(DAEMON_TOKEN.as_bytes())));
            }
        }
    }
}

fn method_and_target(line: &[u8]) -> Option<(Method, Uri)> {
    let space = line.iter().position(|byte| *byte == b' ')?;
    let method = Method::from_bytes(&line[..space]).ok()?;
    Some((method, Uri::try_from(&line[space + 1..]).ok()?))
}

fn is_extension(origin: &[u8]) -> bool {
    origin
        .strip_prefix(b"chrome-extension://")
        .is_some_and(|id| id.len() == 32 && id.iter().all(|letter| (b'a'..=b'p').contains(letter)))
}

/// A session id or handle is accepted exactly if it is well-formed, and is written the way it was read.
pub fn name(text: &str) {
    let digits_after = |prefix: &str| {
        let digits = text.strip_prefix(prefix).unwrap_or_default();
        !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
    };
    let in_alphabet = |byte: u8| byte.is_ascii_lowercase() || (b'2'..=b'7').contains(&byte);

    let session = text.parse::<SessionId>();
    assert_eq!(session.is_ok(), text.len() == 6 && text.bytes().all(in_alphabet));
    assert!(session.is_ok_and(|session| session.as_str() == text) || session.is_err());

    let tab = text.parse::<TabHandle>();
    assert_eq!(tab.is_ok(), digits_after("t"));
    if let Ok(tab) = tab {
        assert_eq!(tab.as_str(), text);
        assert!(tab.ordinal().is_none_or(|ordinal| TabHandle::new(ordinal) == tab));
    }

    let element = text.parse::<ElementHandle>();
    assert_eq!(element.is_ok(), digits_after("el") || digits_after("ln"));
    if let Ok(element) = element {
        assert_eq!(element.as_str(), text);
        let written = element.parts().map(|(kind, number)| format!("{}{number}", kind.prefix()));
        assert!(written.is_none_or(|written| written == text));
    }
}

/// A target is exactly one of selector, route, handle and find, and parsing does not change it.
pub fn target(text: &str) {
    let Ok(target) = serde_json::from_str::<Target>(text) else { return };
    let written = serde_json::to_value(&target).expect("JSON");
    assert_eq!(written, serde_json::from_str::<Value>(text).expect("JSON"));
    let framed = usize::from(target.frame.is_some());
    assert_eq!(written.as_object().expect("an object").len(), 1 + framed);
    assert_eq!(serde_json::from_value::<Target>(written).expect("a target"), target);
    match target.by {
        By::Route(route) => assert!(!route.hosts.is_empty()),
        By::Find(criteria) => assert!(!criteria.is_empty()),
        By::Handle(_) => assert_eq!(framed, 0),
        By::Selector(_) => {}
    }
}
