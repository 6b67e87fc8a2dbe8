//! A web site for real browsers: the pages of `tests/fixtures`, or of another folder, on its own port, and a few paths that
//! misbehave.

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::Value;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::Role;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use super::given;

/// What pages have sent to `/record?JSON`, each time a list of entries.
type Records = Arc<Mutex<Vec<Value>>>;

/// A running site; it ends when dropped.
pub struct Site {
    port: u16,
    records: Records,
    serving: JoinHandle<()>,
}

impl Site {
    /// Serves `tests/fixtures` on a free port.
    pub async fn start() -> Self {
        Self::of(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures")).await
    }

    /// Serves a folder on a free port.
    pub async fn of(folder: &Path) -> Self {
        let folder: Arc<Path> = folder.into();
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let records = Records::default();
        let kept = records.clone();
        let serving = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(answer(stream, folder.clone(), kept.clone()));
            }
        });
        Self { port, records, serving }
    }

    /// The port it serves on.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// What pages have recorded, in the order of its arrival.
    pub fn records(&self) -> Vec<Value> {
        self.records.lock().expect("no panic inside").clone()
    }

    /// Forgets what pages have recorded.
    pub fn forget(&self) {
        self.records.lock().expect("no panic inside").clear();
    }

    /// The address of a page in its folder.
    pub fn url(&self, page: &str) -> String {
        format!("http://127.0.0.1:{}/{page}", self.port)
    }

    /// The same under another name, which makes it another site to the browser.
    pub fn other_url(&self, page: &str) -> String {
        format!("http://localhost:{}/{page}", self.port)
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// Answers one request and closes. A browser that asks for nothing, or goes away, gets no answer.
async fn answer(mut stream: TcpStream, folder: Arc<Path>, records: Records) {
    let mut head = Vec::new();
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        match stream.read_buf(&mut head).await {
            Ok(0) | Err(_) => return,
            // Not HTTP: a browser that asks for https, which is not spoken here.
            Ok(_) if !head[0].is_ascii_uppercase() => return,
            Ok(_) => {}
        }
    }
    let head = String::from_utf8_lossy(&head);
    let address = head.split(' ').nth(1).unwrap_or("/").trim_start_matches('/');
    let (path, query) = address.split_once('?').unwrap_or((address, ""));
    if let Some(name) = path.strip_prefix("given/") {
        return given::give(stream, name, query, &head).await;
    }
    let file = |path: &str| file(&folder, path);
    let (status, headers, body) = match path {
        // As slow as it is told.
        "slow" => {
            let ms = query.strip_prefix("ms=").and_then(|ms| ms.parse().ok()).expect("slow?ms=N");
            tokio::time::sleep(Duration::from_millis(ms)).await;
            file("article.html")
        }
        // Never answers; it ends when the browser hangs up.
        "never" => return while stream.read(&mut [0; 64]).await.is_ok_and(|read| read > 0) {},
        "socket" => return converse(stream, &head).await,
        // A page that never ends: it can be read and used, and never finishes loading.
        "endless" => {
            let body = file("act.html").2;
            let head = "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\n\r\n";
            let _ = stream.write_all(head.as_bytes()).await;
            let _ = stream.write_all(&body).await;
            while stream.read(&mut [0; 64]).await.is_ok_and(|read| read > 0) {}
            return;
        }
        // A file whose second half comes as late as it is told.
        "slow-file" => {
            let ms =
                query.strip_prefix("ms=").and_then(|ms| ms.parse().ok()).expect("slow-file?ms=N");
            let head = "HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\n\
                        Content-Disposition: attachment; filename=\"slow.bin\"\r\nContent-Length: 200000\r\n\r\n";
            let half = [b'x'; 100_000];
            let _ = stream.write_all(head.as_bytes()).await;
            let _ = stream.write_all(&half).await;
            tokio::time::sleep(Duration::from_millis(ms)).await;
            let _ = stream.write_all(&half).await;
            return;
        }
        "redirect" => ("302 Found", "Location: /article.html\r\n", Vec::new()),
        "account" => ("302 Found", "Location: /login.html\r\n", Vec::new()),
        "portal" => {
            ("302 Found", "Location: http://login.microsoftonline.com/login.html\r\n", Vec::new())
        }
        "sorry/index" => file("captcha.html"),
        "record" => {
            let text = percent_decoded(query);
            let entries: Vec<Value> = serde_json::from_str(&text).expect("a list of records");
            records.lock().expect("no panic inside").extend(entries);
            ("204 No Content", "", Vec::new())
        }
        "nothing" => ("204 No Content", "", Vec::new()),
        "download" => (
            "200 OK",
            "Content-Type: application/octet-stream\r\nContent-Disposition: attachment; filename=\"file.bin\"\r\n",
            b"bytes".to_vec(),
        ),
        "paper.pdf" => {
            ("200 OK", "Content-Type: application/pdf\r\n", b"%PDF-1.4\n%%EOF\n".to_vec())
        }
        _ => file(path),
    };
    let length = body.len();
    let head = format!(
        "HTTP/1.1 {status}\r\n{headers}Content-Length: {length}\r\nConnection: close\r\n\r\n"
    );
    let _ = stream.write_all(head.as_bytes()).await;
    let _ = stream.write_all(&body).await;
    let _ = stream.shutdown().await;
}

/// A WebSocket on which a page asks `{"after": ms, "say": text}`: that it is heard is answered at once, and the text then.
async fn converse(mut stream: TcpStream, head: &str) {
    let key = head.lines().find_map(|line| line.strip_prefix("Sec-WebSocket-Key: "));
    let accept = derive_accept_key(key.expect("a key").trim().as_bytes());
    let answer = format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: {accept}\r\n\r\n"
    );
    let _ = stream.write_all(answer.as_bytes()).await;
    let socket = WebSocketStream::from_raw_socket(stream, Role::Server, None).await;
    let (sink, mut messages) = socket.split();
    let sink = Arc::new(tokio::sync::Mutex::new(sink));
    while let Some(Ok(Message::Text(asked))) = messages.next().await {
        let asked: Value = serde_json::from_str(&asked).expect("JSON");
        let sink = sink.clone();
        tokio::spawn(async move {
            let _ = sink.lock().await.send(Message::text("heard")).await;
            let ms = asked["after"].as_u64().expect("a time");
            tokio::time::sleep(Duration::from_millis(ms)).await;
            let said = asked["say"].as_str().expect("a text");
            let _ = sink.lock().await.send(Message::text(said)).await;
        });
    }
}

pub(super) fn percent_decoded(text: &str) -> String {
    let mut bytes = text.bytes();
    let mut decoded = Vec::new();
    while let Some(byte) = bytes.next() {
        let digits =
            (byte == b'%').then(|| [bytes.next(), bytes.next()].map(Option::unwrap_or_default));
        let code = digits.map(|it| String::from_utf8_lossy(&it).into_owned());
        decoded
            .push(code.map_or(byte, |code| u8::from_str_radix(&code, 16).expect("two hex digits")));
    }
    String::from_utf8(decoded).expect("UTF-8")
}

/// A file of the folder: status, headers, body.
fn file(folder: &Path, path: &str) -> (&'static str, &'static str, Vec<u8>) {
    let kind = match path.rsplit('.').next() {
        Some("js") => "Content-Type: text/javascript\r\n",
        Some("css") => "Content-Type: text/css\r\n",
        Some("svg") => "Content-Type: image/svg+xml\r\n",
        Some("png") => "Content-Type: image/png\r\n",
        _ => "Content-Type: text/html; charset=utf-8\r\n",
    };
    match std::fs::read(folder.join(path)) {
        Ok(body) if !path.contains("..") => ("200 OK", kind, body),
        _ => (
            "404 Not Found",
            kind,
            b"<!doctype html><title>Not found</title><p>There is no such page.".to_vec(),
        ),
    }
}
