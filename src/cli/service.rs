//! `service …` and `daemon`: running the daemon.

use std::path::Path;
use std::time::Duration;

use clap::{Args, Subcommand};

use super::global_args::{Format, Globals};
use super::{Error, Outcome, output, pair};
use crate::config::{self, Config};
use crate::protocol::DEFAULT_PORT;
use crate::service::{self, Mode, manager};

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
    /// Report whether the daemon runs
    ///
    /// Exit status 0 if it does, and 3 if it does not.
    #[command(after_help = "Example:\n  bproxy service status")]
    Status,
    /// Stop the daemon if it runs, and start it
    #[command(after_help = "Example:\n  bproxy service restart")]
    Restart,
    Logs(super::logs::Logs),
    /// Install the daemon as a service, which starts when it is needed
    ///
    /// With systemd, or launchd on macOS. The service manager listens on the daemon's port from the next login on.
    /// Installing again updates the service.
    #[command(
        after_help = "Examples:\n  bproxy service install --now\n  bproxy service install --now --port 9700"
    )]
    Install {
        /// Start listening now
        #[arg(long)]
        now: bool,
        /// The port to listen on [default: BPROXY_PORT, or 9615]
        #[arg(long, value_name = "PORT", value_parser = clap::value_parser!(u16).range(1..))]
        port: Option<u16>,
    },
    /// Stop the daemon, and remove the service with all its data
    #[command(
        after_help = "Examples:\n  bproxy service uninstall\n  bproxy service uninstall --keep-tokens"
    )]
    Uninstall {
        /// Keep the tokens, so that the extension stays paired
        #[arg(long)]
        keep_tokens: bool,
    },
}

impl Service {
    pub(super) fn run(self, globals: &Globals) -> Result<Outcome, Error> {
        let home = globals.home_path()?;
        let line = match self {
            Service::Logs(logs) => return logs.run(globals),
            Service::Start { foreground: true } => {
                let config = Config::from_env(globals.home.as_deref())?;
                service::run(|| Ok(config), Mode::Foreground)?;
                return Ok(Outcome::Done);
            }
            Service::Start { foreground: false } => {
                warn_of_port(&home)?;
                started(globals, manager::start(&home)?)
            }
            Service::Stop => manager::stop(&home)?,
            Service::Status => {
                let status = manager::status(&home)?;
                if let Some(warning) = status.warning() {
                    output::say(&warning);
                }
                globals.print(status.to_line().into_bytes())?;
                return Ok(if status.is_running() { Outcome::Done } else { Outcome::Stopped });
            }
            Service::Restart => {
                warn_of_port(&home)?;
                started(globals, manager::restart(&home)?)
            }
            Service::Install { now, port } => {
                let set = config::port_from_env(&home)?.filter(|port| *port != 0);
                let port = port.or(set).unwrap_or(DEFAULT_PORT);
                let installed = manager::install(&home, port, now)?;
                if let Some(warning) = installed.warning() {
                    output::say(&warning);
                }
                installed.to_line()
            }
            Service::Uninstall { keep_tokens } => {
                let removed = manager::uninstall(&home, keep_tokens)?;
                output::say(&removed.remainder());
                removed.to_line()
            }
        };
        globals.print(line.into_bytes())?;
        Ok(Outcome::Done)
    }
}

/// Says so if the port that the person has set is not the one that the daemon gets.
fn warn_of_port(home: &Path) -> Result<(), Error> {
    if let Some(warning) = manager::unused_port(home)? {
        output::say(&warning);
    }
    Ok(())
}

/// The message of a daemon that has started, in the text format with its pairing code as people are shown it.
fn started(globals: &Globals, line: String) -> String {
    let Ok(mut message) = serde_json::from_str::<serde_json::Value>(&line) else { return line };
    let code = message["pairingCode"].as_str();
    let port = message["port"].as_u64().and_then(|port| port.try_into().ok());
    match (globals.format(), code, port) {
        (Some(Format::Text), Some(code), Some(port)) => {
            message["pairingCode"] = pair::for_people(code, port).into();
            message.to_string()
        }
        _ => line,
    }
}

/// Run the daemon in the foreground, as a service manager does
///
/// It is configured by the variables BPROXY_HOME, BPROXY_PORT, BPROXY_SECRETS, BPROXY_LOG, BPROXY_LOG_LEVEL,
/// BPROXY_EXTENSION_IDS and BPROXY_IDLE_EXIT. With an invalid one it exits with status 78.
#[derive(Args)]
#[command(after_help = "Example:\n  bproxy daemon")]
pub(super) struct Daemon {
    /// Started by `service start`, which waits until it is ready
    #[arg(long, hide = true, conflicts_with = "activated")]
    detached: bool,
    /// Fail unless a service manager passes the listening socket
    #[arg(long)]
    activated: bool,
    /// Unless BPROXY_IDLE_EXIT is set: exit after this long without a browser, a session or a request, if a service
    /// manager starts another daemon for the next connection
    #[arg(long, value_name = "SECONDS")]
    idle_exit: Option<u64>,
}

impl Daemon {
    pub(super) fn run(self, globals: &Globals) -> Result<Outcome, Error> {
        let mode = match self.detached {
            true => Mode::Detached,
            false => Mode::Service { activated: self.activated },
        };
        let config = || {
            let mut config = Config::from_env(globals.home.as_deref())?;
            config.idle_exit = config.idle_exit.or(self.idle_exit.map(Duration::from_secs));
            Ok(config)
        };
        service::run(config, mode)?;
        Ok(Outcome::Done)
    }
}
