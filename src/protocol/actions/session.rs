//! `session.…`: the tabs of an agent, with their pace and pauses.

use super::{
    DaemonAction, Effect, Paced, Provenance, Recovery, Row, Runs, SessionAction, Spec, family,
};
use crate::protocol::{
    Caller, Label, Pacing, SessionId, TabHandle,
    values::{data, params},
};

family! { Session: SessionCreate, SessionList, SessionBind, SessionUnbind, SessionResume, SessionClose }

params! {
    /// `session.create`
    SessionCreate {;
        /// The session's name for people; an empty label is none.
        label: Label,
    }

    /// `session.list`
    SessionList {;}

    /// `session.bind`: at least one of the two.
    SessionBind {;
        /// The tab that later commands go to.
        tab: TabHandle,
        /// The pace of later commands.
        pacing: Pacing,
    }

    /// `session.unbind`
    SessionUnbind {;}

    /// `session.resume`
    SessionResume {;}

    /// `session.close`
    SessionClose {;}
}

data! {
    /// Data of `session.create`.
    SessionCreateData {
        /// The new session.
        session: SessionId,
        /// A directory for the session's files, removed with it.
        tmp_dir: String,
        ;
        /// Its name for people.
        label: String,
    }

    /// Data of `session.list`.
    SessionListData {
        /// All sessions, in the order of their creation.
        sessions: Vec<SessionInfo>,
        ;
    }

    /// Data of `session.bind`.
    SessionBindData {
        /// The session.
        session: SessionId,
        /// The tab that it is bound to.
        tab: Option<TabHandle>,
        ;
    }

    /// Data of `session.unbind`.
    SessionUnbindData {;}

    /// Data of `session.resume`.
    SessionResumeData {
        /// The session.
        session: SessionId,
        ;
    }

    /// Data of `session.close`.
    SessionCloseData {
        /// The session.
        session: SessionId,
        /// How many tabs the browser has confirmed as closed.
        closed_tabs: usize,
        ;
    }

    /// A session in a list.
    SessionInfo {
        /// The session.
        id: SessionId,
        /// The tab that it is bound to.
        tab: Option<TabHandle>,
        /// Its pace.
        pacing: Pacing,
        /// Whether it waits for a person.
        paused: bool,
        ;
        /// Its name for people.
        label: String,
        /// What the person has to do; may quote a page.
        pause_reason: String,
        /// Who asked last, as the client said it.
        client: Caller,
    }
}

impl Spec for SessionCreate {
    type Data = SessionCreateData;
    const ROW: Row<Self> = Row {
        name: "session.create",
        about: "Create another session: tabs, pace and pauses of its own, apart from those of any other.",
        runs: Runs::Daemon(|params| DaemonAction::SessionCreate(params)),
        effect: Effect::Steps,
        recovery: Recovery::ReportUnknown,
        pace: Paced::No,
        targets: |_| Vec::new(),
        public: &["label"],
        provenance: Provenance::Daemon,
        waits: None,
        is_tool: true,
    };
}

impl Spec for SessionList {
    type Data = SessionListData;
    const ROW: Row<Self> = Row {
        name: "session.list",
        about: "List all sessions of the daemon, those of other agents too: bound tab, pace, whether paused and \
            why.",
        runs: Runs::Daemon(|_| DaemonAction::SessionList),
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

impl Spec for SessionBind {
    type Data = SessionBindData;
    const ROW: Row<Self> = Row {
        name: "session.bind",
        about: "Choose the tab that the session's further commands go to, or its pace: `fast` removes the \
            pauses that a person would make.",
        runs: Runs::Session(|params| SessionAction::Bind(params)),
        effect: Effect::Sets,
        recovery: Recovery::ReportUnknown,
        pace: Paced::No,
        targets: |_| Vec::new(),
        public: &["tab", "pacing"],
        provenance: Provenance::Daemon,
        waits: None,
        is_tool: true,
    };

    fn check(&self) -> Result<(), &'static str> {
        let is_empty = self.tab.is_none() && self.pacing.is_none();
        if is_empty { Err("expected at least one of `tab`, `pacing`") } else { Ok(()) }
    }
}

impl Spec for SessionUnbind {
    type Data = SessionUnbindData;
    const ROW: Row<Self> = Row {
        name: "session.unbind",
        about: "Unbind the session's tab. A pause stays.",
        runs: Runs::Session(|_| SessionAction::Unbind),
        effect: Effect::Sets,
        recovery: Recovery::ReportUnknown,
        pace: Paced::No,
        targets: |_| Vec::new(),
        public: &[],
        provenance: Provenance::Daemon,
        waits: None,
        is_tool: true,
    };
}

impl Spec for SessionResume {
    type Data = SessionResumeData;
    const ROW: Row<Self> = Row {
        name: "session.resume",
        about: "Resume a paused session. Refused if a person can resume it in the browser that has its tabs.",
        runs: Runs::Session(|_| SessionAction::Resume),
        effect: Effect::Sets,
        recovery: Recovery::ReportUnknown,
        pace: Paced::No,
        targets: |_| Vec::new(),
        public: &[],
        provenance: Provenance::Daemon,
        waits: None,
        is_tool: false,
    };
}

impl Spec for SessionClose {
    type Data = SessionCloseData;
    const ROW: Row<Self> = Row {
        name: "session.close",
        about: "Close the session and all its tabs. Use it when the task is done.",
        runs: Runs::Session(|_| SessionAction::Close),
        effect: Effect::Replaces,
        recovery: Recovery::ReportUnknown,
        pace: Paced::No,
        targets: |_| Vec::new(),
        public: &[],
        provenance: Provenance::Daemon,
        waits: None,
        is_tool: true,
    };
}
