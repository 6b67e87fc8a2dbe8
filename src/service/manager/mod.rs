//! The daemon as a service: installs, starts, stops and queries it through systemd or launchd.
//!
//! A manager has one daemon per user, for the default state directory. A daemon with another state directory, or without
//! an installed service, is handled by `control`.

mod files;
mod install;
mod launchd;
mod systemd;

pub use install::{Installed, install, uninstall};

use std::io;
use std::path::{Path, PathBuf};

use rustix::process::Pid;

use super::control;
use super::status::{self, ManagedBy, Started, Status, Stopped};
use crate::client;
use crate::config;
use crate::home::{self, Home};
use crate::loopback;
use crate::program;
use crate::secrets;
use crate::supervisor::{self, ServiceState};
use files::WrittenFiles;

/// Why the service manager could not be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The manager's command line program failed.
    #[error(transparent)]
    Command(#[from] supervisor::Error),
    /// There is no path to write into units.
    #[error(transparent)]
    Program(#[from] program::Error),
    /// A unit file cannot be written or removed.
    #[error("cannot {operation} {}: {source}", path.display())]
    File {
        /// The operation, as a verb.
        operation: &'static str,
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// There is no service manager, or it does not answer.
    #[error(
        "no service manager answers ({0}): start the daemon without one, with `bproxy service start`"
    )]
    None(String),
    /// A service always has the default state directory.
    #[error("a service serves {}, not {}: leave out --home and BPROXY_HOME", default.display(), given.display())]
    Home {
        /// The default state directory.
        default: PathBuf,
        /// The one that was given.
        given: PathBuf,
    },
    /// The manager could not start the daemon.
    #[error("{0}; see `journalctl --user --unit=bproxy`, or the files in ~/.bproxy/logs")]
    Start(#[source] supervisor::Error),
    /// The manager has passed over a unit.
    #[error(
        "systemd skips {unit}, because a condition in it does not hold: it is not for root, and needs the program that it \
         names; see `systemctl --user status {unit}`, and `bproxy service install` for a unit with this program"
    )]
    Skipped {
        /// Its name.
        unit: &'static str,
    },
    /// Another program has the port that the service listens on.
    #[error(
        "the service cannot listen, because port {port} is taken by {holder}: choose another one, with `bproxy service \
         install --now --port {free}`"
    )]
    Taken {
        /// The port.
        port: u16,
        /// Who has it.
        holder: String,
        /// A port that nobody has.
        free: u16,
    },
    /// The state directory.
    #[error(transparent)]
    State(#[from] home::Error),
    /// The daemon's process cannot be controlled.
    #[error(transparent)]
    Control(#[from] control::Error),
    /// The tokens cannot be removed.
    #[error(transparent)]
    Secrets(#[from] secrets::Error),
    /// The pairing code of the new daemon cannot be read.
    #[error(transparent)]
    Status(#[from] status::Error),
}

/// A service manager. Calls block, each with a deadline.
trait Manager: Send + Sync {
    /// Which manager this is.
    fn name(&self) -> ManagedBy;
    /// Queries the state of the service.
    fn query(&self) -> Result<ServiceState, Error>;
    /// The unit files of an installation, with their texts.
    fn units(&self, program: &Path, port: u16) -> Vec<(PathBuf, String)>;
    /// The user's own unit files that are missing or differ from what an installation would write.
    fn outdated(&self, program: &Path, port: u16) -> Result<Vec<PathBuf>, Error>;
    /// Writes the units, so that the manager listens from the next login on.
    fn install(&self, program: &Path, port: u16) -> Result<WrittenFiles, Error>;
    /// Starts listening now.
    fn listen(&self) -> Result<(), Error>;
    /// Stops the daemon and removes the units. Returns the removed files.
    fn uninstall(&self) -> Result<Vec<PathBuf>, Error>;
    /// What a removal leaves of the service: what somebody else has written.
    fn leftovers(&self) -> Vec<PathBuf>;
    /// Starts the daemon and listens.
    fn start(&self) -> Result<(), Error>;
    /// Stops the daemon and stops listening.
    fn stop(&self) -> Result<(), Error>;
    /// Restarts the daemon and keeps listening.
    fn restart(&self) -> Result<(), Error>;
}

/// Starts the daemon of `home`, through the manager if it is a service. Returns its readiness message, one line of JSON.
///
/// # Errors
/// When one is running already, or the new one does not become ready.
pub fn start(home: &Path) -> Result<String, Error> {
    let Some((manager, _)) = managing(home) else { return Ok(control::start(home)?) };
    let state = Home::open(home)?;
    control::ensure_not_running(&state)?;
    manager.start().map_err(|error| as_start_error(&*manager, error))?;
    wait_until_started(&state, None, &*manager)
}

/// Stops the daemon of `home`, however it was started, and the manager's socket. Returns the result, one line of JSON.
///
/// # Errors
/// When the daemon cannot be signalled, or does not end.
pub fn stop(home: &Path) -> Result<String, Error> {
    let Some((manager, _)) = managing(home) else { return Ok(control::stop(home)?) };
    home::check_layout(home)?;
    manager.stop()?;
    control::stop_service(home)?;
    Ok(Stopped::managed_by(manager.name()).to_line())
}

/// Restarts the daemon of `home`, or starts it if it does not run. Returns its readiness message, one line of JSON.
///
/// # Errors
/// When the old daemon does not end, or the new one does not become ready.
pub fn restart(home: &Path) -> Result<String, Error> {
    let Some((manager, service)) = managing(home) else {
        control::stop(home)?;
        return Ok(control::start(home)?);
    };
    let state = Home::open(home)?;
    let mut before = control::running_pid(&state)?;
    if before.is_some() && before.map(|pid| pid.as_raw_nonzero().get()) != service.pid {
        control::stop_service(home)?;
        before = None;
    }
    manager.restart().map_err(|error| as_start_error(&*manager, error))?;
    wait_until_started(&state, before, &*manager)
}

/// Restarts the running daemon of `home` on the port that it has.
///
/// # Errors
/// As those of [`restart`].
pub fn restart_in_place(home: &Path) -> Result<String, Error> {
    if managing(home).is_some() {
        return restart(home);
    }
    let port = Home::find(home)?.and_then(|home| client::running_port(&home).ok());
    control::stop(home)?;
    Ok(control::start_on(home, port)?)
}

/// Whether the daemon of `home` runs, and what manages it.
///
/// # Errors
/// When the state directory or the lock cannot be read.
pub fn status(home: &Path) -> Result<Status, Error> {
    let status = control::status(home)?;
    Ok(match managing(home) {
        Some((manager, service)) => status.managed_by(manager.name(), service),
        None => status,
    })
}

/// A service that is installed.
pub struct Service {
    manager: Box<dyn Manager>,
    /// The port that the manager listens on; `None` if it does not listen.
    pub port: Option<u16>,
    /// The port in the units, whether or not the manager listens.
    pub unit_port: Option<u16>,
}

impl Service {
    /// Which manager it is installed in.
    pub fn managed_by(&self) -> ManagedBy {
        self.manager.name()
    }

    /// The user's own unit files that are missing or differ from what this program would write for `port`.
    ///
    /// # Errors
    /// When the path of this program is temporary, so that the units' text is unknown.
    pub fn outdated(&self, port: u16) -> Result<Vec<PathBuf>, Error> {
        self.manager.outdated(&program::path()?, port)
    }
}

/// The installed service that runs the daemon of `home`; `None` if there is none.
pub fn service(home: &Path) -> Option<Service> {
    let (manager, state) = managing(home)?;
    Some(Service { manager, port: state.port, unit_port: state.unit_port })
}

/// Why the manager could not start the daemon, or listen for it.
fn as_start_error(manager: &dyn Manager, error: Error) -> Error {
    let Error::Command(error) = error else { return error };
    match manager.query() {
        Ok(ServiceState { port: None, unit_port: Some(port), .. }) => {
            match loopback::holder(port) {
                Some(holder) => {
                    Error::Taken { port, holder, free: loopback::free_port_after(port) }
                }
                None => Error::Start(error),
            }
        }
        _ => Error::Start(error),
    }
}

/// A warning about a `BPROXY_PORT` that the daemon of `home` does not use, because its service manager listens on another
/// port.
///
/// # Errors
/// When the variable is not valid.
pub fn unused_port(home: &Path) -> Result<Option<String>, config::Error> {
    let Some(given) = config::port_from_env(home)? else { return Ok(None) };
    let Some((manager, ServiceState { unit_port: Some(port), .. })) = managing(home) else {
        return Ok(None);
    };
    let name = manager.name().as_str();
    Ok((given != port).then(|| {
        format!(
            "BPROXY_PORT={given} has no effect, because {name} listens on port {port}: `bproxy service install --now --port \
             {given}` changes that"
        )
    }))
}

fn wait_until_started(
    state: &Home,
    before: Option<Pid>,
    manager: &dyn Manager,
) -> Result<String, Error> {
    let (pid, port) = control::wait_until_ready(state, before)?;
    let pid = pid.as_raw_nonzero().get().cast_unsigned();
    Ok(Started::read(state, pid, port, manager.name())?.to_line())
}

/// The manager that has the daemon of `home` installed as a service, and the service's state.
fn managing(home: &Path) -> Option<(Box<dyn Manager>, ServiceState)> {
    let manager = manager_for(home).ok()?;
    let state = manager.query().ok()?;
    state.installed.then_some((manager, state))
}

/// The manager in which the daemon of `home` can be installed.
fn manager_for(home: &Path) -> Result<Box<dyn Manager>, Error> {
    let none = || Error::None("this user has no home directory".into());
    if supervisor::serves(home) {
        return system_manager().ok_or_else(none);
    }
    let default = config::default_home().ok_or_else(none)?;
    Err(Error::Home { default, given: home.to_owned() })
}

fn system_manager() -> Option<Box<dyn Manager>> {
    if cfg!(target_os = "macos") {
        Some(Box::new(launchd::Launchd::for_current_user()?))
    } else {
        Some(Box::new(systemd::Systemd::for_current_user()?))
    }
}
