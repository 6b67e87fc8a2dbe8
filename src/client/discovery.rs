//! Finding the daemon of a state directory, running or not, and the token that it accepts.
//!
//! Its Unix socket is the first choice: it needs no token, no keyring and no port. Otherwise its port is called.
//!
//! A daemon that runs holds the directory's lock and has written its port there. For one that does not run, systemd or
//! launchd may listen: the first connection to their port starts it. Otherwise, whatever listens on the port in the file
//! is not the daemon, and gets no token.

use std::borrow::Cow;
use std::path::Path;
use std::time::{Duration, Instant};

use super::address::{self, Local, Way};
use super::{Client, Error};
use crate::config::{self, Config};
use crate::home::Home;
use crate::home::lock::Watch;
use crate::secrets;
use crate::supervisor;

/// How long connecting to a Unix socket may take: the kernel does it at once, unless thousands wait there already.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// Finds the daemon of the state directory `home`, or of this process's (`BPROXY_HOME`, else `~/.bproxy`). One that
/// exited because it was idle is started again by the first command, if it is a service of systemd or launchd.
///
/// Nothing is sent yet, but a daemon may be started already. A client does not notice when another daemon takes over, so a long-running program calls this
/// again for each task.
///
/// # Errors
/// [`Error::NotRunning`] when no daemon runs and none is started by a connection; otherwise when the state directory,
/// the configuration or the token cannot be used.
pub fn connect(home: Option<&Path>) -> Result<Client, Error> {
    let path = home_path(home)?;
    // A directory that cannot be trusted is refused first.
    Home::find(&path)?;
    if let Some(local) = Local::find(&path, Instant::now() + CONNECT_TIMEOUT)? {
        return Ok(Client::by(Way::Local(local)));
    }
    let choice = config::secrets_from_env(&path)?;
    let found = Endpoint::find(&path).map_err(|error| match error {
        Error::NotRunning => absent(&path),
        error => error,
    });
    match found? {
        Endpoint::Running { home, port } => by_port(&path, &home, port),
        Endpoint::Activated { port } => {
            let home = Home::open(&path)?;
            Ok(Client::new(port, secrets::ensure_client_token(choice, &home)?))
        }
        Endpoint::Left { port } => Err(not_running(port)),
    }
}

/// Finds a daemon that is running already; starts none.
///
/// # Errors
/// As those of [`connect`]; [`Error::NotRunning`] also where a connection would start the daemon.
pub fn connect_running(home: Option<&Path>) -> Result<Client, Error> {
    let path = home_path(home)?;
    match Endpoint::find(&path)? {
        Endpoint::Running { home, port } => {
            match Local::find(&path, Instant::now() + CONNECT_TIMEOUT)? {
                Some(local) => Ok(Client::by(Way::Local(local))),
                None => by_port(&path, &home, port),
            }
        }
        Endpoint::Activated { .. } => Err(Error::NotRunning),
        Endpoint::Left { port } => Err(not_running(port)),
    }
}

/// The daemon of the state directory `home`, or of this process's, by its `port` and with its token; its socket is not
/// looked for.
///
/// # Errors
/// As those of [`connect`].
pub fn connect_port(home: Option<&Path>, port: u16) -> Result<Client, Error> {
    let path = home_path(home)?;
    let home = Home::find(&path)?.ok_or(Error::NotRunning)?;
    by_port(&path, &home, port)
}

fn by_port(path: &Path, home: &Home, port: u16) -> Result<Client, Error> {
    let choice = config::secrets_from_env(path)?;
    let token = secrets::client_token(choice, home)?.ok_or(Error::NoToken)?;
    Ok(Client::new(port, token))
}

/// Why no daemon runs: another user may have the port that it would listen on.
fn absent(home: &Path) -> Error {
    let configured = || Config::from_env(Some(home)).ok().map(|config| config.port);
    match supervisor::unit_port(home).or_else(configured) {
        None | Some(0) => Error::NotRunning,
        Some(port) => not_running(port),
    }
}

/// Why there is no daemon although there is a port.
fn not_running(port: u16) -> Error {
    match address::check_listener(port) {
        // Another port has to be chosen.
        Err(error @ Error::OtherUser { .. }) => error,
        _ => Error::NotRunning,
    }
}

/// Where the daemon of a state directory can be reached.
#[derive(Debug)]
pub enum Endpoint {
    /// A daemon has written that it listens there, and holds the lock if there is one.
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
    /// No daemon runs. One that was killed has left its port file; somebody else may listen there now.
    Left {
        /// The killed daemon's port.
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
        let lock = found.as_ref().map_or(Lock::None, Lock::of);
        if let (Some(home), Lock::Held) = (&found, lock) {
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
        let home = found.ok_or(Error::NotRunning)?;
        let port = running_port(&home)?;
        match lock {
            Lock::Held | Lock::None => Ok(Endpoint::Running { home, port }),
            Lock::Free => Ok(Endpoint::Left { port }),
        }
    }

    /// The port.
    pub fn port(&self) -> u16 {
        match self {
            Endpoint::Running { port, .. }
            | Endpoint::Activated { port }
            | Endpoint::Left { port } => *port,
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

/// The lock of a state directory, as it is seen from here.
#[derive(Clone, Copy, PartialEq)]
enum Lock {
    /// A daemon holds it, here or in a container: the kernel tells.
    Held,
    /// Nobody does: the daemon that made the file was killed.
    Free,
    /// There is no lock file. Every daemon has one as long as it has a port file, so somebody has put the port file here,
    /// such as a container's owner who gave it port and token alone.
    None,
}

impl Lock {
    fn of(home: &Home) -> Lock {
        match Watch::open(home) {
            Ok(Some(watch)) if watch.is_held() => Lock::Held,
            Ok(None) => Lock::None,
            Ok(Some(_)) | Err(_) => Lock::Free,
        }
    }
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

    #[test]
    fn nothing_is_called_where_a_killed_daemon_listened() {
        let (_parent, home) = home();
        let socket = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = socket.local_addr().unwrap().port();
        home.write_secret(&home.port(), format!("{port}\n").as_bytes()).unwrap();
        home.write_secret(&home.token(), "f".repeat(64).as_bytes()).unwrap();
        home.write_secret(&home.pid(), b"1\n").unwrap();
        assert!(matches!(Endpoint::find(home.path()), Ok(Endpoint::Left { .. })));
        for find in [connect, connect_running] {
            assert!(matches!(find(Some(home.path())), Err(Error::NotRunning)));
        }
        socket.set_nonblocking(true).unwrap();
        assert!(socket.accept().is_err(), "nobody has called");
    }
}
