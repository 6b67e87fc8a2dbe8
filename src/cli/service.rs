//! `service …` and `daemon`: the daemon's life.

use clap::{Args, Subcommand};

use super::globals::Globals;
use super::{Error, Outcome, output};
use crate::config::Config;
use crate::service::{self, Mode, control};

/// Start and stop the daemon
#[derive(Subcommand)]
pub(super) enum Service {
    /// Start the daemon, and print a pairing code
    #[command(
        after_help = "Examples:\n  bproxy service start\n  bproxy service start --foreground"
    )]
    Start {
        /// Stay in this terminal until Ctrl-C
        #[arg(long)]
        foreground: bool,
    },
    /// Stop the daemon and wait until it has ended
    #[command(after_help = "Example:\n  bproxy service stop")]
    Stop,
    /// Tell whether the daemon runs
    #[command(after_help = "Example:\n  bproxy service status")]
    Status,
    /// Stop the daemon if it runs, and start it
    #[command(after_help = "Example:\n  bproxy service restart")]
    Restart,
    Logs(super::logs::Logs),
}

impl Service {
    pub(super) fn run(self, globals: &Globals) -> Result<Outcome, Error> {
        let home = globals.home_path()?;
        let line = match self {
            Service::Logs(logs) => return logs.run(globals),
            Service::Start { foreground: true } => {
                service::run(&Config::from_env(globals.home.as_deref())?, Mode::Foreground)?;
                return Ok(Outcome::Done);
            }
            Service::Start { foreground: false } => control::start(&home)?,
            Service::Stop => control::stop(&home)?,
            Service::Status => {
                let status = control::status(&home)?;
                if let Some(trouble) = status.trouble() {
                    output::say(&trouble);
                }
                status.to_line()
            }
            Service::Restart => {
                control::stop(&home)?;
                control::start(&home)?
            }
        };
        output::line(line.into_bytes())?;
        Ok(Outcome::Done)
    }
}

/// Run the daemon in the foreground, as a service manager does
///
/// Its settings are the variables BPROXY_HOME, BPROXY_PORT, BPROXY_SECRETS, BPROXY_LOG, BPROXY_LOG_LEVEL and
/// BPROXY_EXTENSION_IDS. A bad one ends it with status 78.
#[derive(Args)]
#[command(after_help = "Example:\n  bproxy daemon")]
pub(super) struct Daemon {
    /// Started by `service start`, which waits for a word
    #[arg(long, hide = true)]
    detached: bool,
}

impl Daemon {
    pub(super) fn run(self, globals: &Globals) -> Result<Outcome, Error> {
        let mode = if self.detached { Mode::Detached } else { Mode::Service };
        let config = Config::from_env(globals.home.as_deref()).map_err(service::Error::from)?;
        service::run(&config, mode)?;
        Ok(Outcome::Done)
    }
}
