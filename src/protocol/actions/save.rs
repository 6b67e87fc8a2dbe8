//! `save`: the page as one file.

use super::{AnswerHandling, Effect, Paced, Provenance, Recovery, Row, Runs, Spec, family};
use crate::protocol::values::{data, params, words};

family! { Save: Save }

words! {
    /// The format of a page that is saved.
    SaveFormat {
        /// The document as it is now, with its styles and pictures, as one MIME message.
        Mhtml = "mhtml",
    }
}

params! {
    /// `save`
    Save {
        /// The format of the file.
        format: SaveFormat,
        ;
    }
}

data! {
    /// Data of `save`.
    SaveData {
        /// The file, in base64.
        base64: String,
        /// Its format.
        format: SaveFormat,
        /// Its size.
        bytes: u64,
        ;
    }
}

impl Spec for Save {
    type Data = SaveData;

    fn revision(&self) -> i64 {
        1
    }

    const ROW: Row<Self> = Row {
        name: "save",
        about: "Save the page as it is now, with its styles and pictures, as one file.",
        runs: Runs::bound_tab(AnswerHandling::Relayed),
        effect: Effect::Reads,
        recovery: Recovery::Rerun,
        pace: Paced::No,
        targets: |_| Vec::new(),
        public: &["format"],
        provenance: Provenance::Page,
        waits: None,
        // The command line has a place for the file; a model reads the page itself.
        is_tool: false,
    };
}
