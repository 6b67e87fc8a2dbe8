//! `wait`: until the page is as it is to be.

use clap::Args;

use super::global_args::{Globals, word};
use super::{Error, Outcome, call};
use crate::agent;
use crate::protocol::{self, Condition, Conditions, FrameName, WaitStrategy};

/// Wait until the page, its address or a download is as it is to be
///
/// What --target is depends on the strategy: a CSS selector for selector, gone and enabled, and for stable if only that
/// part of the page has to be at rest; the text for text and text-gone; an address, or a pattern of one, for url and
/// navigation; a part of the file's name for download. idle and stable without it are about the whole page.
///
/// Waits up to --timeout; the command itself may take 2 seconds more. If nothing matches in time, it fails with TIMEOUT,
/// and "details" say what was there instead.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  bproxy wait --strategy text --target 'Order received' --or 'text=Card declined' -s m4q7z2\n  \
    bproxy wait --strategy gone --target .spinner -s m4q7z2\n  \
    bproxy wait --strategy url --target '*/done' --timeout 5000 -s m4q7z2\n  \
    bproxy wait --strategy download -s m4q7z2"
)]
pub(super) struct Wait {
    /// What to wait for
    #[arg(long, value_name = "STRATEGY", value_parser = word::<WaitStrategy>(WaitStrategy::WORDS))]
    strategy: WaitStrategy,

    /// The CSS selector, text, address or name
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    target: Option<String>,

    /// What will do as well, with its target after a =; up to four times
    #[arg(long, value_name = "STRATEGY[=TEXT]", value_parser = condition)]
    or: Vec<Condition>,

    /// Only in this frame, by its name from frames or any other read
    #[arg(long, value_name = "FRAME")]
    frame: Option<FrameName>,
}

fn condition(text: &str) -> Result<Condition, String> {
    let (strategy, target) = match text.split_once('=') {
        Some((strategy, target)) => (strategy, Some(target.to_owned())),
        None => (text, None),
    };
    Ok(Condition { strategy: strategy.parse()?, target })
}

impl Wait {
    pub(super) fn run(self, globals: &Globals) -> Result<Outcome, Error> {
        let Wait { strategy, target, or, frame } = self;
        let timeout = protocol::Int::try_from(globals.timeout().as_millis() as i64)
            .map_err(|problem| Error::Flag { flag: "--timeout", problem })?;
        let or = (!or.is_empty())
            .then(|| Conditions::try_from(or))
            .transpose()
            .map_err(|problem| Error::Flag { flag: "--or", problem })?;
        let action = protocol::Wait { strategy, target, or, timeout: Some(timeout), frame }.into();
        let limit = agent::time_limit(&action, None, globals.timeout());
        call::show_effect(globals, &action, call::send(globals, &action, limit)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_will_do_as_well_is_a_strategy_with_its_target() {
        let css = condition("gone=a[href='x=y']").expect("a condition");
        assert_eq!(css.target.as_deref(), Some("a[href='x=y']"));
        assert_eq!(condition("idle").expect("a condition").target, None);
        assert!(condition("soon=x").expect_err("no strategy").contains("text-gone"));
    }
}
