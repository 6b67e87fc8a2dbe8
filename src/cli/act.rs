//! The verbs that act as a pointer does, and the one that asks for a person.

use clap::Args;

use super::global_args::{checked, word};
use super::target::{RequiredTarget, Target};
use crate::protocol::{self, Action, Direction, Distance};

/// Scroll the page, or an element
#[derive(Args)]
#[command(
    after_help = "Examples:\n  bproxy scroll -s m4q7z2\n  bproxy scroll --by 300px --direction up --element el3 -s m4q7z2"
)]
pub(super) struct Scroll {
    #[command(flatten)]
    target: Target,

    /// How far: viewport, half, end, or pixels such as 300px
    #[arg(long, value_name = "DISTANCE", value_parser = checked::<Distance>)]
    by: Option<Distance>,

    /// Which way
    #[arg(long, value_name = "DIRECTION", value_parser = word::<Direction>(Direction::WORDS))]
    direction: Option<Direction>,
}

impl Scroll {
    pub(super) fn action(self) -> Action {
        let Scroll { target, by, direction } = self;
        protocol::Scroll { target: target.given(), by, direction }.into()
    }
}

/// Click an element
#[derive(Args)]
#[command(
    after_help = "Examples:\n  bproxy click --element ln2 -s m4q7z2\n  bproxy click --selector '#submit' -s m4q7z2"
)]
pub(super) struct Click {
    #[command(flatten)]
    target: RequiredTarget,
}

impl Click {
    pub(super) fn action(self) -> Action {
        protocol::Click { target: self.target.named() }.into()
    }
}

/// Move the pointer over an element
#[derive(Args)]
#[command(after_help = "Example:\n  bproxy hover --selector 'nav .menu' -s m4q7z2")]
pub(super) struct Hover {
    #[command(flatten)]
    target: RequiredTarget,
}

impl Hover {
    pub(super) fn action(self) -> Action {
        protocol::Hover { target: self.target.named() }.into()
    }
}

/// Choose an option of a list by the text it shows
#[derive(Args)]
#[command(
    after_help = "Example:\n  bproxy select --selector '#country' --option-text Norway -s m4q7z2"
)]
pub(super) struct Select {
    #[command(flatten)]
    trigger: RequiredTarget,

    /// The text of the option
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    option_text: String,
}

impl Select {
    pub(super) fn action(self) -> Action {
        let Select { trigger, option_text } = self;
        protocol::Select { trigger: trigger.named(), option_text }.into()
    }
}

/// Pause the session until a person has helped
#[derive(Args)]
#[command(after_help = "Example:\n  bproxy require-human --reason 'Please sign in' -s m4q7z2")]
pub(super) struct RequireHuman {
    /// What the person shall do
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    reason: String,

    /// What the person's help is attached to
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    for_attach: Option<String>,
}

impl RequireHuman {
    pub(super) fn action(self) -> Action {
        let RequireHuman { reason, for_attach } = self;
        protocol::RequireHuman { reason, for_attach }.into()
    }
}
