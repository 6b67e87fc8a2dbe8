//! The daemon as a service of the operating system: installed, started and stopped through systemd or launchd.
//!
//! A manager has one daemon per user, which serves the default state directory. Any other belongs to whoever starts it.

mod files;
mod install;
mod launchd;
mod program;
mod systemd;

pub use install::{Installed, install, uninstall};

use std::io;
use std::path::{Path, PathBuf};

use rustix::process::Pid;

use super::control;
use super::lifecycle::{self, ManagedBy, Started, Status, Stopped};
use crate::config;
use crate::home::{self, Home};
use crate::secrets;
use crate::supervisor::{self, View};
use files::Files;

/// Why the service manager could not be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// One of its programs.
    #[error(transparent)]
    Tool(#[from] supervisor::Error),
    /// There is no path to write into units.
    #[error(transparent)]
    Program(#[from] program::Error),
    /// A file of its own.
    #[error("cannot {operation} {}: {source}", path.display())]
    File {
        /// What was tried, as a verb.
        operation: &'static str,
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// There is none, or it does not answer.
    #[error(
        "no service manager answers ({0}): start the daemon without one, with `bproxy service start`"
    )]
    None(String),
    /// Another state directory than a service's.
    #[error("a service serves {}, not {}: leave out --home and BPROXY_HOME", default.display(), given.display())]
    Home {
        /// Where a service keeps its state.
        default: PathBuf,
        /// What is asked for.
        given: PathBuf,
    },
    /// The manager could not start the daemon.
    #[error("{0}; see `journalctl --user --unit=bproxy`, or the files in ~/.bproxy/logs")]
    Start(#[source] supervisor::Error),
    /// The state directory.
    #[error(transparent)]
    State(#[from] home::Error),
    /// The daemon's own files and its process.
    #[error(transparent)]
    Control(#[from] control::Error),
    /// The tokens.
    #[error(transparent)]
    Secrets(#[from] secrets::Error),
    /// What the daemon has to say.
    #[error(transparent)]
    Lifecycle(#[from] lifecycle::Error),
}

/// A service manager. Calls block, each with a deadline.
trait Manager {
    /// Its name in what is told.
    fn name(&self) -> ManagedBy;
    /// How things stand.
    fn view(&self) -> Result<View, Error>;
    /// The units that there have to be.
    fn units(&self, program: &Path, port: u16) -> Vec<(PathBuf, String)>;
    /// The user's own units that are missing, or not as they would be written.
    fn outdated(&self, program: &Path, port: u16) -> Result<Vec<PathBuf>, Error>;
    /// Writes the units, so that the manager listens from the next login on.
    fn install(&self, program: &Path, port: u16) -> Result<Files, Error>;
    /// Listens from now on.
    fn listen(&self) -> Result<(), Error>;
    /// Stops the daemon and removes the units. Returns the files that were there.
    fn uninstall(&self) -> Result<Vec<PathBuf>, Error>;
    /// Starts the daemon, and listens.
    fn start(&self) -> Result<(), Error>;
    /// Stops the daemon, and listens no more.
    fn stop(&self) -> Result<(), Error>;
    /// Replaces the daemon, and goes on listening.
    fn restart(&self) -> Result<(), Error>;
}

/// Starts the daemon of `home`, through the manager if it is a service. Returns what it says when it is ready, in one
/// line of JSON.
///
/// # Errors
/// When one is running already, or the new one does not become ready.
pub fn start(home: &Path) -> Result<String, Error> {
    let Some((manager, _)) = of(home) else { return Ok(control::start(home)?) };
    let state = Home::open(home)?;
    control::refuse_second(&state)?;
    manager.start().map_err(as_start)?;
    started(&state, None, &*manager)
}

/// Stops the daemon of `home`, whoever started it, and its socket. Returns what to say, in one line of JSON.
///
/// # Errors
/// When it cannot be told to, or does not end.
pub fn stop(home: &Path) -> Result<String, Error> {
    let Some((manager, _)) = of(home) else { return Ok(control::stop(home)?) };
    home::check_layout(home)?;
    manager.stop()?;
    control::stop_service(home)?;
    Ok(Stopped::managed_by(manager.name()).to_line())
}

/// Replaces the daemon of `home`, or starts one. Returns what the new one says, in one line of JSON.
///
/// # Errors
/// When the old one does not end, or the new one does not become ready.
pub fn restart(home: &Path) -> Result<String, Error> {
    let Some((manager, view)) = of(home) else {
        control::stop(home)?;
        return Ok(control::start(home)?);
    };
    let state = Home::open(home)?;
    let mut before = control::daemon(&state)?;
    if before.is_some() && before.map(|pid| pid.as_raw_nonzero().get()) != view.pid {
        control::stop_service(home)?;
        before = None;
    }
    manager.restart().map_err(as_start)?;
    started(&state, before, &*manager)
}

/// Asks whether the daemon of `home` runs, and who manages it.
///
/// # Errors
/// When the state directory or the lock cannot be looked at.
pub fn status(home: &Path) -> Result<Status, Error> {
    let status = control::status(home)?;
    Ok(match of(home) {
        Some((manager, view)) => status.managed_by(manager.name(), view.pid),
        None => status,
    })
}

/// A service that is installed.
pub struct Service {
    manager: Box<dyn Manager>,
    /// Where the manager listens; `None` while it does not.
    pub port: Option<u16>,
    /// Where it would listen, as the units say.
    pub unit_port: Option<u16>,
}

impl Service {
    /// Whose it is.
    pub fn managed_by(&self) -> ManagedBy {
        self.manager.name()
    }

    /// The user's own files that are missing or not as this program would write them for `port`.
    ///
    /// # Errors
    /// When this program lies where it will not stay: it then cannot tell what it would write.
    pub fn outdated(&self, port: u16) -> Result<Vec<PathBuf>, Error> {
        self.manager.outdated(&program::path()?, port)
    }
}

/// Looks at the service that the daemon of `home` is; `None` where it is none.
pub fn service(home: &Path) -> Option<Service> {
    let (manager, view) = of(home)?;
    Some(Service { manager, port: view.port, unit_port: view.unit_port })
}

fn as_start(error: Error) -> Error {
    match error {
        Error::Tool(error) => Error::Start(error),
        error => error,
    }
}

fn started(state: &Home, before: Option<Pid>, manager: &dyn Manager) -> Result<String, Error> {
    let (pid, port) = control::wait_until_ready(state, before)?;
    let pid = pid.as_raw_nonzero().get().cast_unsigned();
    Ok(Started::read(state, pid, port, manager.name())?.to_line())
}

/// The manager that the daemon of `home` belongs to: its units are there, and it answers.
fn of(home: &Path) -> Option<(Box<dyn Manager>, View)> {
    let manager = for_service(home).ok()?;
    let view = manager.view().ok()?;
    view.installed.then_some((manager, view))
}

/// The manager that could have the daemon of `home` as a service.
fn for_service(home: &Path) -> Result<Box<dyn Manager>, Error> {
    let none = || Error::None("this user has no home directory".into());
    if supervisor::serves(home) {
        return of_this_system().ok_or_else(none);
    }
    let default = config::default_home().ok_or_else(none)?;
    Err(Error::Home { default, given: home.to_owned() })
}

fn of_this_system() -> Option<Box<dyn Manager>> {
    if cfg!(target_os = "macos") {
        Some(Box::new(launchd::Launchd::of_this_user()?))
    } else {
        Some(Box::new(systemd::Systemd::of_this_user()?))
    }
}
