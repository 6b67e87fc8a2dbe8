//! Asking again about a command that an earlier daemon was given: the browser's journal knows what came of it, and nothing
//! is started by it.

use serde_json::json;

use crate::protocol::{ErrorCode, ProtocolError, Request, SessionId};

use super::{Inner, admission::Destination};

impl Inner {
    /// Whether the question can be answered by carrying out the action: if that changes nothing here.
    ///
    /// # Errors
    ///
    /// It cannot, and nobody else knows the outcome: the daemon keeps no journal of its own actions.
    pub(super) fn answer_again(&self, request: &Request<'_>) -> Result<(), ProtocolError> {
        let effect = request.action.facts().effect;
        if !request.again || effect.reads() { Ok(()) } else { Err(unknown(&request.session)) }
    }

    /// Whether the browser can be asked what came of a command.
    ///
    /// # Errors
    ///
    /// It is away, or keeps no journal.
    pub(super) fn can_recall(&self, destination: &Destination) -> Result<(), ProtocolError> {
        let session = destination.session;
        let client = self.browsers.client_of(destination.browser);
        // Until it has said hello, it is not known what it can be asked.
        if !client.is_some_and(|client| self.browsers.is_identified(client)) {
            return Err(self.no_extension(Some(session)));
        }
        match self.browsers.revision_of(destination.browser) {
            1.. => Ok(()),
            _ => Err(unknown(session.as_str())),
        }
    }

    /// Where an open went that was asked for with this id, in the session that the client names: that of the open, which
    /// the client may not know.
    pub(super) fn locate_open_again(
        &self,
        id: &str,
        named: Option<SessionId>,
    ) -> Option<Destination> {
        let open = self.asked_opens.find(id, named)?;
        let known = open.instance.as_ref().and_then(|it| self.browsers.of_instance(it));
        let browser = known.or_else(|| self.browsers.newest())?;
        Some(Destination {
            session: open.session,
            new_session: !self.sessions.has(open.session),
            browser,
            tab: None,
            awaiting_reconnect: false,
        })
    }
}

fn unknown(session: &str) -> ProtocolError {
    let message = "nobody recorded what came of the command, and it may have been carried out: look before you repeat it";
    let error = ProtocolError::new(ErrorCode::OutcomeUnknown, message, session);
    error.with_details(json!({"started": true}))
}
