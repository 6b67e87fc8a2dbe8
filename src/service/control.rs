//! Starting, stopping and asking after a daemon from another process.

use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::lifecycle::{Error as LifecycleError, Started, Status, Stopped};
use crate::client::{self, Client};
use crate::home::lock::{self, Lock, Watch};
use crate::home::{self, Home};
use crate::secrets::{self, FileStore, SecretStore};

/// How long a daemon may take to become ready. It takes a few milliseconds; a disk that wakes up takes seconds.
const START_WAIT: Duration = Duration::from_secs(15);

/// How long a daemon may take to end: 5 s for commands in flight, and time to write out its log.
const STOP_WAIT: Duration = Duration::from_secs(10);

/// How often is looked whether a daemon has ended. No event tells another process on every system.
const STOP_LOOK: Duration = Duration::from_millis(10);

/// Why a daemon could not be started, stopped or asked after.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The state directory cannot be used.
    #[error(transparent)]
    Home(#[from] home::Error),
    /// The lock cannot be looked at, or is held by another daemon.
    #[error(transparent)]
    Lock(#[from] lock::Error),
    /// The daemon's word cannot be read.
    #[error(transparent)]
    Lifecycle(#[from] LifecycleError),
    /// This program could not be started as a daemon.
    #[error("cannot start the daemon: {0}")]
    Spawn(#[source] io::Error),
    /// The daemon ended before it was ready. Its own message says why.
    #[error("{}", reason.trim_start_matches("bproxy: "))]
    Failed {
        /// What it wrote on standard error.
        reason: String,
    },
    /// The daemon did not become ready.
    #[error("the daemon was not ready after {} seconds: see its log in {logs}", START_WAIT.as_secs())]
    Slow {
        /// The directory of the log files.
        logs: String,
    },
    /// The daemon must not be signalled.
    #[error("cannot stop the daemon (process {pid}): {source}")]
    Signal {
        /// Its process id.
        pid: i32,
        /// The system's reason.
        source: io::Error,
    },
    /// The daemon did not end.
    #[error("the daemon (process {pid}) has not ended within {} seconds: end it with `kill -9 {pid}`", STOP_WAIT.as_secs())]
    Stuck {
        /// Its process id.
        pid: i32,
    },
}

/// Starts a daemon that outlives this process, and returns what it says when it is ready, in one line of JSON.
///
/// # Errors
/// When one is running already, or the new one does not become ready: then with its own reason.
pub fn start(home: &Path) -> Result<String, Error> {
    let home = Home::open(home)?;
    refuse_second(&home)?;
    let program = std::env::current_exe().map_err(Error::Spawn)?;
    let mut child = Command::new(program)
        .args(["daemon", "--detached"])
        .env("BPROXY_HOME", home.path())
        // It is no part of the service that this process may be a part of.
        .env_remove("NOTIFY_SOCKET")
        .env_remove("JOURNAL_STREAM")
        // Whatever directory this one is run in can be unmounted later.
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(Error::Spawn)?;
    match first_line(&mut child, START_WAIT) {
        Some(Ok(line)) if Started::is_said_by(&line) => Ok(line),
        Some(_) => Err(Error::Failed { reason: last_words(&mut child) }),
        None => {
            // It is this process's own child, and what it is not by now it will hardly become.
            let _ = child.kill();
            let _ = child.wait();
            Err(Error::Slow { logs: home.logs().display().to_string() })
        }
    }
}

/// # Errors
/// When a daemon serves `home` already.
pub(super) fn refuse_second(home: &Home) -> Result<(), Error> {
    match daemon(home)? {
        Some(pid) => Err(lock::Error::Held { pid: Some(pid.as_raw_nonzero().get()) }.into()),
        None => Ok(()),
    }
}

/// The first line that a child writes on standard output; empty if it closes it. `None` after `wait`.
fn first_line(child: &mut Child, wait: Duration) -> Option<io::Result<String>> {
    let stdout = child.stdout.take()?;
    let (sender, receiver) = mpsc::sync_channel(1);
    thread::spawn(move || {
        let mut line = String::new();
        let read = BufReader::new(stdout).read_line(&mut line);
        // Nobody receives it after the wait is over.
        let _ = sender.send(read.map(|_| line));
    });
    match receiver.recv_timeout(wait) {
        Ok(line) => Some(line),
        Err(RecvTimeoutError::Timeout) => None,
        Err(RecvTimeoutError::Disconnected) => Some(Ok(String::new())),
    }
}

/// What a child that is ending has written on standard error.
fn last_words(child: &mut Child) -> String {
    let mut words = String::new();
    if let Some(mut stderr) = child.stderr.take() {
        let _ = stderr.read_to_string(&mut words);
    }
    let status = child.wait();
    match (words.trim(), status) {
        ("", Ok(status)) => format!("the daemon ended without a word ({status})"),
        ("", Err(error)) => format!("the daemon ended without a word ({error})"),
        (words, _) => words.to_owned(),
    }
}

/// Stops the daemon and waits until it has ended. Returns what to say, in one line of JSON.
///
/// # Errors
/// When it cannot be told to, or does not end.
pub fn stop(home: &Path) -> Result<String, Error> {
    stop_and(home, |home| {
        let _ = FileStore::new(home.clone()).remove_daemon_token();
    })?;
    Ok(Stopped::default().to_line())
}

/// Stops the daemon of a service and waits until it has ended. Its token is for the next one.
///
/// # Errors
/// When it cannot be told to, or does not end.
pub(super) fn stop_service(home: &Path) -> Result<(), Error> {
    stop_and(home, |_| {})
}

fn stop_and(home: &Path, also: impl FnOnce(&Home)) -> Result<(), Error> {
    let Some(home) = Home::find(home)? else { return Ok(()) };
    let Some(watch) = Watch::open(&home)? else { return Ok(()) };
    if let Some(pid) = watch.daemon() {
        end(&watch, pid)?;
    }
    // Removes what a killed daemon left, unless another one is running by now.
    if let Ok(_lock) = Lock::acquire(&home) {
        let _ = home.remove(&home.port());
        let _ = home.remove(&home.pairing());
        secrets::remove_runtime_copy(&home);
        also(&home);
    }
    Ok(())
}

fn end(watch: &Watch, pid: Pid) -> Result<(), Error> {
    let number = pid.as_raw_nonzero().get();
    match kill_process(pid, Signal::TERM) {
        // It ended by itself in between.
        Ok(()) | Err(rustix::io::Errno::SRCH) => {}
        Err(errno) => return Err(Error::Signal { pid: number, source: errno.into() }),
    }
    let deadline = Instant::now() + STOP_WAIT;
    while watch.daemon() == Some(pid) {
        if Instant::now() >= deadline {
            return Err(Error::Stuck { pid: number });
        }
        thread::sleep(STOP_LOOK);
    }
    Ok(())
}

/// Asks whether a daemon runs.
///
/// # Errors
/// When the state directory or the lock cannot be looked at.
pub fn status(home: &Path) -> Result<Status, Error> {
    let Some(home) = Home::find(home)? else { return Ok(Status::stopped()) };
    let Some(pid) = daemon(&home)? else { return Ok(Status::stopped()) };
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

/// A client that asks for the daemon's health. With its token it gets the details, without it the main thing.
fn client(home: &Home, port: u16) -> Client {
    client::connect_running(Some(home.path())).unwrap_or_else(|_| Client::anonymous(port))
}

/// Waits until another daemon than `before` has become ready, whoever started it. Returns its process and its port.
///
/// # Errors
/// When none does in time.
pub(super) fn wait_until_ready(home: &Home, before: Option<Pid>) -> Result<(Pid, u16), Error> {
    let deadline = Instant::now() + START_WAIT;
    while Instant::now() < deadline {
        if let Some(pid) = daemon(home)?.filter(|pid| Some(*pid) != before)
            && let Ok(port) = client::running_port(home)
        {
            return Ok((pid, port));
        }
        thread::sleep(STOP_LOOK);
    }
    Err(Error::Slow { logs: home.logs().display().to_string() })
}

/// The daemon that serves `home`, whoever started it.
pub(super) fn daemon(home: &Home) -> Result<Option<Pid>, Error> {
    Ok(Watch::open(home)?.and_then(|watch| watch.daemon()))
}
