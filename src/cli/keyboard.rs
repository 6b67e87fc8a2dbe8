//! `press` and `type`: keys, and text from the command line, a file or standard input.

use std::io;
use std::path::PathBuf;

use clap::Args;

use super::Error;
use super::every_act::EveryAct;
use super::fill::{read_file, read_text};
use super::global_args::checked;
use super::target::Target;
use crate::protocol::{self, Action, Key, TypedText};

/// Press keys, one after the other
///
/// Keys are named as in KeyboardEvent.key: Enter, Escape, ArrowDown, F2, a. Modifiers are held with them: Control+a.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  bproxy press Enter -s m4q7z2\n  bproxy press --element el3 Control+a Delete -s m4q7z2"
)]
pub(super) struct Press {
    #[command(flatten)]
    target: Target,

    /// The keys
    #[arg(value_name = "KEY", required = true, value_parser = checked::<Key>)]
    keys: Vec<Key>,

    #[command(flatten)]
    every: EveryAct,
}

impl Press {
    pub(super) fn action(self) -> Result<Action, Error> {
        let (dialog, then) = self.every.given();
        let keys = self.keys.try_into().map_err(|problem| Error::Flag { flag: "KEY", problem })?;
        Ok(protocol::Press { keys, target: self.target.given()?, dialog, then }.into())
    }
}

/// Type text, key by key
///
/// Without an element it goes to what has the focus. A line break is the Enter key.
#[derive(Args)]
#[command(after_help = "Examples:\n  bproxy type --element el3 'quarterly report' -s m4q7z2\n  \
    printf %s hello | bproxy type --element el3 --text-stdin -s m4q7z2")]
pub(super) struct Type {
    #[command(flatten)]
    target: Target,

    #[command(flatten)]
    text: Text,

    /// Replace what the field holds
    #[arg(long)]
    replace: bool,

    #[command(flatten)]
    every: EveryAct,
}

#[derive(Args)]
#[group(required = true, multiple = false)]
struct Text {
    /// The text
    #[arg(value_name = "TEXT", allow_hyphen_values = true)]
    text: Option<String>,

    /// A file with the text, used unchanged and kept out of the answer
    #[arg(long, value_name = "FILE", alias = "file")]
    text_file: Option<PathBuf>,

    /// Read the text from standard input, use it unchanged, and keep it out of the answer
    #[arg(long, alias = "stdin")]
    text_stdin: bool,
}

impl Type {
    pub(super) fn action(self) -> Result<Action, Error> {
        let Type { target, text, replace, every } = self;
        let (dialog, then) = every.given();
        // Whoever does not write the text into the command line does not want to read it in the answer either.
        let (flag, text, private) = match text {
            Text { text: Some(text), .. } => ("TEXT", text, None),
            Text { text_file: Some(path), .. } => {
                ("--text-file", read_file("--text-file", &path)?, Some(true))
            }
            Text { .. } => ("--text-stdin", read_text("--text-stdin", io::stdin())?, Some(true)),
        };
        let text = TypedText::try_from(text).map_err(|problem| Error::Flag { flag, problem })?;
        let replace = replace.then_some(true);
        Ok(protocol::Type { text, target: target.given()?, replace, private, dialog, then }.into())
    }
}
