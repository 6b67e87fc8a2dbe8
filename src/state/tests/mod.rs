//! Facts about the state as a whole, on a clock that moves only when a test says so.
//!
//! One file per concern; the rig here is what surrounds the state in production: the daemon's
//! timer, clients that wait for replies, and browsers that read and answer messages.

mod answers;
mod browsers;
mod closing;
mod deadlines;
mod events;
mod exactly_once;
mod handles;
mod opens;
mod outliving;
mod pacing;
mod pairing;
mod person;
mod queues;
mod refusals;
mod staleness;

use std::{
    collections::{BTreeMap, HashMap},
    future::Future as _,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard},
    task::{Context, Poll, Waker},
    time::Duration,
};

use bytes::Bytes;
use serde_json::{Value, json};
use tokio::sync::Notify;

use super::{
    Admission, ClientId, Instant, IssuedCode, Now, Process, Reply, ReplyFuture, ReplyKind,
    SessionFile, State, Storage,
};
use crate::{
    home,
    protocol::{Request, SessionId, Trace, Versions},
};

/// What the unix clock shows when a test begins.
const EPOCH_MS: i64 = 1_700_000_000_000;

/// A state with its surroundings.
struct Rig {
    state: State,
    began: Instant,
    now: Instant,
    /// What the daemon's timer is set to.
    armed: Option<Instant>,
    timer: Arc<Notify>,
    files: Files,
    /// The addresses of tabs, where they are others than that of [`page`].
    urls: HashMap<i64, String>,
    last_id: u32,
}

/// What is on the disk.
#[derive(Default)]
struct Disk {
    /// The sessions' directories that exist.
    dirs: Vec<SessionId>,
    /// The sessions as they were saved last, and how often they were.
    sessions: Vec<u8>,
    saves: usize,
    full: bool,
}

#[derive(Clone, Default)]
struct Files(Arc<Mutex<Disk>>);

impl Files {
    fn disk(&self) -> MutexGuard<'_, Disk> {
        self.0.lock().unwrap()
    }
}

impl Storage for Files {
    fn session_dir(&self, session: SessionId) -> String {
        format!("/tmp/{session}")
    }

    fn create_session_dir(&self, session: SessionId) {
        self.disk().dirs.push(session);
    }

    fn remove_session_dir(&self, session: SessionId) {
        self.disk().dirs.retain(|created| *created != session);
    }

    fn keep_session_dirs(&self, sessions: &[SessionId]) -> Result<(), home::Error> {
        self.disk().dirs = sessions.to_vec();
        Ok(())
    }

    fn session_files(&self, _session: SessionId) -> BTreeMap<u64, SessionFile> {
        BTreeMap::new()
    }

    fn save_sessions(&self, sessions: &[u8]) -> Result<(), home::Error> {
        let mut disk = self.disk();
        if disk.full {
            return Err(home::Error::Kind { path: "full".into(), expected: "file" });
        }
        disk.saves += 1;
        disk.sessions = sessions.to_vec();
        Ok(())
    }

    fn write_pairing_code(&self, _code: &IssuedCode) -> Result<(), home::Error> {
        Ok(())
    }
}

/// A request to be sent, with defaults that suit most.
#[derive(Clone)]
struct Call {
    id: Option<String>,
    action: &'static str,
    params: Value,
    session: String,
    timeout_ms: i64,
    /// Who asks.
    client: Option<Value>,
}

fn call(action: &'static str, session: &str, params: Value) -> Call {
    Call { id: None, action, params, session: session.to_owned(), timeout_ms: 30_000, client: None }
}

impl Call {
    fn id(mut self, id: &str) -> Self {
        self.id = Some(id.to_owned());
        self
    }

    fn by(mut self, client: Value) -> Self {
        self.client = Some(client);
        self
    }

    fn timeout_ms(mut self, timeout_ms: i64) -> Self {
        self.timeout_ms = timeout_ms;
        self
    }
}

/// A client that waits for its reply.
struct Client {
    id: String,
    pending: Option<ReplyFuture>,
    reply: Option<Reply>,
}

impl Client {
    /// The reply, once it has come.
    fn poll(&mut self) -> Option<Value> {
        if let Some(pending) = &mut self.pending {
            let mut context = Context::from_waker(Waker::noop());
            match Pin::new(pending).poll(&mut context) {
                Poll::Pending => return None,
                Poll::Ready(reply) => {
                    self.pending = None;
                    self.reply = reply;
                }
            }
        }
        let reply = self.reply.as_ref().expect("a command is never lost");
        Some(serde_json::from_slice(&reply.body).expect("a JSON body"))
    }

    fn waits(&mut self) -> bool {
        self.poll().is_none()
    }

    #[track_caller]
    fn reply(&mut self) -> Value {
        self.poll().expect("the reply is there")
    }

    /// The data of a success.
    #[track_caller]
    fn data(&mut self) -> Value {
        let reply = self.reply();
        assert_eq!(reply["ok"], true, "{reply}");
        reply["data"].clone()
    }

    /// The code of a failure.
    #[track_caller]
    fn code(&mut self) -> String {
        let reply = self.reply();
        assert_eq!(reply["ok"], false, "{reply}");
        reply["error"]["code"].as_str().expect("a code").to_owned()
    }

    fn hang_up(&mut self) {
        self.pending = None;
    }
}

/// A page as an answer tells it.
fn page() -> Value {
    json!({"url": "http://site/", "title": "Site", "state": "ready", "busy": false})
}

impl Rig {
    fn new() -> Self {
        let files = Files::default();
        let began = Instant::now();
        let process = Process { pid: 1, port: 9615, started: began };
        let state = State::new(process, None, Box::new(files.clone()));
        let timer = state.timer();
        let armed = state.arm();
        let urls = HashMap::new();
        Self { state, began, now: began, armed, timer, files, urls, last_id: 0 }
    }

    fn now(&self) -> Now {
        let since = i64::try_from((self.now - self.began).as_millis()).unwrap();
        Now { instant: self.now, unix_ms: EPOCH_MS + since }
    }

    /// Lets time pass, with the timer going off as the daemon's does: at what it was set to, and
    /// set anew only after it went off or was told to.
    fn pass(&mut self, ms: u64) {
        let until = self.now + Duration::from_millis(ms);
        loop {
            let mut told = std::pin::pin!(self.timer.notified());
            if told.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready() {
                self.armed = self.state.arm();
                continue;
            }
            match self.armed.filter(|armed| *armed <= until) {
                Some(armed) => {
                    self.now = self.now.max(armed);
                    self.state.tick(self.now());
                    self.armed = self.state.arm();
                }
                None => break,
            }
        }
        self.now = until;
    }

    fn send(&mut self, call: &Call) -> Client {
        self.last_id += 1;
        let id = call.id.clone().unwrap_or_else(|| format!("r{}", self.last_id));
        let now = self.now();
        let mut body = json!({
            "protocol_version": 1, "id": id, "action": call.action, "params": call.params,
            "session": call.session, "deadline": now.unix_ms + call.timeout_ms,
        });
        if let Some(client) = &call.client {
            body["client"] = client.clone();
        }
        let body = body.to_string();
        let mut request = Request::parse(body.as_bytes()).expect("a valid request");
        let (pending, reply) = match self.state.admit(&mut request, now) {
            Admission::Answered(reply) => (None, Some(reply)),
            Admission::Pending(pending) => (Some(pending), None),
            Admission::Draining => panic!("the state drains"),
        };
        Client { id, pending, reply }
    }

    fn ask(&mut self, action: &'static str, session: &str, params: Value) -> Client {
        self.send(&call(action, session, params))
    }

    /// A connection that has not said anything yet.
    fn connect(&mut self) -> ClientId {
        self.state.connect(self.now(), "127.0.0.1:1", "").0
    }

    fn say(&mut self, client: ClientId, message: &Value) {
        let text = message.to_string();
        self.state.receive(client, &text, &text.clone().into(), self.now());
    }

    fn hello(&mut self, client: ClientId, instance: &str) {
        self.hello_in(1, client, instance);
    }

    /// A connection of the browser with this instance that numbers elements.
    fn numbering_browser(&mut self, instance: &str) -> ClientId {
        let client = self.connect();
        let hello = json!({"type": "hello", "instanceId": instance, "extensionVersion": "1",
                           "protocolVersion": 1, "browser": "b", "revision": 1});
        self.say(client, &hello);
        client
    }

    /// A hello in a protocol version.
    fn hello_in(&mut self, version: i64, client: ClientId, instance: &str) {
        let hello = json!({"type": "hello", "instanceId": instance, "extensionVersion": "1",
                           "protocolVersion": version, "browser": "b"});
        self.say(client, &hello);
    }

    /// A connection of the browser with this instance.
    fn browser(&mut self, instance: &str) -> ClientId {
        let client = self.connect();
        self.hello(client, instance);
        client
    }

    fn disconnect(&mut self, client: ClientId) {
        self.state.disconnect(client, "closed", self.now());
    }

    /// Answers for this tab name this address from now on.
    fn shows(&mut self, tab: i64, url: &str) {
        self.urls.insert(tab, url.to_owned());
    }

    fn navigated(&mut self, client: ClientId, tab: i64, url: &str) {
        self.shows(tab, url);
        let message = json!({"type": "navigation", "tabId": tab, "url": url, "cause": "committed"});
        self.say(client, &message);
    }

    /// Everything that a connection has been sent since the last time, to the byte.
    fn sent_raw(&mut self, client: ClientId) -> Vec<Bytes> {
        std::iter::from_fn(|| self.state.next_outgoing(client)).collect()
    }

    /// The page of the tab that a command is for.
    fn page_of(&self, id: &str) -> Value {
        let tab = self.state.with(|inner| {
            let command = inner.pending.iter().find(|command| *command.id == *id)?;
            Some(inner.sessions.get(command.session)?.tab(command.tab?)?.chrome_id)
        });
        let mut page = page();
        if let Some(url) = tab.and_then(|tab| self.urls.get(&tab)) {
            page["url"] = json!(url);
        }
        page
    }

    /// Everything that a connection has been sent since the last time, but for what people are
    /// shown.
    fn sent(&mut self, client: ClientId) -> Vec<Value> {
        let sent = self.sent_raw(client).into_iter();
        sent.map(|text| serde_json::from_slice::<Value>(&text).expect("a JSON message"))
            .filter(|message| message["type"] != "state")
            .collect()
    }

    /// The ids of the commands that a connection has been sent since the last time.
    fn sent_ids(&mut self, client: ClientId) -> Vec<String> {
        let ids = self.sent(client).into_iter();
        ids.filter_map(|message| Some(message["id"].as_str()?.to_owned())).collect()
    }

    fn answer(&mut self, client: ClientId, id: &str, data: Value) {
        let message = json!({"protocol_version": 1, "id": id, "ok": true, "data": data,
                             "page": self.page_of(id), "replay": false});
        self.say(client, &message);
    }

    fn answer_error(&mut self, client: ClientId, id: &str, code: &str, message: &str) {
        let error = json!({"code": code, "message": message});
        self.say(client, &json!({"protocol_version": 1, "id": id, "ok": false, "error": error}));
    }

    /// Opens a tab with this id of the browser's own; in a new session if `session` is empty.
    /// Returns session and tab.
    fn open_in(&mut self, client: ClientId, session: &str, tab: i64) -> (String, String) {
        let mut open = self.ask("tab.open", session, json!({"url": "http://site/"}));
        let sent = self.sent_ids(client);
        assert_eq!(sent, [open.id.clone()]);
        self.answer(client, &open.id, json!({"tabId": tab, "url": "http://site/"}));
        let data = open.data();
        let text = |name: &str| data[name].as_str().expect("a text").to_owned();
        (text("session"), text("tab"))
    }

    /// Opens a tab in a new session, without pauses.
    fn open(&mut self, client: ClientId, tab: i64) -> String {
        let session = self.open_in(client, "", tab).0;
        self.bind(&session, None, "fast");
        session
    }

    fn bind(&mut self, session: &str, tab: Option<&str>, pacing: &str) {
        let tab = tab.map(|tab| tab.parse().unwrap());
        let (session, pacing) = (session.parse().unwrap(), pacing.parse().unwrap());
        let bound = self.state.with(|inner| inner.bind(session, tab.as_ref(), Some(pacing)));
        bound.expect("bound");
    }

    /// The data of `debug.status`.
    fn status(&self) -> Value {
        let status = self.state.with(|inner| inner.status(self.now()));
        serde_json::to_value(status).unwrap()
    }

    /// A session's tabs, as JSON.
    fn tabs(&self, session: SessionId) -> Value {
        let tabs = self.state.with(|inner| inner.sessions.get(session).map(|it| it.tab_infos()));
        serde_json::to_value(tabs.unwrap_or_default()).unwrap()
    }

    /// A session without tabs.
    fn create_session(&mut self) -> SessionId {
        let data = self.ask("session.create", "", json!({})).data();
        data["session"].as_str().unwrap().parse().unwrap()
    }

    /// The latest traces, oldest first.
    fn traces(&self, count: usize) -> Vec<Trace> {
        self.state.with(|inner| inner.traces.last(count))
    }

    fn pending(&self) -> usize {
        self.state.with(|inner| inner.pending.iter().count())
    }

    /// Asserts that nothing is left of what has ended.
    #[track_caller]
    fn assert_clean(&self) {
        self.state.with(|inner| {
            assert_eq!(inner.pending.iter().count(), 0);
            assert!(inner.heads.is_empty() && inner.closes.is_empty());
            for (_, session) in inner.sessions.iter() {
                assert!(session.tabs.iter().all(|tab| tab.queue.is_empty()));
            }
        });
    }
}
