//! Going to an address, through the history and to the same page anew; and waiting for an element, an address or a
//! navigation.

use std::time::Duration;

use super::{Category, Effect, Paced, Provenance, Recovery, Row, Runs, Spec, family};
use serde_json::Value;

use crate::protocol::{
    FrameName, Int, Then, ThenError,
    values::{data, params, words},
};

family! { Navigate: Navigate, Back, Forward, Reload, Wait }

params! {
    /// `navigate`
    Navigate {
        /// The address to go to.
        url: String,
        ;
        /// How far the page has to come before the answer; `load` if absent, for 10 s at most.
        until: Until,
        /// A read to bring along, once the page has come to rest.
        then: Then,
    }

    /// `back`
    Back {;
        /// A read to bring along, once the page has come to rest.
        then: Then,
    }

    /// `forward`
    Forward {;
        /// A read to bring along, once the page has come to rest.
        then: Then,
    }

    /// `reload`
    Reload {;
        /// A read to bring along, once the page has come to rest.
        then: Then,
    }

    /// `wait`
    Wait {
        /// What to wait for.
        strategy: WaitStrategy,
        /// The selector, address, or pattern of an address such as `*/done`.
        target: String,
        ;
        /// How long to wait, in milliseconds.
        timeout: Int<0, 600_000>,
        /// The frame to look for an element in; all of them if absent.
        frame: FrameName,
    }
}

words! {
    /// How far a new page has to come.
    Until {
        /// It has loaded, with its images.
        Load = "load",
        /// Its document is complete.
        Parsed = "parsed",
        /// It is there.
        Committed = "committed",
    }

    /// What `wait` waits for.
    WaitStrategy {
        /// An element that matches.
        Selector = "selector",
        /// An address that matches.
        Url = "url",
        /// The end of a navigation.
        Navigation = "navigation",
    }
}

data! {
    /// Data of `navigate`, `back`, `forward` and `reload`.
    NavigateData {
        /// The tab's address now.
        url: String,
        /// The page's title.
        title: String,
        /// How long it took to load, in milliseconds.
        load_time: u64,
        ;
        /// The HTTP status, if the browser reports it.
        status: u16,
        /// The data of the read that was brought along.
        then: Value,
        /// Why that read failed.
        then_error: ThenError,
    }

    /// Data of `wait`.
    WaitData {
        /// Always true: a wait that is not met in time fails with `TIMEOUT`.
        matched: bool,
        /// How long the wait took, in milliseconds.
        elapsed: u64,
        ;
    }
}

impl Spec for Navigate {
    type Data = NavigateData;

    fn revision(&self) -> i64 {
        self.until.is_some().into()
    }

    fn then(&self) -> Option<&Then> {
        self.then.as_ref()
    }

    const ROW: Row<Self> = Row {
        name: "navigate",
        about: "Go to an address in the session's bound tab. Earlier handles become stale.",
        runs: Runs::BOUND_TAB,
        effect: Effect::Acts,
        recovery: Recovery::ReportUnknown,
        pace: Paced::Once(Category::Navigate),
        targets: |_| Vec::new(),
        public: &["url", "until", "then"],
        provenance: Provenance::Page,
        waits: None,
        is_tool: true,
    };
}

/// The row of an action that goes elsewhere without an address.
const fn row<S>(name: &'static str, about: &'static str) -> Row<S> {
    Row {
        name,
        about,
        runs: Runs::BOUND_TAB,
        effect: Effect::Acts,
        recovery: Recovery::ReportUnknown,
        pace: Paced::Once(Category::Navigate),
        targets: |_| Vec::new(),
        public: &["then"],
        provenance: Provenance::Page,
        waits: None,
        is_tool: true,
    }
}

impl Spec for Back {
    type Data = NavigateData;

    fn revision(&self) -> i64 {
        1
    }

    fn then(&self) -> Option<&Then> {
        self.then.as_ref()
    }

    const ROW: Row<Self> = row(
        "back",
        "Go back to the page before this one in the tab's history, as the back button does.",
    );
}

impl Spec for Forward {
    type Data = NavigateData;

    fn revision(&self) -> i64 {
        1
    }

    fn then(&self) -> Option<&Then> {
        self.then.as_ref()
    }

    const ROW: Row<Self> = row("forward", "Go forward again in the tab's history, after `back`.");
}

impl Spec for Reload {
    type Data = NavigateData;

    fn revision(&self) -> i64 {
        1
    }

    fn then(&self) -> Option<&Then> {
        self.then.as_ref()
    }

    const ROW: Row<Self> = row(
        "reload",
        "Load the page anew. Earlier handles become stale, and what was filled in is lost.",
    );
}

impl Spec for Wait {
    type Data = WaitData;
    const EFFECT_SHOWN_BY: Option<&'static str> = Some("matched");

    fn revision(&self) -> i64 {
        self.frame.is_some().into()
    }

    const ROW: Row<Self> = Row {
        name: "wait",
        about: "Wait until an element exists, an address is reached or a navigation has ended.",
        runs: Runs::BOUND_TAB,
        effect: Effect::Reads,
        recovery: Recovery::Rerun,
        pace: Paced::No,
        targets: |_| Vec::new(),
        public: &["strategy", "target", "timeout", "frame"],
        provenance: Provenance::Page,
        waits: Some(|params| params.timeout.map(|ms| Duration::from_millis(ms.get().into()))),
        is_tool: true,
    };
}
