//! The daemon token where a service manager starts the daemon: made once, by whoever needs it first.
//!
//! A client may need it before any daemon has run, and the daemon that its connection starts has to take it.

use std::fs::File;
use std::thread;
use std::time::{Duration, Instant};

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

use super::Error;
use crate::home::Home;
use crate::secrets::{Secret, SecretStore};

/// How long another process may take to make the token. It takes milliseconds, but for a keyring that is slow to
/// answer, which is given up sooner than this.
const WAIT: Duration = Duration::from_secs(5);

/// How often is tried whether it has.
const LOOK: Duration = Duration::from_millis(5);

/// The stored token, or else a new one, which is stored. All that ask at the same time get the same.
///
/// # Errors
/// When the store cannot be used, or another process takes too long with it.
pub fn ensure(home: &Home, secrets: &dyn SecretStore) -> Result<Secret, Error> {
    if let Some(token) = secrets.daemon_token()? {
        return Ok(token);
    }
    let failed = |errno: Errno| Error::system("lock the state directory")(errno.into());
    let directory = File::open(home.path()).map_err(Error::system("lock the state directory"))?;
    let end = Instant::now() + WAIT;
    // Ends with this function, or with this process.
    loop {
        match flock(&directory, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => break,
            Err(Errno::WOULDBLOCK) if Instant::now() < end => thread::sleep(LOOK),
            Err(error) => return Err(failed(error)),
        }
    }
    if let Some(token) = secrets.daemon_token()? {
        return Ok(token);
    }
    let token = Secret::random_hex();
    secrets.set_daemon_token(&token)?;
    Ok(token)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secrets::FileStore;

    #[test]
    fn all_that_need_the_token_first_get_the_same() {
        let parent = tempfile::tempdir().unwrap();
        let home = Home::open(&parent.path().join("home")).unwrap();
        let tokens: Vec<_> = thread::scope(|scope| {
            let ensured = || ensure(&home, &FileStore::new(home.clone())).unwrap();
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(ensured)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        let stored = FileStore::new(home).daemon_token().unwrap().unwrap();
        assert!(tokens.iter().all(|token| token.matches(stored.expose().as_bytes())));
    }
}
