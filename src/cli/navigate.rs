//! `navigate` and `wait`: going somewhere, and getting there.

use std::time::Duration;

use clap::Args;

use super::global_args::{Globals, word};
use super::{Error, Outcome, call};
use crate::protocol::{self, Action, MAX_DEADLINE_MS, WaitStrategy};

/// An address, given with or without a flag.
#[derive(Args)]
#[group(required = true, multiple = false)]
pub(super) struct Url {
    /// Where to go
    #[arg(value_name = "URL")]
    address: Option<String>,

    /// Where to go, as a flag
    #[arg(long, value_name = "URL")]
    url: Option<String>,
}

impl Url {
    pub(super) fn given(self) -> String {
        self.address.or(self.url).expect("the command line requires one")
    }
}

/// Go to an address in the session's tab
#[derive(Args)]
#[command(after_help = "Example:\n  bproxy navigate https://example.org -s m4q7z2")]
pub(super) struct Navigate {
    #[command(flatten)]
    url: Url,
}

impl Navigate {
    pub(super) fn action(self) -> Action {
        protocol::Navigate { url: self.url.given() }.into()
    }
}

/// What the daemon allows on top of the time to wait, so that the page's own answer comes before the deadline.
const TRIP: Duration = Duration::from_secs(2);

/// Wait until something is there: an element, an address, the end of a navigation
///
/// Waits for as long as --timeout says; the command itself may take 2 seconds more.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  bproxy wait --strategy selector --target '#results' -s m4q7z2\n  \
    bproxy wait --strategy url --target '*/done' --timeout 5000 -s m4q7z2"
)]
pub(super) struct Wait {
    /// What to wait for
    #[arg(long, value_name = "STRATEGY", value_parser = word::<WaitStrategy>(WaitStrategy::WORDS))]
    strategy: WaitStrategy,

    /// The CSS selector, pattern or address
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    target: String,
}

impl Wait {
    pub(super) fn run(self, globals: &Globals) -> Result<Outcome, Error> {
        let Wait { strategy, target } = self;
        let timeout = protocol::Int::try_from(globals.timeout().as_millis() as i64)
            .map_err(|problem| Error::Flag { flag: "--timeout", problem })?;
        let action = protocol::Wait { strategy, target, timeout: Some(timeout) }.into();
        let timeout = time_for(&action, globals.timeout());
        call::show_answer(globals, call::send(globals, &action, timeout)?)
    }
}

/// How long an action may take that is given `timeout`: one that waits in the page, for so long at least.
pub(super) fn time_for(action: &Action, timeout: Duration) -> Duration {
    let longest = Duration::from_millis(MAX_DEADLINE_MS.cast_unsigned());
    match action.waits() {
        Some(waits) => timeout.max(waits + TRIP).min(longest),
        None => timeout,
    }
}
