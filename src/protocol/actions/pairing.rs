//! `pairing.issue`: a code that pairs a browser with the daemon.

use super::{DaemonAction, Effect, Paced, Provenance, Recovery, Row, Runs, Spec, family};
use crate::protocol::values::{data, params};

family! { Pairing: PairingIssue }

params! {
    /// `pairing.issue`
    PairingIssue {;}
}

data! {
    /// Data of `pairing.issue`.
    PairingIssueData {
        /// The code, to be typed into the extension's popup.
        pairing_code: String,
        /// Until when it is valid, unix time in ms.
        pairing_expires_at: i64,
        ;
    }
}

impl Spec for PairingIssue {
    type Data = PairingIssueData;
    const ROW: Row<Self> = Row {
        name: "pairing.issue",
        about: "Issue a code for the person to enter in the extension's popup, where the browser is not \
            connected yet. It invalidates the previous code.",
        runs: Runs::Daemon(|_| DaemonAction::PairingIssue),
        effect: Effect::Steps,
        recovery: Recovery::ReportUnknown,
        pace: Paced::No,
        targets: |_| Vec::new(),
        public: &[],
        provenance: Provenance::Daemon,
        waits: None,
        is_tool: false,
    };
}
