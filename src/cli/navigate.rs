//! `navigate` and `wait`: going to an address, and waiting for the page.

use clap::Args;

use super::global_args::{Globals, word};
use super::{Error, Outcome, call};
use crate::agent;
use crate::protocol::{self, WaitStrategy};

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
    pub(super) fn run(self, globals: &Globals) -> Result<Outcome, Error> {
        let action = protocol::Navigate { url: self.url.given() }.into();
        call::show(globals, &action)
    }
}

/// Wait for an element, an address or the end of a navigation
///
/// Waits up to --timeout; the command itself may take 2 seconds more. If nothing matches in time, it fails with TIMEOUT,
/// and "details" say what was there instead.
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
        let limit = agent::time_limit(&action, None, globals.timeout());
        call::show_effect(globals, &action, call::send(globals, &action, limit)?)
    }
}
