//! The lock on a state directory under which tokens are created, replaced and moved between stores, and what a killed
//! daemon left is removed.
//!
//! Daemons and commands both do that, so the lock is between processes.

use std::fs::File;
use std::io;
use std::thread;
use std::time::{Duration, Instant};

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

use super::Home;

/// How long to wait for another process. It holds the lock for milliseconds, or while a slow keyring answers, whose
/// deadline is shorter than this.
const WAIT: Duration = Duration::from_secs(5);

/// How often to retry.
const RETRY_INTERVAL: Duration = Duration::from_millis(5);

/// Holds the lock until it is dropped or the process ends. Not reentrant: a thread that acquires it twice waits for
/// itself.
pub struct ChangeLock {
    _directory: File,
}

impl ChangeLock {
    /// Waits for the lock and takes it.
    ///
    /// # Errors
    /// When another process holds it for too long, or the system cannot lock directories.
    pub fn acquire(home: &Home) -> io::Result<ChangeLock> {
        let directory = File::open(home.path())?;
        let deadline = Instant::now() + WAIT;
        loop {
            match flock(&directory, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => return Ok(ChangeLock { _directory: directory }),
                Err(Errno::WOULDBLOCK) if Instant::now() < deadline => {
                    thread::sleep(RETRY_INTERVAL)
                }
                Err(errno) => return Err(errno.into()),
            }
        }
    }
}
