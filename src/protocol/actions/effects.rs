//! What came of an act, as far as it was seen until the page came to rest: the same for every act.

use crate::protocol::{
    ElementHandle, TabHandle,
    values::{data, words},
};

/// Declares data of acts: what is declared, and what every act answers.
macro_rules! act_data {
    ($(
        $(#[$doc:meta])*
        $name:ident {
            $($(#[$required_doc:meta])* $required:ident: $required_type:ty,)*
            ;
            $($(#[$optional_doc:meta])* $optional:ident: $optional_type:ty,)*
        }
    )*) => {
        $crate::protocol::values::data! {$(
            $(#[$doc])*
            $name {
                $($(#[$required_doc])* $required: $required_type,)*
                /// What came of it, as far as it was seen; empty if nothing was.
                #[serde(default)]
                effects: $crate::protocol::Effects,
                ;
                $($(#[$optional_doc])* $optional: $optional_type,)*
                /// True if the page was not drawn meanwhile: nobody sees the tab.
                hidden: bool,
                /// What to do where the page waits for being drawn.
                suggested_action: String,
                /// The data of the read that was brought along.
                then: ::serde_json::Value,
                /// Why that read failed.
                then_error: $crate::protocol::ThenError,
            }
        )*}
    };
}
pub(super) use act_data;

words! {
    /// A dialog of the browser that a page calls up.
    DialogType {
        /// A message.
        Alert = "alert",
        /// A question with two answers.
        Confirm = "confirm",
        /// A question with a text for an answer.
        Prompt = "prompt",
        /// The dialog for printing.
        Print = "print",
    }
}

data! {
    /// What came of an act.
    #[derive(Default)]
    Effects {
        ;
        /// The address that the tab shows now, if it is another page or another address.
        navigated: String,
        /// The tabs that it opened.
        opened: Vec<OpenedTab>,
        /// The dialogs that the page called up, with the answers that were given.
        dialogs: Vec<AnsweredDialog>,
        /// The downloads that it started.
        downloads: Vec<StartedDownload>,
        /// The element that has the focus now, if it is another one.
        focus: FocusedElement,
        /// How far the page, or what scrolls around the element, was scrolled, in CSS pixels.
        scrolled: f64,
        /// What the page wanted, and only a person's own hand allows.
        blocked: Vec<String>,
    }

    /// A tab that an act opened.
    OpenedTab {
        /// Its address.
        url: String,
        ;
        /// The tab, if the session has room for it.
        tab: TabHandle,
        /// Whether it came to the front, and was put back at once.
        flashed: bool,
    }

    /// A dialog that a page called up, and that was answered in the person's place.
    AnsweredDialog {
        /// The dialog.
        #[serde(rename = "type")]
        kind: DialogType,
        /// What it said.
        message: String,
        /// The answer that was given: `accept` or `dismiss`.
        answer: String,
        ;
    }

    /// A download that an act started.
    StartedDownload {
        /// The file's name.
        name: String,
        /// How far it is.
        state: String,
        ;
    }

    /// The element that has the focus.
    FocusedElement {
        /// Its role.
        role: String,
        /// Its accessible name.
        name: String,
        ;
        /// Its handle.
        handle: ElementHandle,
    }
}
