//! What the user's service manager (systemd or launchd) knows of the daemon.
//!
//! It is only asked here; `service::manager` installs, starts and stops. A manager has one daemon per user, which serves
//! the default state directory.

pub(crate) mod launchd;
pub(crate) mod systemd;
mod tool;

use std::path::{Path, PathBuf};

use crate::config;

pub use tool::Error;
pub(crate) use tool::Tool;

/// What a manager knows of the daemon.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct View {
    /// Whether its units are there.
    pub installed: bool,
    /// The daemon's process, if it runs.
    pub pid: Option<i32>,
    /// The port on which the manager listens for it.
    pub port: Option<u16>,
    /// The port on which it would listen, as the units say.
    pub unit_port: Option<u16>,
}

/// The port on which the manager listens for the daemon of the state directory `home`, whether that runs or not. `None`
/// where the daemon is no service, or no manager answers.
///
/// Blocks for as long as a call of the manager takes: some milliseconds, and 30 s at most.
pub fn listening_port(home: &Path) -> Option<u16> {
    if !serves(home) {
        return None;
    }
    view().ok()?.filter(|view| view.installed)?.port
}

/// Whether `home` is the state directory that a service serves: the default one.
pub(crate) fn serves(home: &Path) -> bool {
    config::default_home()
        .is_some_and(|default| std::path::absolute(home).is_ok_and(|home| home == default))
}

/// What this system's manager knows; `None` for a user without a home directory.
fn view() -> Result<Option<View>, Error> {
    if cfg!(target_os = "macos") {
        launchd::Launchctl::of_this_user().map(|launchctl| Ok(launchctl.view())).transpose()
    } else {
        systemd::Systemctl::of_this_user().map(|systemctl| systemctl.view()).transpose()
    }
}

/// The user's home directory, in which units lie.
pub(crate) fn user_home() -> Option<PathBuf> {
    std::env::home_dir()
}
