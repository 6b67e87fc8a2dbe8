//! A raw HTTP/1.1 client: one TCP connection, any bytes out, parsed responses in. It knows nothing about bproxy.

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::patiently;

/// One connection to the daemon.
pub struct Connection {
    stream: TcpStream,
    /// Bytes read and not yet used by a response.
    buffer: Vec<u8>,
}

/// A whole response.
#[derive(Debug)]
pub struct Response {
    pub status: u16,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Connection {
    /// Connects to `127.0.0.1:port`.
    pub async fn open(port: u16) -> Self {
        let stream = TcpStream::connect(("127.0.0.1", port)).await.expect("the daemon listens");
        stream.set_nodelay(true).expect("a TCP socket takes nodelay");
        Self { stream, buffer: Vec::new() }
    }

    /// Writes `bytes` as they are. That the peer has hung up is no error here: reading its response shows it.
    pub async fn write(&mut self, bytes: impl AsRef<[u8]>) {
        let _ = self.stream.write_all(bytes.as_ref()).await;
    }

    /// Writes a request: the request line, the headers, an empty line, the body.
    pub async fn request(&mut self, line: &str, headers: &[(&str, &str)], body: &[u8]) {
        let mut head = format!("{line} HTTP/1.1\r\n");
        for (name, value) in headers {
            head += &format!("{name}: {value}\r\n");
        }
        head += "\r\n";
        let mut bytes = head.into_bytes();
        bytes.extend_from_slice(body);
        self.write(bytes).await;
    }

    /// Reads one response.
    ///
    /// # Panics
    /// If the connection ends before a whole response, or none comes.
    pub async fn response(&mut self) -> Response {
        patiently("an HTTP response", self.read_response()).await.unwrap_or_else(|| {
            panic!("the connection ended without a response; got {:?}", self.text())
        })
    }

    /// Reads one response, or `None` if the connection ends first.
    pub async fn response_or_end(&mut self) -> Option<Response> {
        patiently("an HTTP response or the connection's end", self.read_response()).await
    }

    /// Reads the status and the headers of a response whose body has no end.
    ///
    /// # Panics
    /// If the connection ends before.
    pub async fn head(&mut self) -> Response {
        patiently("the head of a response", self.read_head()).await.expect("a head")
    }

    /// Reads one chunk of a body, or `None` if the body or the connection ends.
    pub async fn chunk(&mut self) -> Option<Vec<u8>> {
        patiently("a chunk", self.read_chunk()).await.filter(|chunk| !chunk.is_empty())
    }

    /// Reads exactly so many bytes of a body.
    ///
    /// # Panics
    /// If the connection ends before.
    pub async fn exactly(&mut self, count: usize) -> Vec<u8> {
        let read = self.read_exactly(count);
        patiently("a part of a body", read).await.expect("as many bytes")
    }

    /// Reads `count` bytes and hangs up.
    ///
    /// # Panics
    /// If fewer arrive.
    pub async fn read_and_hang_up(mut self, count: usize) -> Vec<u8> {
        let mut bytes = vec![0; count];
        let read = self.stream.read_exact(&mut bytes);
        patiently("a part of a response", read).await.expect("as many bytes");
        bytes
    }

    /// Waits until the daemon has closed the connection without sending another byte.
    ///
    /// # Panics
    /// If bytes arrive instead, or it stays open.
    pub async fn closed(&mut self) {
        let more = patiently("the end of the connection", self.read_more()).await;
        assert!(!more && self.buffer.is_empty(), "bytes instead of the end: {:?}", self.text());
    }

    /// Whether the daemon has closed the connection by now (does not wait).
    pub fn is_closed_now(&mut self) -> bool {
        matches!(self.stream.try_read(&mut [0; 1]), Ok(0))
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.buffer).into_owned()
    }

    /// False at the end. A reset is an end too: the daemon closed before it had read everything.
    async fn read_more(&mut self) -> bool {
        self.stream.read_buf(&mut self.buffer).await.is_ok_and(|read| read > 0)
    }

    async fn read_line(&mut self) -> Option<String> {
        loop {
            if let Some(end) = self.buffer.windows(2).position(|pair| pair == b"\r\n") {
                let line = self.buffer.drain(..end + 2).take(end).collect();
                return Some(String::from_utf8(line).expect("a header line is text"));
            }
            if !self.read_more().await {
                return None;
            }
        }
    }

    async fn read_exactly(&mut self, count: usize) -> Option<Vec<u8>> {
        while self.buffer.len() < count {
            if !self.read_more().await {
                return None;
            }
        }
        Some(self.buffer.drain(..count).collect())
    }

    async fn read_head(&mut self) -> Option<Response> {
        let status_line = self.read_line().await?;
        let status = status_line
            .split(' ')
            .nth(1)
            .and_then(|text| text.parse().ok())
            .expect("a status line");
        let mut response = Response { status, headers: Vec::new(), body: Vec::new() };
        loop {
            let line = self.read_line().await?;
            if line.is_empty() {
                break;
            }
            let (name, value) = line.split_once(':').expect("a header line");
            response.headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
        Some(response)
    }

    /// `None` where the connection ends first. The last chunk is empty.
    async fn read_chunk(&mut self) -> Option<Vec<u8>> {
        let size = self.read_line().await?;
        let size = usize::from_str_radix(size.trim(), 16).expect("a chunk size");
        let mut chunk = self.read_exactly(size + 2).await?;
        chunk.truncate(size);
        Some(chunk)
    }

    async fn read_response(&mut self) -> Option<Response> {
        let mut response = self.read_head().await?;
        if matches!(response.status, 101 | 204) {
            return Some(response);
        }
        if let Some(length) = response.header("content-length") {
            let length = length.parse().expect("a content length");
            response.body = self.read_exactly(length).await?;
        } else if response.header("transfer-encoding") == Some("chunked") {
            loop {
                let chunk = self.read_chunk().await?;
                if chunk.is_empty() {
                    break;
                }
                response.body.extend_from_slice(&chunk);
            }
        } else {
            while self.read_more().await {}
            response.body = std::mem::take(&mut self.buffer);
        }
        Some(response)
    }
}

impl Drop for Connection {
    /// Hangs up at once. Closing alone may come late: a child process that another test is just starting has a copy of
    /// the descriptor until it executes its program.
    fn drop(&mut self) {
        let _ = rustix::net::shutdown(&self.stream, rustix::net::Shutdown::Both);
    }
}

impl Response {
    /// The header's value, if it is there.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The body as JSON.
    ///
    /// # Panics
    /// If it is none.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| {
            panic!("status {} with a body that is no JSON: {:?}", self.status, self.text())
        })
    }

    /// The body as text, for messages.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}
