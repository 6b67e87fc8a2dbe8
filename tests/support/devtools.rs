//! The DevTools protocol: concurrent calls and their answers.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use futures_util::stream::SplitSink;
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use super::patiently;

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;
/// The pending calls by id; `None` once the connection has ended.
type Waiting = Arc<Mutex<Option<HashMap<u64, oneshot::Sender<Value>>>>>;

/// A DevTools connection to a whole browser.
pub struct DevTools {
    sink: tokio::sync::Mutex<SplitSink<Socket, Message>>,
    waiting: Waiting,
    last_id: AtomicU64,
}

impl DevTools {
    pub async fn connect(address: &str) -> Self {
        let (socket, _) =
            patiently("DevTools", connect_async(address)).await.expect("a DevTools connection");
        let (sink, mut stream) = socket.split();
        let waiting = Waiting::new(Mutex::new(Some(HashMap::new())));
        let answers = waiting.clone();
        tokio::spawn(async move {
            while let Some(Ok(message)) = stream.next().await {
                let Message::Text(text) = message else { continue };
                let answer: Value = serde_json::from_str(&text).expect("DevTools speaks JSON");
                let Some(id) = answer["id"].as_u64() else { continue };
                let mut waiting = answers.lock().expect("no panic inside");
                if let Some(caller) = waiting.as_mut().and_then(|waiting| waiting.remove(&id)) {
                    let _ = caller.send(answer);
                }
            }
            // Dropping the senders tells the callers that no answer will come.
            *answers.lock().expect("no panic inside") = None;
        });
        Self { sink: sink.into(), waiting, last_id: AtomicU64::new(0) }
    }

    /// A call's result.
    ///
    /// # Panics
    /// If the browser answers with an error, or not at all.
    pub async fn call(&self, method: &str, params: Value, session: Option<&str>) -> Value {
        self.try_call(method, params, session)
            .await
            .unwrap_or_else(|error| panic!("{method}: {error}"))
    }

    /// A call's result, or the browser's error; `null` if the connection ends instead.
    pub async fn try_call(
        &self,
        method: &str,
        params: Value,
        session: Option<&str>,
    ) -> Result<Value, Value> {
        let id = self.last_id.fetch_add(1, Ordering::Relaxed) + 1;
        let mut message = json!({"id": id, "method": method, "params": params});
        if let Some(session) = session {
            message["sessionId"] = session.into();
        }
        let (caller, answer) = oneshot::channel();
        match self.waiting.lock().expect("no panic inside").as_mut() {
            Some(waiting) => waiting.insert(id, caller),
            None => return Err(Value::Null),
        };
        // If the connection has ended, the receiver below fails.
        let _ = self.sink.lock().await.send(Message::text(message.to_string())).await;
        let mut answer = patiently(method, answer).await.map_err(|_| Value::Null)?;
        match answer["error"].take() {
            Value::Null => Ok(answer["result"].take()),
            error => Err(error),
        }
    }
}
