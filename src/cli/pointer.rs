//! The verbs of the mouse: clicking, hovering, dragging, selecting text.

use clap::Args;

use super::every_act::EveryAct;
use super::global_args::word;
use super::target::{DropTarget, RequiredTarget};
use crate::protocol::{self, Action, Button, Int, Modifier, Offset, Share, Spot};

/// Click an element
#[derive(Args)]
#[command(
    after_help = "Examples:\n  bproxy click --element ln2 -s m4q7z2\n  bproxy click --selector '#row' --button right -s m4q7z2\n  bproxy click --element el3 --count 2 --modifiers Control,Shift --at 0.1,0.5 -s m4q7z2"
)]
pub(super) struct Click {
    #[command(flatten)]
    target: RequiredTarget,

    /// The button to press; left if absent
    #[arg(long, value_name = "BUTTON", value_parser = word::<Button>(Button::WORDS))]
    button: Option<Button>,

    /// How often to click: 2 is a double click
    #[arg(long, value_name = "COUNT")]
    count: Option<Int<1, 3>>,

    /// The keys to hold down meanwhile, separated by commas
    #[arg(long, value_name = "KEYS", value_delimiter = ',', value_parser = word::<Modifier>(Modifier::WORDS))]
    modifiers: Option<Vec<Modifier>>,

    /// Where in the element, as X,Y from 0,0 (left, top) to 1,1 (right, bottom)
    #[arg(long, value_name = "X,Y", value_parser = place)]
    at: Option<Spot>,

    /// How long to hold the button down, in milliseconds
    #[arg(long, value_name = "MS")]
    hold: Option<Int<0, 10_000>>,

    #[command(flatten)]
    every: EveryAct,
}

impl Click {
    pub(super) fn action(self) -> Action {
        let Click { target, button, count, modifiers, at, hold, every } = self;
        let (dialog, then) = every.given();
        protocol::Click { target: target.named(), button, count, modifiers, at, hold, dialog, then }
            .into()
    }
}

/// Move the pointer over an element
#[derive(Args)]
#[command(after_help = "Example:\n  bproxy hover --selector 'nav .menu' -s m4q7z2")]
pub(super) struct Hover {
    #[command(flatten)]
    target: RequiredTarget,

    /// Where in the element, as X,Y from 0,0 (left, top) to 1,1 (right, bottom)
    #[arg(long, value_name = "X,Y", value_parser = place)]
    at: Option<Spot>,

    #[command(flatten)]
    every: EveryAct,
}

impl Hover {
    pub(super) fn action(self) -> Action {
        let (dialog, then) = self.every.given();
        protocol::Hover { target: self.target.named(), at: self.at, dialog, then }.into()
    }
}

/// Drag an element onto another one, or by a distance
#[derive(Args)]
#[command(
    after_help = "Examples:\n  bproxy drag --element el4 --to-element el9 -s m4q7z2\n  bproxy drag --selector '#slider' --at 0.2,0.5 --by 120,0 -s m4q7z2"
)]
pub(super) struct Drag {
    #[command(flatten)]
    from: RequiredTarget,

    #[command(flatten)]
    onto: DropTarget,

    /// How far to drag it to the right and down, as X,Y in pixels
    #[arg(long, value_name = "X,Y", value_parser = offset, allow_hyphen_values = true)]
    by: Option<Offset>,

    /// Where to take hold of it, as X,Y from 0,0 (left, top) to 1,1 (right, bottom)
    #[arg(long, value_name = "X,Y", value_parser = place)]
    at: Option<Spot>,

    /// Where in the other element to drop it, likewise
    #[arg(long, value_name = "X,Y", value_parser = place, conflicts_with = "by")]
    to_at: Option<Spot>,

    /// How many moves the way has; 10 if absent
    #[arg(long, value_name = "COUNT")]
    steps: Option<Int<1, 100>>,

    #[command(flatten)]
    every: EveryAct,
}

impl Drag {
    pub(super) fn action(self) -> Action {
        let Drag { from, onto, by, at, to_at, steps, every } = self;
        let (dialog, then) = every.given();
        protocol::Drag { from: from.named(), to: onto.given(), by, at, to_at, steps, dialog, then }
            .into()
    }
}

/// Select the text of an element or a field, or a part of it
#[derive(Args)]
#[command(
    after_help = "Examples:\n  bproxy select-text --selector article -s m4q7z2\n  bproxy select-text --element el2 --text 'two words' --nth 1 -s m4q7z2"
)]
pub(super) struct SelectText {
    #[command(flatten)]
    target: RequiredTarget,

    /// The part of its text; all of it if absent
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    text: Option<String>,

    /// Which occurrence of the part, from 0
    #[arg(long, value_name = "NUMBER", requires = "text")]
    nth: Option<u32>,

    #[command(flatten)]
    every: EveryAct,
}

impl SelectText {
    pub(super) fn action(self) -> Action {
        let SelectText { target, text, nth, every } = self;
        let (dialog, then) = every.given();
        protocol::SelectText { target: target.named(), text, nth, dialog, then }.into()
    }
}

/// Two numbers, as `X,Y`.
fn pair(text: &str) -> Result<(f64, f64), String> {
    let numbers = text.split_once(',').and_then(|(x, y)| {
        let number = |text: &str| text.trim().parse::<f64>().ok().filter(|it| it.is_finite());
        Some((number(x)?, number(y)?))
    });
    numbers.ok_or_else(|| format!("`{text}` is not two numbers, such as 0.5,0.5"))
}

fn place(text: &str) -> Result<Spot, String> {
    let (x, y) = pair(text)?;
    Ok(Spot { x: Share::try_from(x)?, y: Share::try_from(y)? })
}

fn offset(text: &str) -> Result<Offset, String> {
    let (x, y) = pair(text)?;
    Ok(Offset { x, y })
}
