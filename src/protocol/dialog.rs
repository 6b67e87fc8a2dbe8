//! How the dialogs that an act calls up are answered.

use super::values::{params, words};

params! {
    /// The answer to every `alert`, `confirm`, `prompt` and `print` that an act calls up.
    Dialog {
        /// Whether they are accepted or dismissed.
        answer: DialogAnswer,
        ;
        /// What a `prompt` that is accepted gets; what it proposes if absent.
        text: String,
    }
}

words! {
    /// What a person can do with a dialog.
    DialogAnswer {
        /// Press OK.
        Accept = "accept",
        /// Press Cancel.
        Dismiss = "dismiss",
    }
}
