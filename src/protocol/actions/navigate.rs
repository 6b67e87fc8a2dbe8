//! Going to an address, through the history and to the same page anew.

use super::{Category, Effect, Paced, Provenance, Recovery, Row, Runs, Spec, family};
use serde_json::Value;

use crate::protocol::{
    Then, ThenError,
    values::{data, params, words},
};

family! { Navigate: Navigate, Back, Forward, Reload }

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
