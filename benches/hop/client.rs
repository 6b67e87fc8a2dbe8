//! The agent's end of the hop: an HTTP client that sends one command after the other and checks every answer.

use std::cell::Cell;
use std::rc::Rc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use memchr::memmem;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::wire;

/// Longer than any command takes here.
const DEADLINE: Duration = Duration::from_secs(60);

thread_local! {
    /// The number of the next command of this process.
    static COMMANDS: Cell<u64> = const { Cell::new(0) };
}

/// An HTTP client of one server.
pub(crate) struct Client {
    port: u16,
    token: Rc<str>,
    keep_alive: bool,
    stream: Option<TcpStream>,
    buffer: Vec<u8>,
}

impl Client {
    /// A client that keeps its connection alive, or opens a new one for every command.
    pub(crate) fn new(port: u16, token: Rc<str>, keep_alive: bool) -> Client {
        Client { port, token, keep_alive, stream: None, buffer: Vec::new() }
    }

    /// Sends a command and returns the answer.
    ///
    /// # Panics
    /// When the answer is not a success of this command.
    pub(crate) async fn command(&mut self, action: &str, params: &str, session: &str) -> &[u8] {
        let number = COMMANDS.get();
        COMMANDS.set(number + 1);
        let id = format!("{:08x}-{number:016x}", std::process::id());
        let deadline = (now() + DEADLINE).as_millis();
        let command = format!(
            r#"{{"protocol_version":1,"id":"{id}","action":"{action}","params":{params},"session":"{session}","deadline":{deadline},"destructive":false}}"#
        );
        let authorization = format!("Authorization: Bearer {}\r\n", self.token);
        let answer = self.post("/", &authorization, &command).await;
        let is_own = wire::text(answer, "id") == Some(id.as_bytes());
        let is_success = memmem::find(answer, br#""ok":true"#).is_some();
        assert!(is_own && is_success, "{action}: {}", String::from_utf8_lossy(answer));
        answer
    }

    /// Sends a JSON body and returns the body of the response.
    ///
    /// # Panics
    /// When the status is not 200.
    pub(crate) async fn post(&mut self, path: &str, headers: &str, body: &str) -> &[u8] {
        self.exchange(&format!("POST {path}"), headers, body).await
    }

    /// Fetches a path and returns the body of the response.
    ///
    /// # Panics
    /// When the status is not 200.
    pub(crate) async fn get(&mut self, path: &str) -> &[u8] {
        self.exchange(&format!("GET {path}"), "", "").await
    }

    async fn exchange(&mut self, line: &str, headers: &str, body: &str) -> &[u8] {
        let request = format!(
            "{line} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\n{headers}Content-Type: application/json\r\n\
             Connection: {}\r\nContent-Length: {}\r\n\r\n{body}",
            self.port,
            if self.keep_alive { "keep-alive" } else { "close" },
            body.len()
        );
        let mut stream = match self.stream.take() {
            Some(stream) => stream,
            None => connect(self.port).await,
        };
        stream.write_all(request.as_bytes()).await.expect("a connection");
        self.buffer.clear();
        let head = loop {
            self.read(&mut stream).await;
            if let Some(head) = Head::parse(&self.buffer) {
                break head;
            }
        };
        let end = head.body + head.length;
        while self.buffer.len() < end {
            self.read(&mut stream).await;
        }
        let answer = &self.buffer[head.body..end];
        assert_eq!(head.status, 200, "{}", String::from_utf8_lossy(answer));
        if self.keep_alive {
            self.stream = Some(stream);
        }
        answer
    }

    async fn read(&mut self, stream: &mut TcpStream) {
        self.buffer.reserve(64 * 1024);
        let count = stream.read_buf(&mut self.buffer).await.expect("a connection");
        assert!(count > 0, "the connection ended within an answer");
    }
}

async fn connect(port: u16) -> TcpStream {
    let stream = TcpStream::connect(("127.0.0.1", port)).await.expect("a server");
    stream.set_nodelay(true).expect("a TCP socket");
    stream
}

fn now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock after 1970")
}

/// The parsed head of a response.
struct Head {
    status: u16,
    /// The offset of the body.
    body: usize,
    length: usize,
}

impl Head {
    /// Parses the head; `None` while it is incomplete.
    fn parse(bytes: &[u8]) -> Option<Head> {
        let mut headers = [httparse::EMPTY_HEADER; 32];
        let mut response = httparse::Response::new(&mut headers);
        let httparse::Status::Complete(body) = response.parse(bytes).expect("HTTP") else {
            return None;
        };
        let length = response
            .headers
            .iter()
            .find(|header| header.name.eq_ignore_ascii_case("content-length"))
            .and_then(|header| str::from_utf8(header.value).ok()?.parse().ok())
            .expect("a length");
        Some(Head { status: response.code.expect("a status"), body, length })
    }
}
