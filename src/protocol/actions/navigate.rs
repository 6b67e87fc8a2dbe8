//! `navigate` and `wait`: going somewhere, and waiting for something to be there.

use std::time::Duration;

use super::{Category, Effect, Paced, Provenance, Recovery, Row, Runs, Spec, family};
use crate::protocol::{
    Int,
    values::{data, params, words},
};

family! { Navigate: Navigate, Wait }

params! {
    /// `navigate`
    Navigate {
        /// Where the tab goes.
        url: String,
        ;
    }

    /// `wait`
    Wait {
        /// What to wait for.
        strategy: WaitStrategy,
        /// The selector, address, or pattern of an address such as `*/done`.
        target: String,
        ;
        /// For how long, in milliseconds.
        timeout: Int<0, 600_000>,
    }
}

words! {
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
    /// Data of `navigate`.
    NavigateData {
        /// Where the tab is now.
        url: String,
        /// What the page calls itself.
        title: String,
        /// How long it took to load, in milliseconds.
        load_time: u64,
        ;
        /// The HTTP status, where the browser tells it.
        status: u16,
    }

    /// Data of `wait`.
    WaitData {
        /// Whether it came.
        matched: bool,
        /// How long it took, in milliseconds.
        elapsed: u64,
        ;
    }
}

impl Spec for Navigate {
    type Data = NavigateData;
    const ROW: Row<Self> = Row {
        name: "navigate",
        about: "Go to an address in the session's bound tab. Handles from before are stale then.",
        runs: Runs::BOUND_TAB,
        effect: Effect::Acts,
        recovery: Recovery::ReportUnknown,
        pace: Paced::Once(Category::Navigate),
        targets: |_| Vec::new(),
        public: &["url"],
        provenance: Provenance::Page,
        waits: None,
    };
}

impl Spec for Wait {
    type Data = WaitData;
    const ROW: Row<Self> = Row {
        name: "wait",
        about: "Wait until an element is there, an address is reached or a navigation has ended.",
        runs: Runs::BOUND_TAB,
        effect: Effect::Reads,
        recovery: Recovery::Rerun,
        pace: Paced::No,
        targets: |_| Vec::new(),
        public: &["strategy", "target", "timeout"],
        provenance: Provenance::Page,
        waits: Some(|params| params.timeout.map(|ms| Duration::from_millis(ms.get().into()))),
    };
}
