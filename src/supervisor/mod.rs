//! Queries the user's service manager (systemd or launchd) for the state of the daemon's service.
//!
//! Changes nothing; `service::manager` installs, starts and stops the service. A manager has one daemon per user, for the
//! default state directory.

mod command;
pub(crate) mod launchd;
pub(crate) mod systemd;

use std::path::{Path, PathBuf};

use crate::config;

pub use command::Error;
pub(crate) use command::ManagerCommand;

/// The state of the service, as the manager reports it.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct ServiceState {
    /// Whether its units are installed.
    pub installed: bool,
    /// The daemon's process, if it runs.
    pub pid: Option<i32>,
    /// The port that the manager listens on; `None` if it does not listen.
    pub port: Option<u16>,
    /// The port in the units, whether or not the manager listens.
    pub unit_port: Option<u16>,
    /// How the service failed, in the manager's word; `None` if it did not.
    pub failed: Option<String>,
}

/// The port that the manager listens on for the daemon of the state directory `home`, whether or not that runs. `None` if
/// the daemon is not a service, or no manager answers.
///
/// Blocks while the manager's command runs: a few milliseconds, 30 s at most.
pub fn listening_port(home: &Path) -> Option<u16> {
    if !serves(home) {
        return None;
    }
    query().ok()?.filter(|state| state.installed)?.port
}

/// The port in the units of the daemon of `home`, whether or not the manager listens; `None` as with [`listening_port`].
pub(crate) fn unit_port(home: &Path) -> Option<u16> {
    if !serves(home) {
        return None;
    }
    query().ok()?.filter(|state| state.installed)?.unit_port
}

/// Whether `home` is the state directory of a service: the default one.
pub(crate) fn serves(home: &Path) -> bool {
    config::default_home()
        .is_some_and(|default| std::path::absolute(home).is_ok_and(|home| home == default))
}

/// Queries this system's manager; `None` for a user without a home directory.
fn query() -> Result<Option<ServiceState>, Error> {
    if cfg!(target_os = "macos") {
        launchd::Launchctl::for_current_user().map(|launchctl| Ok(launchctl.query())).transpose()
    } else {
        systemd::Systemctl::for_current_user().map(|systemctl| systemctl.query()).transpose()
    }
}

/// The user's home directory, which has the units.
pub(crate) fn user_home() -> Option<PathBuf> {
    std::env::home_dir()
}
