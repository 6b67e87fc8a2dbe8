//! The flags of every act: how dialogs are answered meanwhile, and which read is brought along.

use clap::Args;

use super::global_args::word;
use super::then::Then;
use crate::protocol::{self, DialogAnswer};

#[derive(Args)]
pub(super) struct EveryAct {
    /// How to answer dialogs that the page opens meanwhile [default: dismiss]
    #[arg(long, value_name = "ANSWER", value_parser = word::<DialogAnswer>(DialogAnswer::WORDS))]
    dialog: Option<DialogAnswer>,

    /// What to enter into a prompt that is accepted
    #[arg(long, value_name = "TEXT", requires = "dialog", allow_hyphen_values = true)]
    dialog_text: Option<String>,

    #[command(flatten)]
    then: Then,
}

impl EveryAct {
    /// The parameters, as far as their flags are given.
    pub(super) fn given(self) -> (Option<protocol::Dialog>, Option<protocol::Then>) {
        let Self { dialog, dialog_text, then } = self;
        (dialog.map(|answer| protocol::Dialog { answer, text: dialog_text }), then.given())
    }
}
