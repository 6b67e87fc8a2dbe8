//! Commands between admission and answer: a bounded table, who waits for them, and what is due when.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    sync::Arc,
};

use bytes::Bytes;
use tokio::sync::oneshot;
use tokio_tungstenite::tungstenite::Utf8Bytes;

use crate::protocol::SessionId;

use super::{
    Instant,
    browsers::{BrowserId, ClientId},
    handles::PageStamp,
};

/// How many commands there may be between admission and answer (protocol §6).
pub(super) const MAX_PENDING: usize = 100;

/// Identifies a command while the daemon runs.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub(super) struct CommandKey(u64);

/// What a client gets: an HTTP status and a JSON body.
#[derive(Clone, Debug)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// A JSON text.
    pub body: Bytes,
}

/// Where a command stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Phase {
    /// Waiting for its pacing slot.
    Paced(Instant),
    /// In its tab's queue, behind others, or first while its browser is away.
    Queued,
    /// Sent to the browser; numbered in the order of sending.
    Sent(u64),
    /// A session's end, waiting for the browser to close these tabs.
    Closing,
}

/// What the daemon makes of a command's answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    /// A new tab, in a new session if so said.
    Open { new_session: bool, url: String },
    /// The tab is gone.
    CloseTab,
    /// The tab is pinned, or not.
    Pin(bool),
    /// The tab is in front.
    Activate,
    /// Targets in the answer get handles.
    Read(crate::protocol::HandleKind),
    /// The answer holds the browser's tab ids.
    Log,
    /// The answer is passed on.
    Relay,
    /// A session's end, with the tabs still to be closed and how many were.
    CloseSession { waiting: HashSet<String>, closed: usize },
}

/// One command between admission and answer.
pub(super) struct Command {
    pub(super) id: Arc<str>,
    pub(super) action: &'static str,
    pub(super) kind: Kind,
    pub(super) session: SessionId,
    /// The tab's ordinal; none for a new one.
    pub(super) tab: Option<u32>,
    pub(super) browser: BrowserId,
    /// What the extension gets, byte for byte, however often.
    pub(super) message: Utf8Bytes,
    pub(super) received: Instant,
    pub(super) received_ms: i64,
    pub(super) deadline: Instant,
    /// The page that its handles were read from.
    pub(super) handle_page: Option<PageStamp>,
    /// The page when it was sent.
    pub(super) sent_page: Option<PageStamp>,
    pub(super) phase: Phase,
    pub(super) replayed: bool,
    /// Whether it was let in because its browser may be the connection that has not said hello.
    pub(super) hopeful: bool,
    waiters: Vec<(u64, oneshot::Sender<Reply>)>,
}

impl Command {
    /// A command that nobody waits for yet and that has not been sent.
    #[allow(clippy::too_many_arguments)] // a constructor of a record
    pub(super) fn new(
        id: &str,
        action: &'static str,
        kind: Kind,
        session: SessionId,
        tab: Option<u32>,
        browser: BrowserId,
        message: Utf8Bytes,
        times: (Instant, i64, Instant),
    ) -> Self {
        let (received, received_ms, deadline) = times;
        Self {
            id: id.into(),
            action,
            kind,
            session,
            tab,
            browser,
            message,
            received,
            received_ms,
            deadline,
            handle_page: None,
            sent_page: None,
            phase: Phase::Queued,
            replayed: false,
            hopeful: false,
            waiters: Vec::new(),
        }
    }

    pub(super) fn has_waiters(&self) -> bool {
        !self.waiters.is_empty()
    }

    /// Gives the reply to everybody who waits for it.
    pub(super) fn answer(&mut self, reply: Reply) {
        for (_, waiter) in self.waiters.drain(..) {
            // Whoever hung up in this very moment needs no answer.
            let _ = waiter.send(reply.clone());
        }
    }
}

/// What is due at some time.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Due {
    /// A new connection has been silent long enough.
    Hello(ClientId),
    /// A pacing slot.
    Slot(CommandKey),
    /// The end of a command's time.
    Deadline(CommandKey),
}

/// Waiting for one command: where the reply comes, and which waiter it is.
pub(super) struct Seat {
    pub(super) key: CommandKey,
    pub(super) number: u64,
    pub(super) reply: oneshot::Receiver<Reply>,
}

/// The table.
#[derive(Default)]
pub(super) struct Pending {
    commands: HashMap<CommandKey, Command>,
    by_id: HashMap<Arc<str>, CommandKey>,
    agenda: BTreeSet<(Instant, Due)>,
    counted: usize,
    last_key: u64,
    last_seat: u64,
    last_sent: u64,
}

impl Pending {
    pub(super) fn key_of(&self, id: &str) -> Option<CommandKey> {
        self.by_id.get(id).copied()
    }

    pub(super) fn get(&self, key: CommandKey) -> Option<&Command> {
        self.commands.get(&key)
    }

    pub(super) fn get_mut(&mut self, key: CommandKey) -> Option<&mut Command> {
        self.commands.get_mut(&key)
    }

    pub(super) fn is_full(&self) -> bool {
        self.counted >= MAX_PENDING
    }

    pub(super) fn is_empty(&self) -> bool {
        self.commands.is_empty()
    }

    /// Takes a command in; its deadline is due from now on.
    pub(super) fn insert(&mut self, command: Command) -> CommandKey {
        self.last_key += 1;
        let key = CommandKey(self.last_key);
        self.counted += usize::from(command.phase != Phase::Closing);
        self.agenda.insert((command.deadline, Due::Deadline(key)));
        self.by_id.insert(command.id.clone(), key);
        self.commands.insert(key, command);
        key
    }

    /// Lets a command go, with all that was due for it.
    pub(super) fn remove(&mut self, key: CommandKey) -> Option<Command> {
        let command = self.commands.remove(&key)?;
        self.counted -= usize::from(command.phase != Phase::Closing);
        self.agenda.remove(&(command.deadline, Due::Deadline(key)));
        if let Phase::Paced(slot) = command.phase {
            self.agenda.remove(&(slot, Due::Slot(key)));
        }
        self.by_id.remove(&command.id);
        Some(command)
    }

    /// One more who waits for the command's reply.
    pub(super) fn join(&mut self, key: CommandKey) -> Option<Seat> {
        let command = self.commands.get_mut(&key)?;
        self.last_seat += 1;
        let (sender, reply) = oneshot::channel();
        command.waiters.push((self.last_seat, sender));
        Some(Seat { key, number: self.last_seat, reply })
    }

    /// One fewer who waits; true if nobody does any more.
    pub(super) fn leave(&mut self, key: CommandKey, number: u64) -> bool {
        self.commands.get_mut(&key).is_some_and(|command| {
            command.waiters.retain(|(seat, _)| *seat != number);
            command.waiters.is_empty()
        })
    }

    /// The command waits for its slot.
    pub(super) fn pace(&mut self, key: CommandKey, slot: Instant) {
        if let Some(command) = self.commands.get_mut(&key) {
            command.phase = Phase::Paced(slot);
            self.agenda.insert((slot, Due::Slot(key)));
        }
    }

    /// The command is sent now; returns its place in the order of sending.
    pub(super) fn sent(&mut self, key: CommandKey) {
        self.last_sent += 1;
        if let Some(command) = self.commands.get_mut(&key) {
            command.phase = Phase::Sent(self.last_sent);
        }
    }

    /// Commands that fulfil a condition, in the order of admission.
    pub(super) fn select(&self, wanted: impl Fn(&Command) -> bool) -> Vec<CommandKey> {
        let mut keys: Vec<_> = self
            .commands
            .iter()
            .filter(|(_, command)| wanted(command))
            .map(|(key, _)| *key)
            .collect();
        keys.sort_unstable();
        keys
    }

    /// Every command, to change it.
    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Command> {
        self.commands.values_mut()
    }

    /// Puts something on the agenda.
    pub(super) fn schedule(&mut self, at: Instant, due: Due) {
        self.agenda.insert((at, due));
    }

    /// When the next thing is due.
    pub(super) fn next_due(&self) -> Option<Instant> {
        self.agenda.first().map(|(at, _)| *at)
    }

    /// Takes the next thing that is due by now.
    pub(super) fn take_due(&mut self, now: Instant) -> Option<Due> {
        let (at, _) = self.agenda.first()?;
        (*at <= now).then(|| self.agenda.pop_first()).flatten().map(|(_, due)| due)
    }
}
