//! One daemon per state directory: `bproxy.pid`, locked for a daemon's life.
//!
//! The kernel drops the lock with its process, however that ends, and tells others who holds it. The number in the file
//! is there for people to read, and decides nothing.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::PathBuf;

use rustix::fs::{FlockOperation, OFlags, fcntl_lock};
use rustix::io::Errno;
use rustix::process::{Flock, FlockType, Pid, fcntl_getlk};

use super::Home;

/// How often a lock file is opened anew because the daemon that had it was just removing it. Each time another daemon
/// has ended; more than two in a row does not happen by chance.
const ATTEMPTS: usize = 8;

/// Why there is no lock.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Another daemon serves this state directory.
    #[error("the daemon is already running{}: see `bproxy service status`, or stop it with `bproxy service stop`", with_pid(*pid))]
    Held {
        /// Its process id, where the system tells.
        pid: Option<i32>,
    },
    /// The file cannot be made or locked.
    #[error("cannot {operation} {}: {source}", path.display())]
    Io {
        /// What was tried, as a verb.
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

/// The lock of a running daemon. It ends when this is dropped, or with the process.
pub struct Lock {
    file: File,
    path: PathBuf,
}

impl Drop for Lock {
    /// Removes the file while it is still locked, and only where it still lies there, so that no other daemon's file is
    /// ever removed.
    fn drop(&mut self) {
        if still_there(&self.file, &self.path).is_ok_and(|it_is| it_is) {
            let _ = fs::remove_file(&self.path);
        }
    }
}

impl Lock {
    /// Locks the state directory for this process.
    ///
    /// # Errors
    /// [`Error::Held`] while another process has it.
    pub fn acquire(home: &Home) -> Result<Lock, Error> {
        let path = home.pid();
        let io = |operation| {
            let path = path.clone();
            move |source| Error::Io { operation, path, source }
        };
        for _ in 0..ATTEMPTS {
            let file = options()
                .write(true)
                .create(true)
                .truncate(false)
                .mode(0o600)
                .open(&path)
                .map_err(io("open"))?;
            match fcntl_lock(&file, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => {}
                Err(Errno::AGAIN | Errno::ACCESS) => return Err(Error::Held { pid: owner(&file) }),
                Err(error) => return Err(io("lock")(error.into())),
            }
            // A daemon that ends removes its file: a lock on that one keeps nobody out.
            if !still_there(&file, &path).map_err(io("look at"))? {
                continue;
            }
            let mut lock = Lock { file, path: path.clone() };
            lock.file
                .set_len(0)
                .and_then(|()| writeln!(lock.file, "{}", std::process::id()))
                .map_err(io("write"))?;
            return Ok(lock);
        }
        Err(io("keep hold of")(ErrorKind::ResourceBusy.into()))
    }
}

/// A look at the lock from another process, which never takes it and so never gets in a daemon's
/// way.
///
/// Not for the daemon's own process: the system drops a process's locks on a file as soon as it
/// closes any descriptor of that file.
pub struct Watch {
    file: File,
}

impl Watch {
    /// Looks for a daemon that serves `home`; `None` where none has been, or the last one ended properly.
    ///
    /// # Errors
    /// When the lock file is there and cannot be opened.
    pub fn open(home: &Home) -> Result<Option<Watch>, Error> {
        let path = home.pid();
        match options().open(&path) {
            Ok(file) => Ok(Some(Watch { file })),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(source) => Err(Error::Io { operation: "open", path, source }),
        }
    }

    /// The process that serves the state directory at this moment.
    pub fn daemon(&self) -> Option<Pid> {
        owner(&self.file).and_then(Pid::from_raw)
    }
}

/// Never a link's target. Every descriptor is close-on-exec.
fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).custom_flags(OFlags::NOFOLLOW.bits().cast_signed());
    options
}

fn owner(file: &File) -> Option<i32> {
    let wanted = Flock::from(FlockType::WriteLock);
    fcntl_getlk(file, &wanted).ok()??.pid.map(|pid| pid.as_raw_nonzero().get())
}

fn still_there(file: &File, path: &PathBuf) -> io::Result<bool> {
    let ours = file.metadata()?;
    match fs::symlink_metadata(path) {
        Ok(there) => Ok((there.dev(), there.ino()) == (ours.dev(), ours.ino())),
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
    fn a_file_that_a_killed_daemon_left_keeps_nobody_out() {
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
