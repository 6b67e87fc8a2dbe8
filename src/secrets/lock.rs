//! One at a time: making the first token, and moving tokens between stores, whichever process does it.

use std::fs::File;
use std::thread;
use std::time::{Duration, Instant};

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

use super::Error;
use crate::home::Home;

/// How long another process may take. It takes milliseconds, but for a keyring that is slow to answer, which is given up
/// sooner than this.
const WAIT: Duration = Duration::from_secs(5);

/// How often is tried whether it is done.
const LOOK: Duration = Duration::from_millis(5);

/// The state directory, locked until this is dropped or the process ends. Not to be taken twice by one thread.
pub(super) struct Turn {
    _directory: File,
}

impl Turn {
    /// Waits for it.
    ///
    /// # Errors
    /// When another process takes too long, or the system does not lock directories.
    pub(super) fn take(home: &Home) -> Result<Turn, Error> {
        let directory = File::open(home.path()).map_err(Error::Turn)?;
        let end = Instant::now() + WAIT;
        loop {
            match flock(&directory, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => return Ok(Turn { _directory: directory }),
                Err(Errno::WOULDBLOCK) if Instant::now() < end => thread::sleep(LOOK),
                Err(errno) => return Err(Error::Turn(errno.into())),
            }
        }
    }
}
