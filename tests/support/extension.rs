//! A fake browser extension: a WebSocket client that receives commands and answers them as the test says.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};

use data_encoding::HEXLOWER;
use futures_util::{SinkExt, StreamExt};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::Sha256;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::handshake::client::Request as Upgrade;
use tokio_tungstenite::tungstenite::{Error, Message};

use super::client::{Client, Reply, Request, request};
use super::http::Connection;
use super::{patiently, wait_for};

/// The origin of the extension that the program carries: the only one that a daemon lets in without a setting.
pub fn own_origin() -> String {
    format!("chrome-extension://{}", bproxy::extension::ID)
}

/// The origin of an extension: `chrome-extension://` and 32 times `letter`.
pub fn origin(letter: char) -> String {
    format!("chrome-extension://{}", letter.to_string().repeat(32))
}

/// What an extension got by claiming a code.
#[derive(Debug, Clone)]
pub struct Pairing {
    pub token: String,
    pub origin: String,
}

impl Pairing {
    /// HMAC-SHA256 with the token as its key, of these lines, in hexadecimal.
    pub fn proof(&self, lines: &[&str]) -> String {
        let mac = Hmac::<Sha256>::new_from_slice(self.token.as_bytes()).expect("any length");
        HEXLOWER.encode(&mac.chain_update(lines.join("\n")).finalize().into_bytes())
    }

    /// What proves to the daemon on `port` that the extension knows the token: `proof.N.Q`.
    pub fn offer(&self, port: u16, nonce: &str) -> String {
        let proof = self.proof(&["bproxy extension", &port.to_string(), nonce]);
        format!("proof.{nonce}.{proof}")
    }

    /// The value of `Sec-WebSocket-Protocol` for one connection to the daemon on `port`.
    pub async fn subprotocols(&self, port: u16) -> String {
        format!("bproxy.v1, {}", self.offer(port, &nonce(port).await))
    }
}

/// The challenge of all fake extensions, which need not be different.
pub const CHALLENGE: &str = "00112233445566778899AABBccddeeff";

/// Asks the daemon on `port` for its proof.
pub async fn challenge(port: u16, challenge: &str) -> Reply {
    let mut connection = Connection::open(port).await;
    let host = format!("127.0.0.1:{port}");
    let line = format!("GET /challenge?nonce={challenge}");
    connection.request(&line, &[("Host", &host)], b"").await;
    Reply(connection.response().await)
}

/// A nonce of the daemon on `port`; empty if it gives none.
pub async fn nonce(port: u16) -> String {
    let reply = challenge(port, CHALLENGE).await;
    reply.json()["data"]["nonce"].as_str().unwrap_or_default().to_owned()
}

/// Base64 for URLs, without padding.
pub fn base64url(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let word = chunk.iter().fold(0u32, |word, byte| word << 8 | u32::from(*byte))
            << (8 * (3 - chunk.len()));
        for place in 0..=chunk.len() {
            text.push(char::from(ALPHABET[(word >> (18 - 6 * place)) as usize & 63]));
        }
    }
    text
}

/// A command as the daemon forwarded it.
#[derive(Debug, Clone, PartialEq)]
pub struct Command {
    /// The bytes of the message.
    pub raw: String,
    pub json: Value,
}

impl Command {
    pub fn id(&self) -> &str {
        self.json["id"].as_str().expect("an id")
    }

    pub fn action(&self) -> &str {
        self.json["action"].as_str().expect("an action")
    }

    /// The whole target, `null` for `tab.open`.
    pub fn target(&self) -> &Value {
        &self.json["target"]
    }

    /// The raw tab id, or `None` for `tab.open`.
    pub fn tab_id(&self) -> Option<i64> {
        self.json["target"]["tabId"].as_i64()
    }

    pub fn params(&self) -> &Value {
        &self.json["params"]
    }
}

/// How a serving extension answers a command.
#[derive(Debug, Clone)]
pub enum Answer {
    Data(Value),
    Error(&'static str, &'static str),
    Silence,
}

/// A tab that the extension opened for a session.
#[derive(Debug, Clone)]
pub struct Tab {
    pub session: String,
    /// `tN`.
    pub tab: String,
    /// The browser's number for it.
    pub id: i64,
    /// Where it was opened.
    pub url: &'static str,
}

impl Tab {
    /// Starts a request of this tab's session.
    pub fn request(&self, action: &str) -> Request {
        request(action).session(&self.session)
    }
}

/// The extension's end of one WebSocket connection.
pub struct FakeExtension {
    socket: WebSocketStream<TcpStream>,
    /// Commands that arrived while the test waited for something else.
    waiting: VecDeque<Command>,
    /// URL of each tab, for the answers' `page`.
    urls: HashMap<i64, String>,
    next_tab: i64,
    next_ping: i64,
    /// The `state` messages it got, oldest first.
    pub states: Vec<Value>,
    /// The daemon's nonce that its connection was opened with.
    pub nonce: String,
    /// The `welcome` messages it got.
    pub welcomes: Vec<Value>,
}

impl FakeExtension {
    /// Upgrades a connection with valid headers, or returns the status of the refusal.
    pub async fn connect(port: u16, pairing: &Pairing) -> Result<Self, u16> {
        let nonce = nonce(port).await;
        let offered = format!("bproxy.v1, {}", pairing.offer(port, &nonce));
        let mut upgrade: Upgrade =
            format!("ws://127.0.0.1:{port}/ws").into_client_request().expect("a URL");
        let headers = upgrade.headers_mut();
        headers.insert("origin", pairing.origin.parse().expect("a header value"));
        headers.insert("sec-websocket-protocol", offered.parse().expect("a header value"));
        let stream = TcpStream::connect(("127.0.0.1", port)).await.expect("the daemon listens");
        stream.set_nodelay(true).expect("a TCP socket takes nodelay");
        let handshake =
            patiently("the upgrade", tokio_tungstenite::client_async(upgrade, stream)).await;
        match handshake {
            Ok((socket, response)) => {
                assert_eq!(response.headers()["sec-websocket-protocol"], "bproxy.v1");
                assert!(!response.headers().contains_key("sec-websocket-extensions"));
                Ok(Self {
                    socket,
                    waiting: VecDeque::new(),
                    urls: HashMap::new(),
                    // Different for every extension, as the numbers of two browsers may be.
                    next_tab: i64::from(port) * 100,
                    next_ping: 1,
                    states: Vec::new(),
                    nonce,
                    welcomes: Vec::new(),
                })
            }
            Err(Error::Http(response)) => Err(response.status().as_u16()),
            Err(error) => panic!("the upgrade failed: {error}"),
        }
    }

    /// Makes the browser's tab numbers start at `first`: two browsers may use the same ones.
    pub fn number_tabs_from(&mut self, first: i64) {
        self.next_tab = first;
    }

    // --- what the extension says ---

    /// Sends one text frame.
    pub async fn send(&mut self, text: impl Into<String>) {
        self.socket.send(Message::text(text.into())).await.expect("the connection stands");
    }

    /// Sends one text frame to a daemon that may have ended.
    pub async fn try_send(&mut self, text: impl Into<String>) {
        // If it has, the next receive fails.
        let _ = self.socket.send(Message::text(text.into())).await;
    }

    /// Sends one message of any kind.
    pub async fn send_message(&mut self, message: Message) {
        self.socket.send(message).await.expect("the connection stands");
    }

    /// Writes bytes to the socket below the WebSocket.
    pub async fn send_raw(&mut self, bytes: &[u8]) {
        // A daemon that has hung up in the middle is what some tests are about.
        let _ = self.socket.get_mut().write_all(bytes).await;
    }

    /// Reads `count` bytes below the WebSocket, which cannot be used any more afterwards.
    pub async fn receive_raw(&mut self, count: usize) {
        let mut bytes = vec![0; count];
        let read = self.socket.get_mut().read_exact(&mut bytes);
        patiently("bytes from the daemon", read).await.expect("the connection stands");
    }

    pub async fn hello(&mut self, instance: &str) {
        self.hello_with(instance, 1).await;
    }

    pub async fn hello_with(&mut self, instance: &str, protocol_version: i64) {
        self.hello_of(instance, "0.1.0", protocol_version).await;
    }

    /// Introduces itself as an extension that numbers elements and marks documents.
    pub async fn hello_of_revision_1(&mut self, instance: &str) {
        self.hello_with_nonce(instance, CHALLENGE).await;
    }

    /// Introduces itself as an extension of revision 1 that holds these tabs for sessions.
    pub async fn hello_holding(&mut self, instance: &str, tabs: &[(i64, &str)]) {
        let tabs: Vec<_> =
            tabs.iter().map(|(id, session)| json!({"tabId": id, "session": session})).collect();
        let hello = json!({"type": "hello", "instanceId": instance, "extensionVersion": "0.1.0",
            "protocolVersion": 1, "browser": "Chromium 156", "revision": 1, "nonce": CHALLENGE, "tabs": tabs});
        self.try_send(hello.to_string()).await;
    }

    /// Introduces itself as an extension of this version.
    pub async fn hello_of(&mut self, instance: &str, version: &str, protocol_version: i64) {
        let hello = json!({"type": "hello", "instanceId": instance, "extensionVersion": version,
            "protocolVersion": protocol_version, "browser": "Chromium 156"});
        self.send(hello.to_string()).await;
    }

    /// Introduces itself as an extension of revision 1, with this nonce for the daemon's proof.
    pub async fn hello_with_nonce(&mut self, instance: &str, nonce: &str) {
        let hello = json!({"type": "hello", "instanceId": instance, "extensionVersion": "0.1.0",
            "protocolVersion": 1, "browser": "Chromium 156", "revision": 1, "nonce": nonce});
        self.send(hello.to_string()).await;
    }

    /// Reports that a tab has navigated to `url`, and waits until the daemon has handled it.
    pub async fn navigated(&mut self, tab_id: i64, url: &str) {
        self.navigated_by(tab_id, url, "committed").await;
    }

    /// Reports a navigation with its cause, and waits until the daemon has handled it.
    pub async fn navigated_by(&mut self, tab_id: i64, url: &str, cause: &str) {
        self.urls.insert(tab_id, url.to_owned());
        self.send(
            json!({"type": "navigation", "tabId": tab_id, "url": url, "cause": cause}).to_string(),
        )
        .await;
        self.fence().await;
    }

    /// Answers with a success: `data`, and the page of the command's tab.
    pub async fn answer(&mut self, command: &Command, data: Value) {
        let envelope = self.success(command, data);
        self.send(envelope.to_string()).await;
    }

    /// Answers with a success whose page has this document.
    pub async fn answer_in(&mut self, command: &Command, document: &str, data: Value) {
        let mut envelope = self.success(command, data);
        envelope["page"]["document"] = json!(document);
        self.send(envelope.to_string()).await;
    }

    /// The success envelope for a command.
    pub fn success(&self, command: &Command, data: Value) -> Value {
        let url = match command.tab_id() {
            Some(tab) => self.urls.get(&tab).cloned().unwrap_or_default(),
            None => command.params()["url"].as_str().unwrap_or_default().to_owned(),
        };
        json!({"protocol_version": 1, "id": command.id(), "ok": true, "data": data, "page": page(&url), "replay": false})
    }

    /// Answers with an error that has only the required fields.
    pub async fn fail(&mut self, command: &Command, code: &str, message: &str) {
        let envelope = json!({"protocol_version": 1, "id": command.id(), "ok": false,
            "error": {"code": code, "message": message}});
        self.send(envelope.to_string()).await;
    }

    /// Resumes a session as the person does in the popup, and waits until the daemon has done it.
    pub async fn resume(&mut self, session: &str) {
        self.send(json!({"type": "session.resume", "session": session}).to_string()).await;
        self.fence().await;
    }

    // --- what the extension receives ---

    /// The next command.
    ///
    /// # Panics
    /// If none comes, or the connection ends.
    pub async fn receive(&mut self) -> Command {
        if let Some(command) = self.waiting.pop_front() {
            return command;
        }
        let message = patiently("a forwarded command", self.next_text()).await;
        as_command(message)
    }

    /// The next command, or `None` when the connection ends first.
    pub async fn receive_or_end(&mut self) -> Option<Command> {
        loop {
            let text = self.text_or_end().await?;
            let message: Value = serde_json::from_str(&text).expect("JSON from the daemon");
            if message["type"].is_null() {
                return Some(as_command(text));
            }
        }
    }

    /// The next command, which must be `action`.
    pub async fn receive_action(&mut self, action: &str) -> Command {
        let command = self.receive().await;
        assert_eq!(command.action(), action, "{}", command.raw);
        command
    }

    /// One round trip to the daemon: everything sent before it has been handled, and everything the daemon sent before
    /// it has arrived.
    pub async fn fence(&mut self) {
        let ts = self.next_ping;
        self.next_ping += 1;
        self.send(json!({"type": "ping", "ts": ts}).to_string()).await;
        loop {
            let text = patiently("a pong", self.next_text()).await;
            let json: Value = serde_json::from_str(&text).expect("JSON from the daemon");
            if json["type"] != "pong" {
                self.waiting.push_back(as_command(text));
            } else if json == json!({"type": "pong", "ts": ts}) {
                return;
            }
        }
    }

    /// Asserts, after a fence, that no command has arrived.
    pub async fn has_nothing(&mut self) {
        self.fence().await;
        assert!(self.waiting.is_empty(), "commands that should not be here: {:?}", self.waiting);
    }

    /// Waits for the end of the connection and returns the close code, or `None` without a close frame.
    pub async fn ended(&mut self) -> Option<u16> {
        let mut code = None;
        loop {
            match patiently("the connection's end", self.socket.next()).await {
                Some(Ok(Message::Close(frame))) => code = frame.map(|frame| frame.code.into()),
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return code,
            }
        }
    }

    /// Closes the connection as a browser does.
    pub async fn close(mut self) {
        let _ = self.socket.close(None).await;
        self.ended().await;
    }

    // Dropping a FakeExtension ends its connection abruptly, without a close frame.

    // --- whole round trips ---

    /// Sends `request` for a client, receives it, answers it with `data`: the command and the client's reply.
    pub async fn exchange(
        &mut self,
        client: &Client,
        request: Request,
        data: Value,
    ) -> (Command, Reply) {
        let on_its_way = client.begin(request);
        let early = wait_for("a reply without a command", || on_its_way.has_reply().then_some(()));
        let command = tokio::select! {
            command = self.receive() => command,
            () = early => panic!("a reply before any command: {}", on_its_way.reply().await.0.text()),
        };
        assert_eq!(command.id(), on_its_way.id, "another command came first");
        self.answer(&command, data).await;
        (command, on_its_way.reply().await)
    }

    /// Opens a tab in a new session, which is bound to it and has no pacing.
    pub async fn open_tab(&mut self, client: &Client) -> Tab {
        let session = client.new_session().await;
        let fast = request("session.bind").session(&session).params(json!({"pacing": "fast"}));
        // Pacing can be set on a session without a tab.
        client.send(fast).await.data();
        self.open_tab_in(client, &session).await
    }

    /// Opens a tab in `session`.
    pub async fn open_tab_in(&mut self, client: &Client, session: &str) -> Tab {
        let id = self.take_tab_number();
        let url = "https://example.org/start";
        let open = request("tab.open").session(session).params(json!({"url": url}));
        let (_, reply) = self.exchange(client, open, json!({"tabId": id, "url": url})).await;
        self.urls.insert(id, url.to_owned());
        let data = reply.data();
        Tab {
            session: session.to_owned(),
            tab: data["tab"].as_str().expect("a tab").to_owned(),
            id,
            url,
        }
    }

    /// Answers every command from now on: as `script` says, or as a browser would where it returns `None`.
    pub fn serve(self, script: impl FnMut(&Command) -> Option<Answer> + Send + 'static) -> Serving {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let task = tokio::spawn(self.serving(script, Arc::clone(&seen)));
        Serving { seen, task }
    }

    async fn serving(
        mut self,
        mut script: impl FnMut(&Command) -> Option<Answer>,
        seen: Arc<Mutex<Vec<Command>>>,
    ) {
        loop {
            // A command may have come before the script.
            let command = match self.waiting.pop_front() {
                Some(command) => command,
                None => {
                    let Some(text) = self.text_or_end().await else { return };
                    let json: Value = serde_json::from_str(&text).expect("JSON from the daemon");
                    if json["type"].is_string() {
                        continue;
                    }
                    as_command(text)
                }
            };
            seen.lock().expect("no panic inside").push(command.clone());
            match script(&command).unwrap_or_else(|| self.natural_answer(&command)) {
                Answer::Data(data) => self.answer(&command, data).await,
                Answer::Error(code, message) => self.fail(&command, code, message).await,
                Answer::Silence => {}
            }
        }
    }

    fn natural_answer(&mut self, command: &Command) -> Answer {
        if command.action() != "tab.open" {
            return Answer::Data(json!({}));
        }
        let id = self.take_tab_number();
        let url = command.params()["url"].as_str().expect("a url").to_owned();
        self.urls.insert(id, url.clone());
        Answer::Data(json!({"tabId": id, "url": url}))
    }

    fn take_tab_number(&mut self) -> i64 {
        self.next_tab += 1;
        self.next_tab
    }

    /// The next text message of any kind.
    pub async fn next_json(&mut self) -> Value {
        let next = async {
            loop {
                match self.socket.next().await {
                    Some(Ok(Message::Text(text))) => break text,
                    Some(Ok(Message::Ping(_))) => {}
                    other => panic!("no text: {other:?}"),
                }
            }
        };
        let text = patiently("a message from the daemon", next).await;
        serde_json::from_str(&text).expect("JSON from the daemon")
    }

    /// The next text message, unparsed.
    pub async fn next_text(&mut self) -> String {
        self.text_or_end().await.expect("the connection stands")
    }

    async fn text_or_end(&mut self) -> Option<String> {
        loop {
            match self.socket.next().await {
                Some(Ok(Message::Text(text))) => match of_type(&text, "state") {
                    Some(mut state) => self.states.push(state["sessions"].take()),
                    None => match of_type(&text, "welcome") {
                        Some(welcome) => self.welcomes.push(welcome),
                        None => return Some(text.to_string()),
                    },
                },
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                Some(Ok(Message::Binary(bytes))) => {
                    panic!("a binary message from the daemon: {bytes:?}")
                }
                Some(Ok(Message::Close(frame))) => eprintln!("the daemon closes: {frame:?}"),
                Some(Ok(Message::Frame(_)) | Err(_)) | None => return None,
            }
        }
    }
}

/// The message, if it is of this type.
fn of_type(text: &str, kind: &str) -> Option<Value> {
    let message: Value = serde_json::from_str(text).ok()?;
    (message["type"] == kind).then_some(message)
}

/// An extension that answers by itself. Its connection ends abruptly when this is dropped.
pub struct Serving {
    seen: Arc<Mutex<Vec<Command>>>,
    task: JoinHandle<()>,
}

impl Serving {
    /// Everything received since `serve`.
    pub fn seen(&self) -> Vec<Command> {
        self.seen.lock().expect("no panic inside").clone()
    }

    /// Waits until a command of `action` has been received.
    pub async fn saw(&self, action: &str) -> Command {
        wait_for(action, || self.seen().into_iter().find(|command| command.action() == action))
            .await
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The `page` of a finished load.
pub fn page(url: &str) -> Value {
    json!({"url": url, "title": "A page", "state": "ready", "busy": false})
}

/// A text as a client's frame, masked with zeros.
pub fn frame(text: &[u8]) -> Vec<u8> {
    let mut frame = vec![0x81];
    match text.len() {
        length @ 0..126 => frame.push(0x80 | length as u8),
        length => {
            frame.push(0x80 | 126);
            frame.extend(u16::try_from(length).expect("a short text").to_be_bytes());
        }
    }
    frame.extend([0; 4]);
    frame.extend(text);
    frame
}

fn as_command(text: String) -> Command {
    let json: Value = serde_json::from_str(&text).expect("JSON from the daemon");
    assert!(json["id"].is_string() && json["action"].is_string(), "not a command: {text}");
    Command { raw: text, json }
}
