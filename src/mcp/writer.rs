//! What the server writes to its client: the SDK's messages, one per line, with what JSON-RPC requires of them, and the
//! answers to lines that the SDK never saw.

use std::io;

use tokio::io::{
    AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader, SimplexStream, WriteHalf,
    simplex,
};
use tokio::sync::mpsc::Receiver;

use super::reader::Refusal;

/// How much of a message may be on its way from the SDK to the client at once.
const BUFFER_BYTES: usize = 64 * 1024;

/// How the SDK begins an error that answers no request that it could read.
const ERROR_WITHOUT_ID: &[u8] = br#"{"jsonrpc":"2.0","error":"#;

/// The same with the id that JSON-RPC 2.0 (section 5) requires then. MCP allows to leave it out, but libraries for
/// JSON-RPC take a response without an id for an invalid message.
const ERROR_WITH_NULL_ID: &[u8] = br#"{"jsonrpc":"2.0","id":null,"error":"#;

/// The end that the SDK writes to, and what passes its messages, and refusals, on to `client` until that end is dropped.
pub(super) fn writer(
    client: impl AsyncWrite + Unpin,
    refusals: Receiver<Refusal>,
) -> (WriteHalf<SimplexStream>, impl Future<Output = io::Result<()>>) {
    let (messages, sdk) = simplex(BUFFER_BYTES);
    (sdk, pass_on(messages, refusals, client))
}

async fn pass_on(
    messages: impl AsyncRead + Unpin,
    mut refusals: Receiver<Refusal>,
    mut client: impl AsyncWrite + Unpin,
) -> io::Result<()> {
    let (mut messages, mut line) = (BufReader::new(messages), Vec::new());
    loop {
        // What was read of a line stays in it when a refusal comes first.
        let read = tokio::select! {
            read = messages.read_until(b'\n', &mut line) => read?,
            Some(refusal) = refusals.recv() => {
                client.write_all(refusal.as_bytes()).await?;
                client.flush().await?;
                continue;
            }
        };
        if read == 0 && line.is_empty() {
            return Ok(());
        }
        match line.strip_prefix(ERROR_WITHOUT_ID) {
            Some(error) => {
                client.write_all(ERROR_WITH_NULL_ID).await?;
                client.write_all(error).await?;
            }
            None => client.write_all(&line).await?,
        }
        client.flush().await?;
        line.clear();
    }
}
