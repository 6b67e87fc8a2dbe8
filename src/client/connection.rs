//! A connection that carries several commands.

use std::time::{Duration, Instant};

use super::exchange::{After, Stream};
use super::{ANSWER_GRACE, Answer, Client, Error, request};
use crate::protocol::Action;

/// A connection that carries one command after another. When the daemon has closed it, the next command opens another
/// one. No command is ever sent twice.
pub struct Connection<'a> {
    client: &'a Client,
    stream: Option<Stream>,
}

impl<'a> Connection<'a> {
    pub(super) fn new(client: &'a Client) -> Connection<'a> {
        Connection { client, stream: None }
    }

    /// Does what [`Client::command`] does.
    ///
    /// # Errors
    /// When no envelope comes back.
    pub fn command(
        &mut self,
        id: &str,
        action: &Action,
        session: &str,
        timeout: Duration,
    ) -> Result<Answer, Error> {
        request::by_either_clock(|ahead| {
            let caller = self.client.caller.as_ref();
            let body = request::body(id, action, session, timeout, caller, false, ahead)?;
            self.post(&body, timeout)
        })
    }

    fn post(&mut self, body: &str, timeout: Duration) -> Result<Answer, Error> {
        let deadline = Instant::now() + timeout + ANSWER_GRACE;
        let mut stream = match self.stream.take().filter(Stream::is_idle) {
            Some(mut stream) => {
                stream.set_deadline(deadline);
                stream
            }
            None => self.client.open(deadline)?,
        };
        let received =
            self.client.exchange(&mut stream, "POST", "/", body.as_bytes(), After::Keep)?;
        self.stream = Some(stream);
        self.client.answer(received)
    }
}
