//! The daemon's events, streamed.

use std::io::BufReader;
use std::time::{Duration, Instant};

use super::exchange::{self, After, Framing, Stream};
use super::{Client, Error};
use crate::protocol::DRAIN;

/// How long the daemon may take to accept the subscription. It answers from memory, but where it is just being restarted
/// the connection waits for the old daemon to finish its commands, and for the new one to start.
const SUBSCRIBE_TIMEOUT: Duration = DRAIN.saturating_add(Duration::from_secs(5));

/// How long to wait for the next event: longer than any process runs.
const FOREVER: Duration = Duration::from_secs(10 * 365 * 24 * 60 * 60);

/// The events of a daemon as they happen, each a line of JSON (docs/protocol.md §11). Ends when the daemon does.
pub struct Events<'a> {
    client: &'a Client,
    reader: BufReader<Stream>,
    /// Received bytes that have not been returned yet.
    received: Vec<u8>,
}

impl Client {
    /// Subscribes to the daemon's events from now on.
    ///
    /// # Errors
    /// When the daemon does not accept the subscription.
    pub fn events(&self) -> Result<Events<'_>, Error> {
        let mut stream = self.open(Instant::now() + SUBSCRIBE_TIMEOUT)?;
        let failed = |source| self.failed(source);
        let (host, token) = (self.way.host(), self.way.token());
        exchange::send(&mut stream, &host, "GET", "/events", token, b"", After::Close)
            .map_err(failed)?;
        let mut reader = BufReader::new(stream);
        match exchange::receive_head(&mut reader).map_err(failed)? {
            (200, Framing::Chunks) => {}
            (status, framing) => {
                let body = exchange::receive_body(&mut reader, framing).map_err(failed)?;
                return Err(self.refusal(status, &body));
            }
        }
        reader.get_mut().set_deadline(Instant::now() + FOREVER);
        Ok(Events { client: self, reader, received: Vec::new() })
    }
}

impl Iterator for Events<'_> {
    /// An incomplete line.
    type Item = Result<Vec<u8>, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(end) = self.received.iter().position(|byte| *byte == b'\n') {
                let mut line: Vec<_> = self.received.drain(..=end).collect();
                line.pop();
                return Some(Ok(line));
            }
            match exchange::read_chunk(&mut self.reader, &mut self.received) {
                Ok(true) => {}
                Ok(false) => return None,
                Err(source) => return Some(Err(self.client.failed(source))),
            }
        }
    }
}
