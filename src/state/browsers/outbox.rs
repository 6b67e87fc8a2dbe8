//! The queue of messages to write to a connection.

use std::collections::VecDeque;

use bytes::Bytes;

use crate::state::CommandKey;

/// How many unsent messages of the daemon's own a browser that does not read may pile up. Commands are bounded by the
/// pending table; these are pongs and closes of tabs.
const MAX_NOTES: usize = 256;

/// A message to send to a browser.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(in crate::state) enum Outgoing {
    /// The message of a pending command.
    Command(CommandKey),
    /// A message of the daemon's own.
    Note(Bytes),
    /// The state of the browser's sessions when this is written; see [`Outbox::session_state`].
    SessionState,
}

/// One connection's queue.
pub(super) struct Outbox {
    queue: VecDeque<Outgoing>,
    /// The state of the sessions that was sent last, or is about to be.
    session_state: Bytes,
}

impl Outbox {
    /// An empty queue. `session_state` is the state that its connection starts from.
    pub(super) fn new(session_state: Bytes) -> Self {
        Self { queue: VecDeque::new(), session_state }
    }

    /// Appends to the queue; false if it has too many notes already.
    pub(super) fn push(&mut self, outgoing: Outgoing) -> bool {
        let is_note = |outgoing: &Outgoing| matches!(outgoing, Outgoing::Note(_));
        if is_note(&outgoing)
            && self.queue.iter().filter(|waiting| is_note(waiting)).count() >= MAX_NOTES
        {
            return false;
        }
        self.queue.push_back(outgoing);
        true
    }

    /// Inserts a note at the front. It is the answer to a hello, so there is no more than one.
    pub(super) fn push_first(&mut self, note: Bytes) {
        self.queue.push_front(Outgoing::Note(note));
    }

    /// Appends the state of the sessions, or replaces the one in the queue; false if it has not changed.
    pub(super) fn push_state(&mut self, state: String) -> bool {
        if self.session_state == state {
            return false;
        }
        self.session_state = state.into();
        if !self.queue.contains(&Outgoing::SessionState) {
            self.queue.push_back(Outgoing::SessionState);
        }
        true
    }

    /// Whatever the state of the sessions is, the next one has changed.
    pub(super) fn forget_state(&mut self) {
        self.session_state = Bytes::new();
    }

    pub(super) fn pop(&mut self) -> Option<Outgoing> {
        self.queue.pop_front()
    }

    pub(super) fn session_state(&self) -> Bytes {
        self.session_state.clone()
    }

    pub(super) fn remove(&mut self, key: CommandKey) {
        self.queue.retain(|waiting| *waiting != Outgoing::Command(key));
    }

    pub(super) fn clear(&mut self) {
        self.queue.clear();
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.queue.len()
    }
}
