//! `debug.…`: diagnostics of the daemon and the extension.

use serde_json::{Map, Value};

use super::{
    AnswerHandling, DaemonAction, Effect, Paced, Provenance, Recovery, Row, Runs, SessionInfo,
    Spec, TabInfo, family,
};
use crate::protocol::{
    Int, SessionId,
    values::{data, params},
};

family! { Debug: DebugLog, DebugLast, DebugStatus }

params! {
    /// `debug.log`
    DebugLog {;
        /// Only records of this request.
        id: String,
        /// The most records to return.
        limit: Int<1, 1000>,
    }

    /// `debug.last`
    DebugLast {;
        /// How many of the latest traces; 20 if absent.
        count: Int<1, 200>,
    }

    /// `debug.status`
    DebugStatus {;}
}

data! {
    /// Data of `debug.log`.
    DebugLogData {
        /// The extension's records, oldest first; each has a `ts` and fields of its own.
        entries: Vec<Map<String, Value>>,
        ;
    }

    /// Data of `debug.last`.
    DebugLastData {
        /// The latest commands, oldest first.
        requests: Vec<Trace>,
        ;
    }

    /// One command that was answered with an envelope.
    Trace {
        /// The request's id.
        id: String,
        /// The action.
        action: String,
        /// The session, the new one where the command created it.
        session: String,
        /// When it arrived, unix time in ms.
        received_at: i64,
        /// How long it took, in milliseconds.
        elapsed_ms: u64,
        /// Whether it succeeded.
        ok: bool,
        ;
        /// The error code, if it failed.
        error_code: String,
        /// Whether it was sent more than once, or answered from the extension's dedupe log; absent if not.
        replayed: bool,
    }

    /// Data of `debug.status`.
    DebugStatusData {
        /// The daemon itself.
        daemon: DaemonInfo,
        /// The connections of browsers.
        ws_clients: Vec<ClientInfo>,
        /// All sessions, in the order of their creation.
        sessions: Vec<SessionInfo>,
        /// Their tabs.
        session_tabs: Vec<SessionTabs>,
        /// The sessions that wait for a person.
        paused_sessions: Vec<PausedSession>,
        ;
    }

    /// The daemon's process and versions.
    DaemonInfo {
        /// Its process.
        pid: u32,
        /// Where it listens.
        port: u16,
        /// For how long it has run, in seconds.
        uptime_sec: u64,
        /// Its version.
        version: String,
        /// The newest protocol version that it speaks.
        protocol_version: u32,
        ;
    }

    /// A browser's connection.
    ClientInfo {
        /// Its name in the log.
        id: String,
        /// When it connected, unix time in ms.
        connected_at: i64,
        /// The protocol version that it speaks.
        protocol_version: u32,
        ;
        /// The extension's own version, where it introduced itself.
        extension_version: String,
    }

    /// The tabs of a session.
    SessionTabs {
        /// The session.
        session: SessionId,
        /// Its tabs, in the order of their opening.
        tabs: Vec<TabInfo>,
        ;
    }

    /// A session that waits for a person.
    PausedSession {
        /// The session.
        session: SessionId,
        /// What the person has to do; may quote a page.
        reason: String,
        ;
    }
}

impl Spec for DebugLog {
    type Data = DebugLogData;
    const ROW: Row<Self> = Row {
        name: "debug.log",
        about: "Read the extension's trace of its latest commands, to learn why one failed.",
        runs: Runs::bound_tab(AnswerHandling::NamesTabs),
        effect: Effect::Reads,
        recovery: Recovery::Rerun,
        pace: Paced::No,
        targets: |_| Vec::new(),
        public: &["id", "limit"],
        provenance: Provenance::Page,
        waits: None,
        is_tool: true,
    };
}

impl Spec for DebugLast {
    type Data = DebugLastData;
    const ROW: Row<Self> = Row {
        name: "debug.last",
        about: "List the daemon's latest commands: the outcome and duration of each.",
        runs: Runs::Daemon(|params| DaemonAction::DebugLast(params)),
        effect: Effect::Reads,
        recovery: Recovery::Rerun,
        pace: Paced::No,
        targets: |_| Vec::new(),
        public: &["count"],
        provenance: Provenance::Daemon,
        waits: None,
        is_tool: true,
    };
}

impl Spec for DebugStatus {
    type Data = DebugStatusData;
    const ROW: Row<Self> = Row {
        name: "debug.status",
        about: "Show the daemon's state: version, connected browsers, sessions and tabs.",
        runs: Runs::Daemon(|_| DaemonAction::DebugStatus),
        effect: Effect::Reads,
        recovery: Recovery::Rerun,
        pace: Paced::No,
        targets: |_| Vec::new(),
        public: &[],
        provenance: Provenance::Page,
        waits: None,
        is_tool: true,
    };
}
