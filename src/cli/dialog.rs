//! The flags that say how the dialogs of an act are answered.

use clap::Args;

use super::global_args::word;
use crate::protocol::{self, DialogAnswer};

#[derive(Args)]
pub(super) struct Dialog {
    /// How to answer dialogs that the page opens meanwhile [default: dismiss]
    #[arg(long, value_name = "ANSWER", value_parser = word::<DialogAnswer>(DialogAnswer::WORDS))]
    dialog: Option<DialogAnswer>,

    /// What to enter into a prompt that is accepted
    #[arg(long, value_name = "TEXT", requires = "dialog", allow_hyphen_values = true)]
    dialog_text: Option<String>,
}

impl Dialog {
    /// The parameter, if the flags are given.
    pub(super) fn given(self) -> Option<protocol::Dialog> {
        self.dialog.map(|answer| protocol::Dialog { answer, text: self.dialog_text })
    }
}
