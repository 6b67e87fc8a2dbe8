//! `require-human`: pausing the session until a person has helped.

use clap::Args;

use super::global_args::Globals;
use super::{Error, Outcome, call};
use crate::protocol;

/// Pause the session until a person has helped
#[derive(Args)]
#[command(after_help = "Example:\n  bproxy require-human --reason 'Please sign in' -s m4q7z2")]
pub(super) struct RequireHuman {
    /// What the person should do
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    reason: String,

    /// What the person's help is attached to
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    for_attach: Option<String>,
}

impl RequireHuman {
    pub(super) fn run(self, globals: &Globals) -> Result<Outcome, Error> {
        let RequireHuman { reason, for_attach } = self;
        let action = protocol::RequireHuman { reason, for_attach }.into();
        call::show(globals, &action)
    }
}
