//! `screenshot`: a picture of a tab.

use super::{Effect, Paced, Provenance, Recovery, Row, Runs, Spec, family};
use crate::protocol::values::{data, params};

family! { Screenshot: Screenshot }

params! {
    /// `screenshot`
    Screenshot {;
        /// Bring the tab to the front first. Otherwise only a tab that is in front can be captured.
        activate: bool,
        /// Use the debugger interface; refused unless it is enabled.
        debugger: bool,
    }
}

data! {
    /// Data of `screenshot`.
    ScreenshotData {
        /// The picture.
        base64: String,
        /// Its format, such as `png`.
        format: String,
        ;
    }
}

impl Spec for Screenshot {
    type Data = ScreenshotData;
    const ROW: Row<Self> = Row {
        name: "screenshot",
        about: "Take a picture of what the tab shows. For layout, charts and images; `text` is cheaper for \
            words.",
        runs: Runs::BOUND_TAB,
        effect: Effect::Sets,
        recovery: Recovery::Rerun,
        pace: Paced::No,
        targets: |_| Vec::new(),
        public: &["activate", "debugger"],
        provenance: Provenance::Page,
        waits: None,
        is_tool: true,
    };
}
