//! Giving files to a page.

use super::{
    Category, Effect, Paced, Provenance, Recovery, Row, Runs, Spec, effects::act_data, family,
};
use crate::protocol::{
    Dialog, FileHandle, FileHandles, Target, Then,
    values::{data, params},
};

family! { Upload: Upload }

params! {
    /// `upload`
    Upload {
        /// The field for files, the drop zone, or the button that asks for files.
        target: Target,
        /// The files, as the session has them.
        files: FileHandles,
        ;
        /// True to drop them on the element, false to do it in any other way; as the element takes them if absent.
        drop: bool,
        /// How dialogs are answered; they are dismissed if absent.
        dialog: Dialog,
        /// A read to bring along, once the page has come to rest.
        then: Then,
    }
}

act_data! {
    /// Data of `upload`.
    UploadData {
        /// The files that the page holds now, as far as it shows.
        uploaded: Vec<UploadedFile>,
        ;
    }
}

data! {
    /// A file that a page holds.
    UploadedFile {
        /// Its name.
        name: String,
        /// Its size.
        bytes: u64,
        ;
    }
}

impl Spec for Upload {
    type Data = UploadData;

    fn revision(&self) -> i64 {
        1
    }

    fn then(&self) -> Option<&Then> {
        self.then.as_ref()
    }

    fn files(&self) -> &[FileHandle] {
        &self.files
    }

    const ROW: Row<Self> = Row {
        name: "upload",
        about: "Give files to a page: to a field for files (a hidden one too), a drop zone, or a button that asks for files; \
            no file chooser opens.",
        runs: Runs::ACT,
        effect: Effect::Acts,
        recovery: Recovery::ReportUnknown,
        pace: Paced::Once(Category::Interaction),
        targets: |params| vec![&mut params.target],
        public: &["target", "files", "drop", "then"],
        provenance: Provenance::Page,
        waits: None,
        is_tool: true,
    };
}
