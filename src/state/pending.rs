//! Pending commands: a bounded table of those between admission and answer, their waiters, and what is due when.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    sync::Arc,
};

use bytes::Bytes;
use tokio::sync::oneshot;

use crate::protocol::{AnswerHandling, Caller, MAX_PENDING, Mints, SessionId};

use super::{
    Instant, Now,
    browsers::{BrowserId, ClientId},
    handles::{Epoch, HandlePage},
    numbers::Block,
};

/// Identifies a command while the daemon runs.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub(super) struct CommandKey(u64);

/// What a client gets.
#[derive(Clone, Debug)]
pub struct Reply {
    /// What kind of reply this is.
    pub kind: ReplyKind,
    /// A JSON text.
    pub body: Bytes,
}

/// Kinds of replies that a transport tells apart.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ReplyKind {
    /// An envelope, `ok` or not.
    Answered,
    /// The envelope of a failure: the browser is not connected.
    NoBrowser,
    /// The daemon is shutting down, and answers no command any more.
    ShuttingDown,
}

/// Where a command stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Phase {
    /// Waiting for its pacing slot.
    Paced(Instant),
    /// In its tab's queue: behind others, or at the head while its browser is away.
    Queued,
    /// In a connection's outbox; numbered in the order in which commands were first sent.
    Sent { order: u64, to: ClientId },
    /// The close of a session, waiting for browsers to close its tabs.
    Closing,
}

/// What the daemon does with the answer to a command.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Kind {
    /// A new tab, in a new session if so said, for whom.
    Open { new_session: bool, url: String, client: Option<Caller> },
    /// A command on a tab.
    OnTab(AnswerHandling),
    /// The close of a session: the closes of tabs that it waits for, and how many tabs are closed.
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
    /// Whether it only asks what came of an earlier one.
    pub(super) recall: bool,
    /// The message to the extension, identical each time it is sent.
    pub(super) message: Bytes,
    pub(super) received: Instant,
    pub(super) received_ms: i64,
    pub(super) deadline: Instant,
    /// The page that its handles are for.
    pub(super) handle_page: HandlePage,
    /// The numbers that its answer may give to elements.
    pub(super) block: Option<Block>,
    /// The last number of each kind that the answer has used.
    pub(super) used: [u64; 2],
    /// Whether it brings a read along, and where the data of that name elements that get handles, if they may.
    pub(super) then: Option<Option<Mints>>,
    /// The view when it was sent.
    pub(super) sent_view: Option<Epoch>,
    pub(super) phase: Phase,
    pub(super) replayed: bool,
    /// How many connections it was in flight on that ended because of a message that was too large.
    pub(super) overflows: u32,
    /// Since when nobody waits for its answer, as far as that was noticed.
    pub(super) abandoned: Option<Instant>,
    /// Whether that was long enough to give it up.
    pub(super) given_up: bool,
    /// Whether it was admitted because a connection that has not identified itself may be its browser.
    pub(super) awaiting_reconnect: bool,
    waiters: Vec<(u64, oneshot::Sender<Reply>)>,
}

impl Command {
    /// A command without waiters, tab or browser, which are set later.
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
            recall: false,
            message: Bytes::new(),
            received: received.instant,
            received_ms: received.unix_ms,
            deadline,
            handle_page: HandlePage::default(),
            block: None,
            used: [0; 2],
            then: None,
            sent_view: None,
            phase: Phase::Queued,
            replayed: false,
            overflows: 0,
            abandoned: None,
            given_up: false,
            awaiting_reconnect: false,
            waiters: Vec::new(),
        }
    }

    /// The session for a failure to name; none if it does not exist yet.
    pub(super) fn named_session(&self) -> Option<SessionId> {
        let unborn = matches!(self.kind, Kind::Open { new_session: true, .. });
        (!unborn).then_some(self.session)
    }

    fn add_waiter(&mut self, key: CommandKey, number: u64) -> Waiter {
        let (sender, reply) = oneshot::channel();
        self.waiters.push((number, sender));
        Waiter { key, number, reply }
    }

    /// Removes one waiter.
    pub(super) fn remove_waiter(&mut self, number: u64) {
        self.waiters.retain(|(waiter, _)| *waiter != number);
    }

    pub(super) fn has_waiters(&self) -> bool {
        !self.waiters.is_empty()
    }

    /// Sends the reply to all waiters.
    pub(super) fn answer(&mut self, reply: Reply) {
        for (_, waiter) in self.waiters.drain(..) {
            // A client that has just hung up needs no answer.
            let _ = waiter.send(reply.clone());
        }
    }
}

/// An entry of the agenda. Of entries due at the same time, deadlines come first: a command that has ended is not sent.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Due {
    /// A command's deadline.
    Deadline(CommandKey),
    /// A pacing slot.
    Slot(CommandKey),
    /// Nobody waits for a command in flight any more, or has for a while.
    Abandoned(CommandKey),
    /// A new connection has been silent long enough.
    Hello(ClientId),
    /// Commands reached the head of their queue when the time was not known.
    Heads,
    /// The sessions' upkeep.
    Upkeep,
}

/// A client's wait for the reply to a command.
pub(super) struct Waiter {
    pub(super) key: CommandKey,
    pub(super) number: u64,
    pub(super) reply: oneshot::Receiver<Reply>,
}

/// The table.
#[derive(Default)]
pub(super) struct Pending {
    commands: HashMap<CommandKey, Command>,
    /// The commands with an id, in the order of admission: one for each session that uses it.
    by_id: HashMap<Arc<str>, Vec<CommandKey>>,
    agenda: BTreeSet<(Instant, Due)>,
    counted: usize,
    last_key: u64,
    last_waiter: u64,
    last_sent: u64,
}

impl Pending {
    /// The command with this id that is in flight to a browser. Where several sessions use the same id, the one that was
    /// sent first.
    pub(super) fn in_flight(&self, id: &str, browser: BrowserId) -> Option<CommandKey> {
        let sent = self.by_id.get(id)?.iter().filter_map(|key| {
            let command = self.get(*key).filter(|command| command.browser == browser)?;
            match command.phase {
                Phase::Sent { order, .. } => Some((order, *key)),
                Phase::Paced(_) | Phase::Queued | Phase::Closing => None,
            }
        });
        sent.min().map(|(_, key)| key)
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

    /// Adds a command, whose deadline is on the agenda from now on. Returns the wait of the client that sent it.
    pub(super) fn insert(&mut self, mut command: Command) -> Waiter {
        self.last_key += 1;
        let key = CommandKey(self.last_key);
        self.last_waiter += 1;
        let waiter = command.add_waiter(key, self.last_waiter);
        self.counted += usize::from(command.phase != Phase::Closing);
        self.agenda.insert((command.deadline, Due::Deadline(key)));
        self.by_id.entry(command.id.clone()).or_default().push(key);
        self.commands.insert(key, command);
        waiter
    }

    /// Removes a command, and what the agenda has for it.
    pub(super) fn remove(&mut self, key: CommandKey) -> Option<Command> {
        let command = self.commands.remove(&key)?;
        self.counted -= usize::from(command.phase != Phase::Closing);
        self.agenda.remove(&(command.deadline, Due::Deadline(key)));
        if let Phase::Paced(slot) = command.phase {
            self.agenda.remove(&(slot, Due::Slot(key)));
        }
        if let Some(keys) = self.by_id.get_mut(&command.id) {
            keys.retain(|known| *known != key);
            if keys.is_empty() {
                self.by_id.remove(&command.id);
            }
        }
        Some(command)
    }

    /// Adds a waiter to the command with this id and session, if it is pending; the session as a client names it.
    pub(super) fn join(&mut self, id: &str, session: &str) -> Option<Waiter> {
        let names = |command: &Command| match command.named_session() {
            Some(own) => own.as_str() == session,
            None => session.is_empty(),
        };
        let mut keys = self.by_id.get(id)?.iter().copied();
        let key = keys.find(|key| self.get(*key).is_some_and(names))?;
        self.last_waiter += 1;
        Some(self.commands.get_mut(&key)?.add_waiter(key, self.last_waiter))
    }

    /// Makes the command wait for its pacing slot.
    pub(super) fn pace(&mut self, key: CommandKey, slot: Instant) {
        if let Some(command) = self.commands.get_mut(&key) {
            command.phase = Phase::Paced(slot);
            self.agenda.insert((slot, Due::Slot(key)));
        }
    }

    /// Marks the command as sent to this connection.
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
