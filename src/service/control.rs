//! Starts, stops and queries a daemon from another process, without a service manager.

use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::listener::local;
use super::status::{Error as StatusError, Started, Status, Stopped};
use crate::client::{self, Client};
use crate::home::lock::{self, Tidying, Watch};
use crate::home::{self, Home};
use crate::secrets::{self, FileStore, SecretStore};

/// How long a daemon may take to become ready. It takes a few milliseconds; a disk that has to spin up takes seconds.
const START_WAIT: Duration = Duration::from_secs(15);

/// How long a daemon may take to end: 5 s for commands in flight, and time to write out its log.
const STOP_WAIT: Duration = Duration::from_secs(10);

/// How often to check whether a daemon has started or ended. Not every system has an event for that.
const POLL_INTERVAL: Duration = Duration::from_millis(10);

/// Why a daemon could not be started, stopped or queried.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The state directory cannot be used.
    #[error(transparent)]
    Home(#[from] home::Error),
    /// The lock cannot be read, or another daemon holds it.
    #[error(transparent)]
    Lock(#[from] lock::Error),
    /// The pairing code of the daemon cannot be read.
    #[error(transparent)]
    Status(#[from] StatusError),
    /// The daemon's process cannot be spawned.
    #[error("cannot start the daemon: {0}")]
    Spawn(#[source] io::Error),
    /// The daemon ended before it was ready.
    #[error("{}", reason.trim_start_matches("bproxy: "))]
    Failed {
        /// Its standard error, which says why.
        reason: String,
    },
    /// The daemon did not become ready in time.
    #[error("the daemon was not ready after {} seconds: see its log in {logs}", START_WAIT.as_secs())]
    NotReady {
        /// The directory of the log files.
        logs: String,
    },
    /// The daemon cannot be signalled.
    #[error("cannot stop the daemon (process {pid}): {source}")]
    Signal {
        /// Its process id.
        pid: i32,
        /// The system's reason.
        source: io::Error,
    },
    /// The daemon did not end in time.
    #[error("the daemon (process {pid}) has not ended within {} seconds: end it with `kill -9 {pid}`", STOP_WAIT.as_secs())]
    NotEnded {
        /// Its process id.
        pid: i32,
    },
}

/// Starts a daemon that outlives this process. Returns its readiness message, one line of JSON.
///
/// # Errors
/// When one is running already, or the new one does not become ready; the error then has the daemon's own reason.
pub fn start(home: &Path) -> Result<String, Error> {
    start_on(home, None)
}

/// Starts a daemon as [`start`] does, on this port if one is given, whatever the configuration says.
pub(super) fn start_on(home: &Path, port: Option<u16>) -> Result<String, Error> {
    let home = Home::open(home)?;
    ensure_not_running(&home)?;
    let program = std::env::current_exe().map_err(Error::Spawn)?;
    let mut child = Command::new(program)
        .args(["daemon", "--detached"])
        .env("BPROXY_HOME", home.path())
        .envs(port.map(|port| ("BPROXY_PORT", port.to_string())))
        // If this process runs in a service, the daemon is not part of that service.
        .env_remove("NOTIFY_SOCKET")
        .env_remove("JOURNAL_STREAM")
        // The daemon must not keep the current directory's file system from being unmounted.
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(Error::Spawn)?;
    match first_line(&mut child, START_WAIT) {
        Some(Ok(line)) if Started::is_valid(&line) => Ok(line),
        Some(_) => Err(Error::Failed { reason: failure_reason(&mut child) }),
        None => {
            // It will hardly become ready any more, and must not appear later as a daemon that nobody expects.
            let _ = child.kill();
            let _ = child.wait();
            Err(Error::NotReady { logs: home.logs().display().to_string() })
        }
    }
}

/// Checks that no daemon serves `home`.
///
/// # Errors
/// When one does.
pub(super) fn ensure_not_running(home: &Home) -> Result<(), Error> {
    match running_pid(home)? {
        Some(pid) => Err(lock::Error::Held { pid: Some(pid.as_raw_nonzero().get()) }.into()),
        None => Ok(()),
    }
}

/// The first line of a child's standard output; empty if the child closes it first. `None` if neither happens within
/// `wait`.
fn first_line(child: &mut Child, wait: Duration) -> Option<io::Result<String>> {
    let stdout = child.stdout.take()?;
    let (sender, receiver) = mpsc::sync_channel(1);
    thread::spawn(move || {
        let mut line = String::new();
        let read = BufReader::new(stdout).read_line(&mut line);
        // Fails if the wait below has timed out.
        let _ = sender.send(read.map(|_| line));
    });
    match receiver.recv_timeout(wait) {
        Ok(line) => Some(line),
        Err(RecvTimeoutError::Timeout) => None,
        Err(RecvTimeoutError::Disconnected) => Some(Ok(String::new())),
    }
}

/// Why a child is ending: its standard error, or else its exit status.
fn failure_reason(child: &mut Child) -> String {
    let mut text = String::new();
    if let Some(mut stderr) = child.stderr.take() {
        let _ = stderr.read_to_string(&mut text);
    }
    let status = child.wait();
    match (text.trim(), status) {
        ("", Ok(status)) => format!("the daemon ended without a message ({status})"),
        ("", Err(error)) => format!("the daemon ended without a message ({error})"),
        (text, _) => text.to_owned(),
    }
}

/// Stops the daemon, waits until it has ended, and removes its token. Returns the result, one line of JSON.
///
/// # Errors
/// When it cannot be signalled, or does not end.
pub fn stop(home: &Path) -> Result<String, Error> {
    stop_and(home, |home| {
        let _ = FileStore::new(home.clone()).remove_daemon_token();
    })?;
    Ok(Stopped::default().to_line())
}

/// Stops the daemon of a service and waits until it has ended. Its token stays, for the next daemon.
///
/// # Errors
/// When it cannot be signalled, or does not end.
pub(super) fn stop_service(home: &Path) -> Result<(), Error> {
    stop_and(home, |_| {})
}

/// Stops the daemon, waits until it has ended, removes its transient files, and then runs `clean_up`.
fn stop_and(home: &Path, clean_up: impl FnOnce(&Home)) -> Result<(), Error> {
    let Some(home) = Home::find(home)? else { return Ok(()) };
    let Some(watch) = Watch::open(&home)? else { return Ok(()) };
    if let Some(pid) = watch.daemon() {
        terminate(&watch, pid)?;
    }
    // A killed daemon leaves these files. No other daemon starts while they are removed.
    if let Some(_tidying) = Tidying::begin(&home)? {
        let _ = home.remove(&home.port());
        let _ = home.remove(&home.pairing());
        let _ = local::remove(&home.socket());
        secrets::remove_runtime_copy(&home);
        clean_up(&home);
    }
    Ok(())
}

/// Sends SIGTERM to the daemon and waits until it has ended.
fn terminate(watch: &Watch, pid: Pid) -> Result<(), Error> {
    let number = pid.as_raw_nonzero().get();
    match kill_process(pid, Signal::TERM) {
        // SRCH: it has ended in the meantime.
        Ok(()) | Err(rustix::io::Errno::SRCH) => {}
        Err(errno) => return Err(Error::Signal { pid: number, source: errno.into() }),
    }
    let deadline = Instant::now() + STOP_WAIT;
    while watch.daemon() == Some(pid) {
        if Instant::now() >= deadline {
            return Err(Error::NotEnded { pid: number });
        }
        thread::sleep(POLL_INTERVAL);
    }
    Ok(())
}

/// Whether a daemon runs, and its details.
///
/// # Errors
/// When the state directory or the lock cannot be read.
pub fn status(home: &Path) -> Result<Status, Error> {
    let Some(home) = Home::find(home)? else { return Ok(Status::stopped()) };
    let Some(pid) = running_pid(&home)? else { return Ok(Status::stopped()) };
    let pid = pid.as_raw_nonzero().get();
    let port = client::running_port(&home);
    let health = port.as_ref().ok().map(|port| client(&home, *port).health());
    Ok(match (port, health) {
        (Ok(port), Some(Ok(health))) => Status::running(pid, Some(port), Some(health)),
        (Err(client::Error::NotRunning), _) | (_, Some(Err(client::Error::NotRunning))) => {
            Status::running(pid, None, None)
        }
        (port, _) => Status::running(pid, port.ok(), None),
    })
}

/// A client to query the daemon's health: with the token if it can be read, which yields more details, else without.
fn client(home: &Home, port: u16) -> Client {
    client::connect_running(Some(home.path())).unwrap_or_else(|_| Client::anonymous(port))
}

/// Waits until a daemon other than `before` is ready, however it was started. Returns its process and port.
///
/// # Errors
/// When none is ready in time.
pub(super) fn wait_until_ready(home: &Home, before: Option<Pid>) -> Result<(Pid, u16), Error> {
    let deadline = Instant::now() + START_WAIT;
    while Instant::now() < deadline {
        if let Some(pid) = running_pid(home)?.filter(|pid| Some(*pid) != before)
            && let Ok(port) = client::running_port(home)
        {
            return Ok((pid, port));
        }
        thread::sleep(POLL_INTERVAL);
    }
    Err(Error::NotReady { logs: home.logs().display().to_string() })
}

/// The process of the daemon that serves `home`, however it was started; `None` if none runs.
pub(super) fn running_pid(home: &Home) -> Result<Option<Pid>, Error> {
    Ok(Watch::open(home)?.and_then(|watch| watch.daemon()))
}
