//! The verbs that act on the page: scrolling, pointing (`pointer.rs`), keys (`keyboard.rs`), filling (`fill.rs`),
//! choosing, uploading (`upload.rs`).

use clap::{Args, Subcommand};

use super::every_act::EveryAct;
use super::fill::{Fill, FillForm};
use super::global_args::{Globals, checked, word};
use super::keyboard::{Press, Type};
use super::pointer::{Click, Drag, Hover, SelectText};
use super::target::{RequiredTarget, Target};
use super::upload::Upload;
use super::{Error, Outcome, call};
use crate::protocol::{self, Action, Direction, Distance};

/// Verbs that act on the page. A new one needs a variant here and its arguments below; nothing else in the command line
/// changes.
#[derive(Subcommand)]
pub(super) enum Act {
    Scroll(Scroll),
    Click(Click),
    Hover(Hover),
    Drag(Drag),
    SelectText(SelectText),
    Press(Press),
    Type(Type),
    Fill(Fill),
    FillForm(FillForm),
    Select(Select),
    Upload(Upload),
}

impl Act {
    pub(super) fn run(self, globals: &Globals) -> Result<Outcome, Error> {
        let action = match self {
            Act::Scroll(verb) => verb.action(),
            Act::Click(verb) => verb.action(),
            Act::Hover(verb) => verb.action(),
            Act::Drag(verb) => verb.action(),
            Act::SelectText(verb) => verb.action(),
            Act::Press(verb) => verb.action()?,
            Act::Type(verb) => verb.action()?,
            Act::Fill(verb) => verb.action()?,
            Act::FillForm(verb) => verb.action()?,
            Act::Select(verb) => verb.action(),
            Act::Upload(verb) => return verb.run(globals),
        };
        call::show(globals, &action)
    }
}

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

    /// The direction
    #[arg(long, value_name = "DIRECTION", value_parser = word::<Direction>(Direction::WORDS))]
    direction: Option<Direction>,

    #[command(flatten)]
    every: EveryAct,
}

impl Scroll {
    fn action(self) -> Action {
        let Scroll { target, by, direction, every } = self;
        let (dialog, then) = every.given();
        let (target, frame) = target.given_or_frame();
        protocol::Scroll { target, by, direction, frame, dialog, then }.into()
    }
}

/// Choose an option of a list by its visible text
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

    #[command(flatten)]
    every: EveryAct,
}

impl Select {
    fn action(self) -> Action {
        let Select { trigger, option_text, every } = self;
        let (dialog, then) = every.given();
        protocol::Select { trigger: trigger.named(), option_text, dialog, then }.into()
    }
}
