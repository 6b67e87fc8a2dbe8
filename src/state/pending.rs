//! Commands between admission and answer: a bounded table, who waits for them, and what is due when.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    sync::Arc,
};

use bytes::Bytes;
use tokio::sync::oneshot;
use tokio_tungstenite::tungstenite::Utf8Bytes;

use crate::protocol::{MAX_PENDING, SessionId};

use super::{
    Instant, Now,
    browsers::{BrowserId, ClientId},
    handles::Epoch,
};

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
    /// Put into a connection's outbox; numbered in the order of the first time.
    Sent { order: u64, to: ClientId },
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
    pub(super) handle_page: Option<Epoch>,
    /// The page when it was sent.
    pub(super) sent_page: Option<Epoch>,
    pub(super) phase: Phase,
    pub(super) replayed: bool,
    /// Whether it was let in because its browser may be the connection that has not said hello.
    pub(super) hopeful: bool,
    waiters: Vec<(u64, oneshot::Sender<Reply>)>,
}

impl Command {
    /// A command that nobody waits for yet, for no tab and no browser.
    pub(super) fn new(
        id: &str,
        action: &'static str,
        kind: Kind,
        session: SessionId,
        received: Now,
        deadline: Instant,
    ) -> Self {
        Self {
            id: id.into(),
            action,
            kind,
            session,
            tab: None,
            browser: BrowserId::default(),
            message: Utf8Bytes::default(),
            received: received.instant,
            received_ms: received.unix_ms,
            deadline,
            handle_page: None,
            sent_page: None,
            phase: Phase::Queued,
            replayed: false,
            hopeful: false,
            waiters: Vec::new(),
        }
    }

    /// The session for a failure to name; none if it does not exist yet.
    pub(super) fn named_session(&self) -> Option<SessionId> {
        let unborn = matches!(self.kind, Kind::Open { new_session: true, .. });
        (!unborn).then_some(self.session)
    }

    fn seat(&mut self, key: CommandKey, number: u64) -> Seat {
        let (sender, reply) = oneshot::channel();
        self.waiters.push((number, sender));
        Seat { key, number, reply }
    }

    /// One fewer who waits for the reply.
    pub(super) fn leave(&mut self, number: u64) {
        self.waiters.retain(|(seat, _)| *seat != number);
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

/// What is due at some time. At the same time a deadline comes first: what it ends is not sent.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Due {
    /// The end of a command's time.
    Deadline(CommandKey),
    /// A pacing slot.
    Slot(CommandKey),
    /// A new connection has been silent long enough.
    Hello(ClientId),
    /// Commands that came to be the first of their queue while nobody knew the time.
    Turns,
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
    /// The pending command with this id.
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

    /// Takes a command in; its deadline is due from now on. Returns the seat of who asked for it.
    pub(super) fn insert(&mut self, mut command: Command) -> Seat {
        self.last_key += 1;
        let key = CommandKey(self.last_key);
        self.last_seat += 1;
        let seat = command.seat(key, self.last_seat);
        self.counted += usize::from(command.phase != Phase::Closing);
        self.agenda.insert((command.deadline, Due::Deadline(key)));
        self.by_id.insert(command.id.clone(), key);
        self.commands.insert(key, command);
        seat
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

    /// One more who waits for the reply to the command with this id, if it is pending.
    pub(super) fn join(&mut self, id: &str) -> Option<Seat> {
        let key = self.key_of(id)?;
        self.last_seat += 1;
        Some(self.commands.get_mut(&key)?.seat(key, self.last_seat))
    }

    /// The command waits for its slot.
    pub(super) fn pace(&mut self, key: CommandKey, slot: Instant) {
        if let Some(command) = self.commands.get_mut(&key) {
            command.phase = Phase::Paced(slot);
            self.agenda.insert((slot, Due::Slot(key)));
        }
    }

    /// The command goes to this connection now.
    pub(super) fn sent(&mut self, key: CommandKey, to: ClientId) {
        self.last_sent += 1;
        if let Some(command) = self.commands.get_mut(&key) {
            command.phase = Phase::Sent { order: self.last_sent, to };
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

    /// Every command.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Command> {
        self.commands.values()
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
