//! What the client writes to the server: passed on to the SDK line by line, but for lines that are no JSON, which it would
//! drop without a word.

use std::io;

use serde::de::IgnoredAny;
use tokio::io::{
    AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWriteExt, BufReader, ReadHalf, SimplexStream,
    simplex,
};
use tokio::sync::mpsc::Sender;

/// How much of a message may be on its way from the client to the SDK at once.
const BUFFER_BYTES: usize = 64 * 1024;

/// The longest line: what the SDK takes.
const MAX_LINE: usize = 16 * 1024 * 1024;

/// Why a line does not reach the SDK, as the answer to it.
pub(super) type Refusal = String;

/// The end that the SDK reads from, and what passes the lines of `client` on to it until either ends. The others are
/// answered through `refusals`.
pub(super) fn reader(
    client: impl AsyncRead + Unpin,
    refusals: Sender<Refusal>,
) -> (ReadHalf<SimplexStream>, impl Future<Output = io::Result<()>>) {
    let (sdk, messages) = simplex(BUFFER_BYTES);
    (sdk, pass_on(client, messages, refusals))
}

async fn pass_on(
    client: impl AsyncRead + Unpin,
    mut messages: impl AsyncWriteExt + Unpin,
    refusals: Sender<Refusal>,
) -> io::Result<()> {
    let (mut client, mut line) = (BufReader::new(client), Vec::new());
    let mut is_too_long = false;
    loop {
        line.clear();
        let part = (&mut client).take(MAX_LINE as u64).read_until(b'\n', &mut line).await?;
        let is_end = line.last() == Some(&b'\n');
        // The client has ended, maybe amid a line.
        if part < MAX_LINE && !is_end {
            return messages.shutdown().await;
        }
        let was_too_long = std::mem::replace(&mut is_too_long, !is_end);
        let refusal = if was_too_long {
            None
        } else if is_too_long {
            Some(refusal(-32600, &format!("the message has more than {MAX_LINE} bytes")))
        } else if line.trim_ascii().is_empty() {
            None
        } else if let Err(problem) = serde_json::from_slice::<IgnoredAny>(&line) {
            Some(refusal(-32700, &format!("the message is not JSON: {problem}")))
        } else {
            messages.write_all(&line).await?;
            None
        };
        if let Some(refusal) = refusal {
            // It fails only when nobody writes to the client any more.
            let _ = refusals.send(refusal).await;
        }
    }
}

/// An error that answers no request, because none could be read.
fn refusal(code: i32, message: &str) -> Refusal {
    let error = serde_json::json!({"code": code, "message": message});
    format!(r#"{{"jsonrpc":"2.0","id":null,"error":{error}}}"#) + "\n"
}

#[cfg(test)]
mod tests {
    use tokio::sync::mpsc::channel;

    use super::*;

    #[tokio::test]
    async fn what_is_no_json_or_too_long_is_refused_and_everything_else_passed_on() {
        let (refusals, mut refused) = channel(8);
        let long = format!("\"{}\"\n", "a".repeat(MAX_LINE));
        let input = format!("{{\"a\":1}}\n\n{{\"b\":\n  \n{long}[2]\r\n{{\"cut\":3");
        let (mut sdk, passing) = reader(input.as_bytes(), refusals);
        let mut passed = String::new();
        let (end, read) = tokio::join!(passing, sdk.read_to_string(&mut passed));
        assert!(end.is_ok() && read.is_ok());
        assert_eq!(passed, "{\"a\":1}\n[2]\r\n");
        let mut codes = Vec::new();
        while let Some(refusal) = refused.recv().await {
            let refusal: serde_json::Value = serde_json::from_str(&refusal).unwrap();
            codes.push(refusal["error"]["code"].as_i64().unwrap());
        }
        assert_eq!(codes, [-32700, -32600]);
    }
}
