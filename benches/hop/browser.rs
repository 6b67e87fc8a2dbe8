//! The browser's end of the hop: a fake extension that answers every command at once, with prepared bytes.

use std::rc::Rc;

use futures_util::{FutureExt, SinkExt, StreamExt};
use tokio::net::TcpStream;
use tokio::task::{JoinHandle, spawn_local};
use tokio::time::{Duration, MissedTickBehavior, interval};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::frame::{
    Frame,
    coding::{Data, OpCode},
};
use tokio_tungstenite::{WebSocketStream, client_async};

use crate::wire;

/// The ping interval of the real extension (protocol §10).
const PING_EVERY: Duration = Duration::from_secs(20);

/// The size of the frames in which Chromium sends a message.
const FRAME_BYTES: usize = 131_000;

/// The number of links in an answer: as many as get a handle.
const LINKS: usize = 200;

/// The URL of every tab.
const PAGE: &str = "https://example.com/";

/// The origin that claims the pairing and connects.
pub(crate) const ORIGIN: &str = "chrome-extension://afgmhlmdmjjdddecnkgbflnnpopehjmd";

/// A connected browser. Dropping it closes the connection.
pub(crate) struct Browser(JoinHandle<()>);

impl Drop for Browser {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Browser {
    /// Connects with these subprotocols, and answers reads with `text`.
    pub(crate) async fn connect(port: u16, offered: &str, text: Rc<str>) -> Browser {
        let mut upgrade =
            format!("ws://127.0.0.1:{port}/ws").into_client_request().expect("a valid address");
        let headers = upgrade.headers_mut();
        headers.insert("origin", ORIGIN.parse().expect("ASCII"));
        headers.insert("sec-websocket-protocol", offered.parse().expect("ASCII"));
        let stream = TcpStream::connect(("127.0.0.1", port)).await.expect("a server");
        stream.set_nodelay(true).expect("a TCP socket");
        let (socket, _) = client_async(upgrade, stream).await.expect("an upgrade");
        let answers = Answers { text, links: links(), tabs: 0 };
        Browser(spawn_local(serve(socket, answers)))
    }
}

async fn serve(mut socket: WebSocketStream<TcpStream>, mut answers: Answers) {
    let mut pings = interval(PING_EVERY);
    pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let message = tokio::select! {
            message = socket.next() => message,
            _ = pings.tick() => {
                let ping = Message::text(r#"{"type":"ping","ts":1}"#);
                socket.send(ping).await.expect("a connection");
                continue;
            }
        };
        let mut next = Some(message);
        while let Some(message) = next {
            let Some(Ok(message)) = message else { return };
            if let Some(answer) = answers.to(&message) {
                for frame in frames(answer.as_bytes()) {
                    socket.feed(frame).await.expect("a connection");
                }
            }
            // Answers all commands that have arrived with one write.
            next = socket.next().now_or_never();
        }
        if socket.flush().await.is_err() {
            return;
        }
    }
}

/// Splits a text message into frames.
fn frames(text: &[u8]) -> impl Iterator<Item = Message> {
    let count = text.len().div_ceil(FRAME_BYTES);
    text.chunks(FRAME_BYTES).enumerate().map(move |(n, part)| {
        let data = if n == 0 { Data::Text } else { Data::Continue };
        Message::Frame(Frame::message(part.to_vec(), OpCode::Data(data), n + 1 == count))
    })
}

/// The prepared answers.
struct Answers {
    text: Rc<str>,
    links: String,
    tabs: usize,
}

impl Answers {
    fn to(&mut self, message: &Message) -> Option<String> {
        let Message::Text(command) = message else { return None };
        let id = str::from_utf8(wire::text(command.as_bytes(), "id")?).ok()?;
        let data = match wire::text(command.as_bytes(), "action")? {
            b"tab.open" => {
                self.tabs += 1;
                format!(r#"{{"tabId":{},"url":"{PAGE}"}}"#, self.tabs)
            }
            b"links" => self.links.clone(),
            _ => format!(r#"{{"text":"{}"}}"#, self.text),
        };
        Some(format!(
            r#"{{"protocol_version":1,"id":"{id}","ok":true,"data":{data},"page":{{"url":"{PAGE}","title":"Example","state":"ready","busy":false}},"replay":false}}"#
        ))
    }
}

fn links() -> String {
    let links: Vec<_> = (0..LINKS)
        .map(|n| {
            format!(
                r##"{{"text":"Link {n}","href":"https://example.com/{n}","target":{{"selector":"#link-{n}"}}}}"##
            )
        })
        .collect();
    format!(r#"{{"links":[{}],"total":{LINKS}}}"#, links.join(","))
}
