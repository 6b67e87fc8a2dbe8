//! Benchmarks the stages of a command separately: parsing, the gate, admission and dispatch, handles (`make bench`).

use std::collections::BTreeMap;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use bproxy::daemon::{Gate, Passed};
use bproxy::home::{self, Home, SessionsFile};
use bproxy::protocol::{Message, Proof, Request, SessionId};
use bproxy::secrets::{ExtensionCredential, Secret};
use bproxy::state::{
    Admission, ClientId, IssuedCode, Kept, Now, Process, ReplyKind, SessionFile, State, Storage,
};
use bytes::Bytes;
use divan::{AllocProfiler, Bencher, black_box};
use futures_util::FutureExt;
use serde_json::{Value, json};
use warp::http::{HeaderMap, HeaderValue, Method, header};

#[global_allocator]
static ALLOCATOR: AllocProfiler = AllocProfiler::system();

const ORIGIN: &str = "chrome-extension://aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

fn main() {
    divan::main();
}

fn now() -> Now {
    let unix = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock after 1970");
    Now { instant: Instant::now(), unix_ms: unix.as_millis() as i64 }
}

fn process() -> Process {
    Process { pid: 1, port: 9615, started: Instant::now() }
}

fn request(action: &str, params: &Value, session: &str) -> Vec<u8> {
    let deadline = now().unix_ms + 60_000;
    json!({"protocol_version": 1, "id": "01HZX9C2K8", "action": action, "params": params, "session": session,
        "deadline": deadline, "destructive": false})
    .to_string()
    .into_bytes()
}

fn answer(id: &str, data: &Value) -> Bytes {
    json!({"protocol_version": 1, "id": id, "ok": true, "data": data, "replay": false,
        "page": {"url": "https://example.com/", "title": "Example", "state": "ready", "busy": false}})
    .to_string()
    .into()
}

mod parse {
    use super::*;

    #[divan::bench]
    fn a_read(bencher: Bencher) {
        let body = request("text", &json!({}), "m4q7z2");
        bencher.bench(|| Request::parse(black_box(&body)).is_ok());
    }

    #[divan::bench]
    fn a_form_of_100_fields(bencher: Bencher) {
        let field = json!({"target": {"selector": "#name"}, "value": "Ada", "method": "direct", "world": "isolated"});
        let body = request("fill-form", &json!({"fields": vec![field; 100]}), "m4q7z2");
        bencher.bench(|| Request::parse(black_box(&body)).is_ok());
    }

    #[divan::bench(args = [200, 20_000, 5_000_000])]
    fn an_answer(bencher: Bencher, bytes: usize) {
        let text = answer("01HZX9C2K8", &json!({"text": "x".repeat(bytes)}));
        let text = str::from_utf8(&text).expect("text");
        bencher.bench(|| Message::parse(black_box(text)).is_ok());
    }
}

mod gate {
    use super::*;

    fn gate() -> (Gate, State, Secret, Secret) {
        let (daemon, extension) = (Secret::random_hex(), Secret::random_base64url());
        let credential =
            ExtensionCredential { token: extension.clone(), origin: Some(ORIGIN.to_owned()) };
        let state = State::new(process(), Some(credential), Box::new(()));
        (Gate::new(9615, daemon.clone(), None, state.clone()), state, daemon, extension)
    }

    fn headers(more: &[(header::HeaderName, String)]) -> HeaderMap {
        let host = (header::HOST, "127.0.0.1:9615".to_owned());
        let all = [&[host], more].concat();
        let value = |value: String| HeaderValue::try_from(value).expect("ASCII");
        all.into_iter().map(|(name, text)| (name, value(text))).collect()
    }

    #[divan::bench]
    fn a_command(bencher: Bencher) {
        let (gate, _, token, _) = gate();
        let bearer = format!("Bearer {}", token.expose());
        let headers = headers(&[(header::AUTHORIZATION, bearer)]);
        assert_eq!(gate.check(&Method::POST, "/", "", None, &headers), Ok(Passed::Known));
        bencher.bench(|| gate.check(&Method::POST, "/", "", None, black_box(&headers)));
    }

    #[divan::bench]
    fn an_upgrade(bencher: Bencher) {
        let (gate, state, _, token) = gate();
        // Each proof is good once.
        let fresh = || {
            let nonce = state.challenge("", now()).nonce;
            let proof = Proof::Extension { nonce: &nonce }.of(token.expose(), 9615);
            headers(&[
                (header::ORIGIN, ORIGIN.to_owned()),
                (header::SEC_WEBSOCKET_PROTOCOL, format!("bproxy.v1, proof.{nonce}.{proof}")),
            ])
        };
        assert_eq!(gate.check(&Method::GET, "/ws", "", None, &fresh()), Ok(Passed::Known));
        bencher
            .with_inputs(fresh)
            .bench_refs(|headers| gate.check(&Method::GET, "/ws", "", None, black_box(headers)));
    }

    #[divan::bench]
    fn a_stranger(bencher: Bencher) {
        let (gate, ..) = gate();
        let headers = headers(&[(header::AUTHORIZATION, "Bearer stolen".to_owned())]);
        assert!(gate.check(&Method::POST, "/", "", None, &headers).is_err());
        bencher.bench(|| gate.check(&Method::POST, "/", "", None, black_box(&headers)).is_err());
    }
}

mod state {
    use super::*;

    /// From the bytes of a request to those of its reply, including the browser's answer.
    #[divan::bench(args = [1, 256])]
    fn a_read(bencher: Bencher, sessions: usize) {
        let rig = Rig::new(sessions);
        let body = request("text", &json!({}), &rig.session);
        let text = answer("01HZX9C2K8", &json!({"text": "x".repeat(200)}));
        bencher.bench_local(|| rig.command(black_box(&body), &text));
    }

    /// An answer with 200 links, each of which gets a handle.
    #[divan::bench]
    fn a_read_of_200_links(bencher: Bencher) {
        let rig = Rig::new(1);
        let body = request("links", &json!({}), &rig.session);
        let text = links();
        bencher.bench_local(|| rig.command(black_box(&body), &text));
    }

    /// A click on one of 1,000 elements that have handles.
    #[divan::bench]
    fn a_click_by_handle(bencher: Bencher) {
        let rig = Rig::new(1);
        let read = request("links", &json!({}), &rig.session);
        for _ in 0..5 {
            rig.command(&read, &links());
        }
        let body = request("click", &json!({"target": {"handle": "ln900"}}), &rig.session);
        let text =
            answer("01HZX9C2K8", &json!({"clicked": true, "disappeared": false, "stable": true}));
        bencher.bench_local(|| rig.command(black_box(&body), &text));
    }

    /// A change of a session while there are this many with 64 tabs each: all of them are written to a file before the
    /// reply.
    #[divan::bench(args = [1, 256])]
    fn a_change_that_is_saved(bencher: Bencher, sessions: u32) {
        let folder = tempfile::tempdir().expect("a folder");
        let home = Home::open(&folder.path().join("home")).expect("a home");
        let state = State::new(process(), None, Box::new(Saved(SessionsFile::new(home))));
        let id = |number| SessionId::from_bits(number).to_string();
        let session = |number: u32| {
            let tabs: Vec<_> = (1..=64).map(|tab| json!([tab, 0, number * 64 + tab])).collect();
            json!({"id": id(number), "bound": 1, "pacing": "human", "tabs": tabs, "last_tab": 64,
                "numbers": [0, 0], "used_ms": now().unix_ms})
        };
        let all: Vec<_> = (0..sessions).map(session).collect();
        let kept = json!({"browsers": ["a"], "sessions": all, "opens": []}).to_string();
        let kept = Kept::parse(kept.as_bytes()).expect("sessions");
        state.restore(kept, now()).expect("no files");
        let body = request("session.bind", &json!({"pacing": "fast"}), &id(0));
        bencher.bench_local(|| {
            let mut request = Request::parse(black_box(&body)).expect("a request");
            assert!(matches!(state.admit(&mut request, now()), Admission::Answered(_)));
        });
    }

    fn links() -> Bytes {
        let link = |n| {
            json!({"text": format!("Link {n}"), "href": format!("https://example.com/{n}"),
                "target": {"selector": format!("#link-{n}")}})
        };
        let links: Vec<_> = (0..200).map(link).collect();
        answer("01HZX9C2K8", &json!({"links": links, "total": 200}))
    }

    /// Saves sessions to a file, and nothing else.
    struct Saved(SessionsFile);

    impl Storage for Saved {
        fn session_dir(&self, _session: SessionId) -> String {
            String::new()
        }

        fn create_session_dir(&self, _session: SessionId) {}

        fn session_files(&self, _session: SessionId) -> BTreeMap<u64, SessionFile> {
            BTreeMap::new()
        }

        fn remove_session_dir(&self, _session: SessionId) {}

        fn keep_session_dirs(&self, _sessions: &[SessionId]) -> Result<(), home::Error> {
            Ok(())
        }

        fn save_sessions(&self, sessions: &[u8]) -> Result<(), home::Error> {
            self.0.save(sessions)
        }

        fn write_pairing_code(&self, _code: &IssuedCode) -> Result<(), home::Error> {
            Ok(())
        }
    }

    /// A state with one browser, and sessions with one tab each.
    struct Rig {
        state: State,
        browser: ClientId,
        /// The last session.
        session: String,
    }

    impl Rig {
        fn new(sessions: usize) -> Rig {
            let state = State::new(process(), None, Box::new(()));
            let (browser, _) = state.connect(now(), "127.0.0.1:1", "");
            let mut rig = Rig { state, browser, session: String::new() };
            for tab in 0..sessions {
                let open = request("tab.open", &json!({"url": "https://example.com/"}), "");
                let opened =
                    answer("01HZX9C2K8", &json!({"tabId": tab, "url": "https://example.com/"}));
                let opened: Value =
                    serde_json::from_slice(&rig.command(&open, &opened)).expect("JSON");
                rig.session = opened["data"]["session"].as_str().expect("a session").to_owned();
                let bind = request("session.bind", &json!({"pacing": "fast"}), &rig.session);
                let mut bind = Request::parse(&bind).expect("a request");
                let Admission::Answered(_) = rig.state.admit(&mut bind, now()) else {
                    panic!("not the daemon's own");
                };
            }
            rig
        }

        fn command(&self, body: &[u8], answer: &Bytes) -> Bytes {
            let mut request = Request::parse(body).expect("a request");
            let Admission::Pending(pending) = self.state.admit(&mut request, now()) else {
                panic!("not pending");
            };
            self.state.next_outgoing(self.browser).expect("a command");
            let text = str::from_utf8(answer).expect("text");
            self.state.receive(self.browser, text, answer, now());
            let reply = pending.now_or_never().flatten().expect("an answer");
            assert_eq!(reply.kind, ReplyKind::Answered);
            reply.body
        }
    }
}
