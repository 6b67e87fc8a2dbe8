//! `debug …`, `status` and `health`: what daemon and extension report about themselves.

use clap::{Args, Subcommand};

use super::global_args::Globals;
use super::{Error, Outcome, call, output};
use crate::client::{self, Client, Endpoint};
use crate::protocol::{self, Int};

/// Look into the daemon and the extension
#[derive(Subcommand)]
pub(super) enum Debug {
    /// Show what the extension has recorded
    #[command(after_help = "Example:\n  bproxy debug log --limit 50 -s m4q7z2")]
    Log {
        /// Only records of the request with this id
        #[arg(long, value_name = "ID")]
        id: Option<String>,
        /// The most records to show, 1 to 1000
        #[arg(long, value_name = "N")]
        limit: Option<Int<1, 1000>>,
    },
    /// Show the traces of the latest commands
    #[command(after_help = "Example:\n  bproxy debug last --count 5")]
    Last {
        /// How many, 1 to 200 [default: 20]
        #[arg(long, value_name = "N")]
        count: Option<Int<1, 200>>,
    },
    /// Show the daemon, the browsers, the sessions and their tabs
    #[command(after_help = "Example:\n  bproxy debug status")]
    Status,
}

impl Debug {
    pub(super) fn run(self, globals: &Globals) -> Result<Outcome, Error> {
        let action = match self {
            Debug::Log { id, limit } => protocol::DebugLog { id, limit }.into(),
            Debug::Last { count } => protocol::DebugLast { count }.into(),
            Debug::Status => return Status {}.run(globals),
        };
        call::show(globals, &action)
    }
}

/// Show the daemon, the browsers, the sessions and their tabs
#[derive(Args)]
#[command(after_help = "Example:\n  bproxy status")]
pub(super) struct Status {}

impl Status {
    pub(super) fn run(self, globals: &Globals) -> Result<Outcome, Error> {
        call::show(globals, &protocol::DebugStatus {}.into())
    }
}

/// Ask the daemon for its health
#[derive(Args)]
#[command(after_help = "Example:\n  bproxy health")]
pub(super) struct Health {}

impl Health {
    pub(super) fn run(self, globals: &Globals) -> Result<Outcome, Error> {
        let client = match globals.client() {
            Ok(client) => client,
            // Without its token the daemon still says that it runs, and its version.
            Err(Error::Client(error @ (client::Error::NoToken | client::Error::Secrets(_)))) => {
                output::say(&error.to_string());
                Client::anonymous(Endpoint::find(&globals.home_path()?)?.port())
            }
            Err(error) => return Err(error),
        };
        globals.print(client.health_json()?)?;
        Ok(Outcome::Done)
    }
}
