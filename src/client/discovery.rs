//! Finding the daemon of a state directory, running or not, and the token that it accepts.
//!
//! A daemon that runs holds the directory's lock and has written its port there. For one that does not run, systemd or
//! launchd may listen: the first connection to their port starts it.

use std::borrow::Cow;
use std::path::Path;

use super::{Client, Error};
use crate::config;
use crate::home::Home;
use crate::home::lock::Watch;
use crate::secrets;
use crate::supervisor;

/// Finds the daemon of the state directory `home`, or of this process's (`BPROXY_HOME`, else `~/.bproxy`). One that
/// exited because it was idle is started again by the first command, if it is a service of systemd or launchd.
///
/// Nothing is sent yet. A client does not notice when another daemon takes over, so a long-running program calls this
/// again for each task.
///
/// # Errors
/// [`Error::NotRunning`] when no daemon runs and none is started by a connection; otherwise when the state directory,
/// the configuration or the token cannot be used.
pub fn connect(home: Option<&Path>) -> Result<Client, Error> {
    let path = home_path(home)?;
    let choice = config::secrets_from_env(&path)?;
    match Endpoint::find(&path)? {
        Endpoint::Running { home, port } => {
            let token = secrets::client_token(choice, &home)?.ok_or(Error::NoToken)?;
            Ok(Client::new(port, token))
        }
        Endpoint::Activated { port } => {
            let home = Home::open(&path)?;
            Ok(Client::new(port, secrets::ensure_client_token(choice, &home)?))
        }
    }
}

/// Finds a daemon that is running already; starts none.
///
/// # Errors
/// As those of [`connect`]; [`Error::NotRunning`] also where a connection would start the daemon.
pub fn connect_running(home: Option<&Path>) -> Result<Client, Error> {
    let path = home_path(home)?;
    let choice = config::secrets_from_env(&path)?;
    let home = Home::find(&path)?.ok_or(Error::NotRunning)?;
    let port = running_port(&home)?;
    let token = secrets::client_token(choice, &home)?.ok_or(Error::NoToken)?;
    Ok(Client::new(port, token))
}

/// Where the daemon of a state directory can be reached.
#[derive(Debug)]
pub enum Endpoint {
    /// A daemon has written that it listens there. If it was killed since, connecting fails.
    Running {
        /// Its state directory.
        home: Home,
        /// Its port.
        port: u16,
    },
    /// No daemon runs; the service manager listens there and starts one for the first connection.
    Activated {
        /// The service manager's port.
        port: u16,
    },
}

impl Endpoint {
    /// Finds it for the state directory `home`.
    ///
    /// # Errors
    /// [`Error::NotRunning`] when there is none; otherwise when the state directory cannot be trusted or read.
    pub fn find(home: &Path) -> Result<Endpoint, Error> {
        let found = Home::find(home)?;
        if let Some(home) = found.as_ref().filter(|home| is_served(home)) {
            match running_port(home) {
                // It is starting or stopping.
                Err(Error::NotRunning) => {}
                port => return Ok(Endpoint::Running { home: home.clone(), port: port? }),
            }
        }
        // The port file of a killed daemon says nothing about where the manager listens.
        if let Some(port) = supervisor::listening_port(home) {
            return Ok(Endpoint::Activated { port });
        }
        // The lock of a daemon in another container cannot be seen from here; its port file can.
        let home = found.ok_or(Error::NotRunning)?;
        let port = running_port(&home)?;
        Ok(Endpoint::Running { home, port })
    }

    /// The port.
    pub fn port(&self) -> u16 {
        match self {
            Endpoint::Running { port, .. } | Endpoint::Activated { port } => *port,
        }
    }
}

/// The port that the daemon of `home` has written down, as it does once it is ready.
///
/// # Errors
/// [`Error::NotRunning`] when there is none; otherwise when the file cannot be trusted, or does not hold a port.
pub fn running_port(home: &Home) -> Result<u16, Error> {
    let path = home.port();
    let bytes = home.read_secret(&path)?.ok_or(Error::NotRunning)?;
    let port = str::from_utf8(&bytes).ok().and_then(|text| text.trim_end().parse().ok());
    port.filter(|port| *port != 0).ok_or(Error::Port(path))
}

fn home_path(given: Option<&Path>) -> Result<Cow<'_, Path>, Error> {
    match given {
        Some(path) => Ok(path.into()),
        None => Ok(config::home_from_env()?.into()),
    }
}

/// Whether a daemon holds the state directory's lock.
fn is_served(home: &Home) -> bool {
    Watch::open(home).ok().flatten().is_some_and(|watch| watch.daemon().is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn home() -> (tempfile::TempDir, Home) {
        let parent = tempfile::tempdir().unwrap();
        let home = Home::open(&parent.path().join("home")).unwrap();
        (parent, home)
    }

    #[test]
    fn a_port_file_counts_where_the_lock_is_not_seen_and_nothing_else_does() {
        let (_parent, home) = home();
        let missing = home.path().join("missing");
        for path in [home.path(), &missing] {
            assert!(matches!(Endpoint::find(path), Err(Error::NotRunning)));
        }
        home.write_secret(&home.port(), b"9700\n").unwrap();
        assert_eq!(Endpoint::find(home.path()).unwrap().port(), 9700);
        home.write_secret(&home.port(), b"0\n").unwrap();
        assert!(matches!(Endpoint::find(home.path()), Err(Error::Port(_))));
    }

    #[test]
    fn a_daemon_without_a_token_is_an_error_that_says_what_to_do() {
        let (_parent, home) = home();
        home.write_secret(&home.port(), b"9700\n").unwrap();
        for find in [connect, connect_running] {
            let error = find(Some(home.path())).err().unwrap().to_string();
            assert!(error.contains("bproxy service restart"), "{error}");
        }
    }
}
