//! A well-behaved HTTP client: requests, each on its own connection, and their replies.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::task::JoinHandle;

use super::http::{Connection, Response};
use super::{now_ms, patiently};

/// The default time limit of a request: longer than any wait in the tests.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(60);

/// Starts a request with an id of its own, no parameters, no session.
pub fn request(action: &str) -> Request {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let id = format!("cmd-{}", NEXT.fetch_add(1, Ordering::Relaxed));
    Request(json!({"protocol_version": 1, "id": id, "action": action,
        "deadline": now_ms() + DEFAULT_TIMEOUT.as_millis() as i64}))
}

/// A request envelope, built step by step.
#[derive(Debug, Clone)]
pub struct Request(pub Value);

impl Request {
    /// Sets one envelope field, to whatever value.
    pub fn set(mut self, field: &str, value: impl Into<Value>) -> Self {
        self.0[field] = value.into();
        self
    }

    /// Removes one envelope field.
    pub fn without(mut self, field: &str) -> Self {
        self.0.as_object_mut().expect("an envelope").remove(field);
        self
    }

    pub fn named(self, id: &str) -> Self {
        self.set("id", id)
    }

    pub fn session(self, session: &str) -> Self {
        self.set("session", session)
    }

    pub fn params(self, params: Value) -> Self {
        self.set("params", params)
    }

    /// Sets the deadline, counted from now.
    pub fn within(self, timeout: Duration) -> Self {
        self.set("deadline", now_ms() + timeout.as_millis() as i64)
    }

    pub fn id(&self) -> String {
        self.0["id"].as_str().expect("an id").to_owned()
    }

    pub fn bytes(&self) -> Vec<u8> {
        self.0.to_string().into_bytes()
    }
}

/// An HTTP client of one daemon. Cheap to clone.
#[derive(Clone)]
pub struct Client {
    pub port: u16,
    /// The daemon token, as the state directory holds it.
    pub token: String,
}

impl Client {
    /// The `Host` of every well-behaved request.
    pub fn host(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// The `Authorization` of every well-behaved request.
    pub fn bearer(&self) -> String {
        format!("Bearer {}", self.token)
    }

    /// A connection of its own.
    pub async fn connect(&self) -> Connection {
        Connection::open(self.port).await
    }

    /// Sends `request` and waits for its reply.
    pub async fn send(&self, request: Request) -> Reply {
        self.post(&request.bytes()).await
    }

    /// Posts `body` with valid headers.
    pub async fn post(&self, body: &[u8]) -> Reply {
        let mut connection = self.connect().await;
        self.post_on(&mut connection, body).await;
        Reply(connection.response().await)
    }

    /// Writes a `POST /` with valid headers; the caller reads the response.
    pub async fn post_on(&self, connection: &mut Connection, body: &[u8]) {
        connection.write(self.post_bytes(body)).await;
    }

    /// The bytes of a `POST /` with valid headers.
    pub fn post_bytes(&self, body: &[u8]) -> Vec<u8> {
        let (host, bearer, length) = (self.host(), self.bearer(), body.len());
        let head = format!(
            "POST / HTTP/1.1\r\nHost: {host}\r\nAuthorization: {bearer}\r\nContent-Type: application/json\r\n\
             Content-Length: {length}\r\n\r\n"
        );
        [head.as_bytes(), body].concat()
    }

    /// Sends `request` from its own task. To wait until the daemon has it, receive it as the extension or call
    /// `Daemon::admitted`.
    pub fn begin(&self, request: Request) -> PendingReply {
        let (id, client) = (request.id(), self.clone());
        PendingReply { id, task: tokio::spawn(async move { client.send(request).await }) }
    }

    /// A `GET` with the bearer token.
    pub async fn get(&self, path: &str) -> Reply {
        let mut connection = self.connect().await;
        let headers = [("Host", &*self.host()), ("Authorization", &*self.bearer())];
        connection.request(&format!("GET {path}"), &headers, b"").await;
        Reply(connection.response().await)
    }

    /// Gives a file to a session.
    pub async fn give_file(&self, session: &str, name: &str, bytes: &[u8]) -> Reply {
        let mut connection = self.connect().await;
        let length = bytes.len().to_string();
        let headers = [
            ("Host", &*self.host()),
            ("Authorization", &*self.bearer()),
            ("Content-Type", "application/octet-stream"),
            ("Content-Length", &*length),
        ];
        let line = format!("POST /files?session={session}&name={name}");
        connection.request(&line, &headers, bytes).await;
        Reply(connection.response().await)
    }

    /// Claims a pairing `code` for the extension of `origin`.
    pub async fn claim(&self, code: &str, origin: &str) -> Reply {
        self.claim_with(json!({"code": code}).to_string().as_bytes(), origin).await
    }

    /// Posts `body` to the pairing route.
    pub async fn claim_with(&self, body: &[u8], origin: &str) -> Reply {
        let mut connection = self.connect().await;
        let length = body.len().to_string();
        let headers = [
            ("Host", &*self.host()),
            ("Origin", origin),
            ("Content-Type", "application/json"),
            ("Content-Length", &*length),
        ];
        connection.request("POST /pair/claim", &headers, body).await;
        Reply(connection.response().await)
    }

    /// A new session, without a tab.
    pub async fn new_session(&self) -> String {
        let reply = self.send(request("session.create")).await;
        reply.data()["session"].as_str().expect("a session id").to_owned()
    }
}

/// A request whose reply has not been read yet.
pub struct PendingReply {
    pub id: String,
    task: JoinHandle<Reply>,
}

impl PendingReply {
    pub async fn reply(self) -> Reply {
        patiently("a reply", self.task).await.expect("the client task ends well")
    }

    /// Whether the reply has arrived.
    pub fn has_reply(&self) -> bool {
        self.task.is_finished()
    }

    /// Hangs up: the connection closes without waiting for the reply.
    pub fn hang_up(self) {
        self.task.abort();
    }
}

/// A response, with the assertions that tests make about it.
#[derive(Debug)]
pub struct Reply(pub Response);

impl Reply {
    pub fn status(&self) -> u16 {
        self.0.status
    }

    pub fn json(&self) -> Value {
        self.0.json()
    }

    /// The `data` of a success.
    #[track_caller]
    pub fn data(&self) -> Value {
        let body = self.0.json();
        assert!(
            self.0.status == 200 && body["ok"] == true,
            "not a success: {} {body}",
            self.0.status
        );
        body["data"].clone()
    }

    /// The `error` of a protocol failure with this code, in a complete envelope with the matching status.
    #[track_caller]
    pub fn error(&self, code: &str) -> Value {
        let body = self.0.json();
        assert!(
            body["ok"] == false && body["error"]["code"] == code,
            "not {code}: {} {body}",
            self.0.status
        );
        let status = if code == "NO_EXTENSION" { 502 } else { 200 };
        assert_eq!(self.0.status, status, "{body}");
        assert_eq!(body["protocol_version"], 1, "{body}");
        assert!(body["id"].is_string(), "{body}");
        for field in ["category", "retry", "message"] {
            assert!(
                body["error"][field].as_str().is_some_and(|text| !text.is_empty()),
                "no {field}: {body}"
            );
        }
        body["error"].clone()
    }

    /// The `message` of a failure of the route itself, which is no protocol envelope.
    #[track_caller]
    pub fn refused(&self, status: u16, code: &str) -> String {
        assert_eq!(self.0.status, status, "{:?}", self.0.text());
        let body = self.0.json();
        assert!(body["ok"] == false && body["error"]["code"] == code, "not {code}: {body}");
        body["error"]["message"].as_str().unwrap_or_else(|| panic!("no message: {body}")).to_owned()
    }
}
