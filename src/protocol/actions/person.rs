//! `require-human`: handing over to the person.

use super::{Effect, Paced, Provenance, Recovery, Row, Runs, Spec, family};
use crate::protocol::values::{data, params};

family! { Person: RequireHuman }

params! {
    /// `require-human`
    RequireHuman {
        /// What the person is asked to do.
        reason: String,
        ;
        /// What the person's help is attached to.
        for_attach: String,
    }
}

data! {
    /// `require-human` has no data: it is answered with `HUMAN_REQUIRED`.
    RequireHumanData {;}
}

impl Spec for RequireHuman {
    type Data = RequireHumanData;
    const ROW: Row<Self> = Row {
        name: "require-human",
        about: "Pause the session and ask its person for help: signing in, a captcha, a decision that is theirs.",
        runs: Runs::BOUND_TAB,
        effect: Effect::Sets,
        recovery: Recovery::ReportUnknown,
        pace: Paced::No,
        targets: |_| Vec::new(),
        public: &["reason", "forAttach"],
        provenance: Provenance::Page,
        waits: None,
        is_tool: true,
    };
}
