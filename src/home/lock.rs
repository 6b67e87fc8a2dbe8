//! The lock that allows one daemon per state directory: the daemon holds it on `bproxy.pid` until it ends.
//!
//! The kernel releases the lock when its process ends, however that happens, and tells other processes who holds it. The
//! process id in the file is for people only; the code never reads it.
//!
//! Who removes what a killed daemon left holds a shared lock on the same file, so that no daemon starts meanwhile, and is
//! not taken for one.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use rustix::fs::{FlockOperation, OFlags, fcntl_lock};
use rustix::io::Errno;
use rustix::process::{Flock, FlockType, Pid, fcntl_getlk};

use super::{ChangeLock, Home};

/// How often to retry if the lock file was removed while it was being locked. Each time means that another daemon has
/// just ended; more than two in a row do not happen by chance.
const ATTEMPTS: usize = 8;

/// How long a start waits for a process that tidies up. It removes a few files.
const TIDY_WAIT: Duration = Duration::from_secs(5);

/// How often to look whether it has ended.
const TIDY_POLL: Duration = Duration::from_millis(5);

/// Why the lock cannot be acquired or read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Another daemon serves this state directory.
    #[error("the daemon is already running{}: see `bproxy service status`, or stop it with `bproxy service stop`", with_pid(*pid))]
    Held {
        /// Its process id, if the system tells.
        pid: Option<i32>,
    },
    /// The lock file cannot be created, opened, locked or written.
    #[error("cannot {operation} {}: {source}", path.display())]
    Io {
        /// The operation, as a verb.
        operation: &'static str,
        /// The lock file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
}

fn with_pid(pid: Option<i32>) -> String {
    pid.map(|pid| format!(" (process {pid})")).unwrap_or_default()
}

/// The lock of a running daemon, held until this is dropped or the process ends.
pub struct Lock {
    file: File,
    path: PathBuf,
}

impl Drop for Lock {
    /// Removes the file while it is still locked, and only if the path still leads to it, so that it never removes
    /// another daemon's file.
    fn drop(&mut self) {
        if is_still_at(&self.file, &self.path).unwrap_or(false) {
            let _ = fs::remove_file(&self.path);
        }
    }
}

impl Lock {
    /// Locks the state directory for this process, without waiting for another daemon.
    ///
    /// # Errors
    /// [`Error::Held`] if another process has the lock, or when the lock file cannot be used.
    pub fn acquire(home: &Home) -> Result<Lock, Error> {
        let path = home.pid();
        let io = |operation| {
            let path = path.clone();
            move |source| Error::Io { operation, path, source }
        };
        let deadline = Instant::now() + TIDY_WAIT;
        let mut attempts = 0;
        while attempts < ATTEMPTS {
            let file = options()
                .write(true)
                .create(true)
                .truncate(false)
                .mode(0o600)
                .open(&path)
                .map_err(io("open"))?;
            match fcntl_lock(&file, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => {}
                Err(Errno::AGAIN | Errno::ACCESS) => {
                    let holder = holder(&file);
                    let is_tidied = holder.as_ref().is_none_or(|holder| !is_daemon(holder));
                    if is_tidied && Instant::now() < deadline {
                        thread::sleep(TIDY_POLL);
                        continue;
                    }
                    let pid = holder.and_then(|holder| holder.pid);
                    return Err(Error::Held { pid: pid.map(|pid| pid.as_raw_nonzero().get()) });
                }
                Err(error) => return Err(io("lock")(error.into())),
            }
            // An ending daemon removes its file; a lock on a removed file would exclude no other daemon.
            if !is_still_at(&file, &path).map_err(io("inspect"))? {
                attempts += 1;
                continue;
            }
            let mut lock = Lock { file, path: path.clone() };
            lock.file
                .set_len(0)
                .and_then(|()| writeln!(lock.file, "{}", std::process::id()))
                .map_err(io("write"))?;
            return Ok(lock);
        }
        Err(io("lock")(ErrorKind::ResourceBusy.into()))
    }
}

/// Keeps daemons from starting while this process removes what a killed one left. It ends when this is dropped.
pub struct Tidying {
    file: File,
    path: PathBuf,
    _alone: ChangeLock,
}

impl Drop for Tidying {
    /// Removes the lock file of the killed daemon. Nobody else tidies up at the same time, and no daemon has the lock.
    fn drop(&mut self) {
        if is_still_at(&self.file, &self.path).unwrap_or(false) {
            let _ = fs::remove_file(&self.path);
        }
    }
}

impl Tidying {
    /// Begins to tidy up; `None` if there is nothing to do, because a daemon runs or the last one removed its lock file.
    ///
    /// # Errors
    /// When the state directory cannot be locked.
    pub fn begin(home: &Home) -> Result<Option<Tidying>, Error> {
        let path = home.pid();
        let io = |operation| {
            let path = path.clone();
            move |source| Error::Io { operation, path, source }
        };
        let alone = ChangeLock::acquire(home).map_err(io("lock the directory of"))?;
        let file = match options().open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(io("open")(error)),
        };
        match fcntl_lock(&file, FlockOperation::NonBlockingLockShared) {
            Ok(()) => {}
            Err(Errno::AGAIN | Errno::ACCESS) => return Ok(None),
            Err(errno) => return Err(io("lock")(errno.into())),
        }
        let is_current = is_still_at(&file, &path).map_err(io("inspect"))?;
        Ok(is_current.then_some(Tidying { file, path, _alone: alone }))
    }
}

/// A read-only view of the lock for other processes. It never takes the lock, so it never keeps a daemon from starting.
///
/// Do not use it in the daemon's own process: the system releases a process's locks on a file as soon as the process
/// closes any descriptor of that file.
pub struct Watch {
    file: File,
}

impl Watch {
    /// Opens the lock file of `home`; `None` if there is none, because no daemon ever ran or the last one removed it.
    ///
    /// # Errors
    /// When the lock file exists and cannot be opened.
    pub fn open(home: &Home) -> Result<Option<Watch>, Error> {
        let path = home.pid();
        match options().open(&path) {
            Ok(file) => Ok(Some(Watch { file })),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(source) => Err(Error::Io { operation: "open", path, source }),
        }
    }

    /// Whether a daemon holds the lock now, here or in a container: the kernel tells that to every process that can open
    /// the file.
    pub fn is_held(&self) -> bool {
        held(&self.file).is_some()
    }

    /// The process that holds the lock now; `None` if no daemon runs, or if it has no number here because it runs in a
    /// container.
    pub fn daemon(&self) -> Option<Pid> {
        held(&self.file)?.pid
    }
}

/// Opens without following a symlink. The standard library makes every descriptor close-on-exec.
fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).custom_flags(OFlags::NOFOLLOW.bits().cast_signed());
    options
}

/// The lock that a daemon holds on the file.
fn held(file: &File) -> Option<Flock> {
    holder(file).filter(is_daemon)
}

/// The lock that another process holds on the file.
fn holder(file: &File) -> Option<Flock> {
    fcntl_getlk(file, &Flock::from(FlockType::WriteLock)).ok()?
}

fn is_daemon(lock: &Flock) -> bool {
    lock.typ == FlockType::WriteLock
}

/// Whether `path` still leads to the open `file`.
fn is_still_at(file: &File, path: &PathBuf) -> io::Result<bool> {
    let ours = file.metadata()?;
    match fs::symlink_metadata(path) {
        Ok(current) => Ok((current.dev(), current.ino()) == (ours.dev(), ours.ino())),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
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
    fn a_file_that_a_killed_daemon_left_is_not_locked() {
        let (_parent, home) = home();
        fs::write(home.pid(), "1\n").unwrap();
        assert!(Watch::open(&home).unwrap().unwrap().daemon().is_none());
        let lock = Lock::acquire(&home).unwrap();
        assert_eq!(fs::read_to_string(home.pid()).unwrap(), format!("{}\n", std::process::id()));
        drop(lock);
        assert!(Watch::open(&home).unwrap().is_none());
    }

    #[test]
    fn a_link_in_place_of_the_file_is_refused() {
        let (_parent, home) = home();
        std::os::unix::fs::symlink(home.path().join("elsewhere"), home.pid()).unwrap();
        assert!(matches!(Lock::acquire(&home), Err(Error::Io { .. })));
    }
}
