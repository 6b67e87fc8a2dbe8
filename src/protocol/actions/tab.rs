//! `tab.…`: the tabs of a session.

use super::{
    AnswerHandling, Effect, Paced, Provenance, Recovery, Row, Runs, SessionAction, Spec, family,
};
use serde_json::Value;

use crate::protocol::{
    SessionId, TabHandle, Then, ThenError, Until,
    values::{data, params, words},
};

family! { Tab: TabList, TabOpen, TabClose, TabPin, TabUnpin, TabActivate }

params! {
    /// `tab.list`
    TabList {;}

    /// `tab.open`
    TabOpen {
        /// The address to open.
        url: String,
        ;
        /// Where the tab opens: `current`, in the background of the person's window, if absent.
        window: InWindow,
        /// How far the page has to come before the answer; `load` if absent, for 10 s at most.
        until: Until,
        /// A read to bring along, once the page has come to rest.
        then: Then,
    }

    /// `tab.close`
    TabClose {;
        /// The tab to close; the session's bound tab if absent.
        tab: TabHandle,
    }

    /// `tab.pin`
    TabPin {;
        /// The tab to pin; the session's bound tab if absent.
        tab: TabHandle,
    }

    /// `tab.unpin`
    TabUnpin {;
        /// The tab to unpin; the session's bound tab if absent.
        tab: TabHandle,
    }

    /// `tab.activate`
    TabActivate {;
        /// The tab to activate; the session's bound tab if absent.
        tab: TabHandle,
        /// A read to bring along, once the page has come to rest.
        then: Then,
    }
}

words! {
    /// The window of a new tab.
    InWindow {
        /// The person's.
        Current = "current",
        /// The session's own, which opens without the focus, and where pages are drawn while it is not covered.
        Own = "own",
    }
}

data! {
    /// Data of `tab.list`.
    TabListData {
        /// The session.
        session: SessionId,
        /// Its tabs, in the order of their opening.
        tabs: Vec<TabInfo>,
        ;
    }

    /// A tab in a list.
    TabInfo {
        /// The tab.
        tab: TabHandle,
        /// Its address, if known.
        url: String,
        /// Its title, if known.
        title: String,
        /// Whether the session is bound to it.
        bound: bool,
        ;
    }

    /// Data of `tab.open`.
    TabOpenData {
        /// The session, a new one where none was named.
        session: SessionId,
        /// The new tab.
        tab: TabHandle,
        /// Always true.
        bound: bool,
        /// The tab's address now.
        url: String,
        /// The session's directory for files.
        tmp_dir: String,
        ;
        /// The data of the read that was brought along.
        then: Value,
        /// Why that read failed.
        then_error: ThenError,
    }

    /// Data of `tab.close`.
    TabCloseData {
        /// The tab.
        tab: TabHandle,
        /// Always true.
        closed: bool,
        ;
    }

    /// Data of `tab.pin` and `tab.unpin`.
    TabPinData {
        /// The tab.
        tab: TabHandle,
        /// Whether it is pinned.
        pinned: bool,
        ;
    }

    /// Data of `tab.activate`.
    TabActivateData {
        /// The tab.
        tab: TabHandle,
        /// Always true.
        activated: bool,
        ;
        /// The data of the read that was brought along.
        then: Value,
        /// Why that read failed.
        then_error: ThenError,
    }
}

impl Spec for TabList {
    type Data = TabListData;
    const ROW: Row<Self> = Row {
        name: "tab.list",
        about: "List the session's tabs with their addresses, and which is bound.",
        runs: Runs::Session(|_| SessionAction::TabList),
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

impl Spec for TabOpen {
    type Data = TabOpenData;

    fn revision(&self) -> i64 {
        (self.window.is_some() || self.until.is_some()).into()
    }

    fn then(&self) -> Option<&Then> {
        self.then.as_ref()
    }

    const ROW: Row<Self> = Row {
        name: "tab.open",
        about: "Open an address in a new tab, to which the session is then bound. Start here. The tab opens in \
            the background, and is read and acted on there.",
        runs: Runs::NewTab(|params| &params.url),
        effect: Effect::Adds,
        recovery: Recovery::ReportUnknown,
        pace: Paced::No,
        targets: |_| Vec::new(),
        public: &["url", "window", "until", "then"],
        provenance: Provenance::Page,
        waits: None,
        is_tool: true,
    };
}

impl Spec for TabClose {
    type Data = TabCloseData;
    const ROW: Row<Self> = Row {
        name: "tab.close",
        about: "Close one of the session's tabs.",
        runs: Runs::Tab { named: |params| params.tab.as_ref(), answer: AnswerHandling::ClosesTab },
        effect: Effect::Replaces,
        recovery: Recovery::ReportUnknown,
        pace: Paced::No,
        targets: |_| Vec::new(),
        public: &["tab"],
        provenance: Provenance::Page,
        waits: None,
        is_tool: true,
    };
}

impl Spec for TabPin {
    type Data = TabPinData;
    const ROW: Row<Self> = Row {
        name: "tab.pin",
        about: "Pin a tab in the browser's tab strip.",
        runs: Runs::Tab {
            named: |params| params.tab.as_ref(),
            answer: AnswerHandling::PinsTab(true),
        },
        effect: Effect::Sets,
        recovery: Recovery::ReportUnknown,
        pace: Paced::No,
        targets: |_| Vec::new(),
        public: &["tab"],
        provenance: Provenance::Page,
        waits: None,
        is_tool: true,
    };
}

impl Spec for TabUnpin {
    type Data = TabPinData;
    const ROW: Row<Self> = Row {
        name: "tab.unpin",
        about: "Unpin a tab in the browser's tab strip.",
        runs: Runs::Tab {
            named: |params| params.tab.as_ref(),
            answer: AnswerHandling::PinsTab(false),
        },
        effect: Effect::Sets,
        recovery: Recovery::ReportUnknown,
        pace: Paced::No,
        targets: |_| Vec::new(),
        public: &["tab"],
        provenance: Provenance::Page,
        waits: None,
        is_tool: true,
    };
}

impl Spec for TabActivate {
    type Data = TabActivateData;

    fn then(&self) -> Option<&Then> {
        self.then.as_ref()
    }

    const ROW: Row<Self> = Row {
        name: "tab.activate",
        about: "Bring a tab to the front of its window, for a screenshot or for the person to see it. Nothing else \
            needs it, and it takes the person's place in the window.",
        runs: Runs::Tab {
            named: |params| params.tab.as_ref(),
            answer: AnswerHandling::ActivatesTab,
        },
        effect: Effect::Sets,
        recovery: Recovery::ReportUnknown,
        pace: Paced::No,
        targets: |_| Vec::new(),
        public: &["tab", "then"],
        provenance: Provenance::Page,
        waits: None,
        is_tool: true,
    };
}
