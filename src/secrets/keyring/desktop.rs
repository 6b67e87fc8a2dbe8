//! The desktop's keyring, through the crate `keyring`, with a deadline for each call.

#[cfg_attr(target_os = "macos", path = "keychain.rs")]
#[cfg_attr(not(target_os = "macos"), path = "secret_service.rs")]
mod imp;

use std::sync::{Mutex, PoisonError, mpsc};
use std::thread::{self, JoinHandle};

use keyring::{Entry, Error};
use secrecy::zeroize::Zeroizing;

use super::{Items, KeyringError, SERVICE, WAIT};

/// The default keyring of the session, or the login keychain.
pub(super) struct Keyring;

impl Items for Keyring {
    fn get(&self, account: &str) -> Result<Option<Vec<u8>>, KeyringError> {
        with_entry(account, Entry::get_secret)
    }

    fn set(&self, account: &str, secret: &[u8]) -> Result<(), KeyringError> {
        let secret = Zeroizing::new(secret.to_owned());
        with_entry(account, move |entry| entry.set_secret(&secret)).map(drop)
    }

    fn remove(&self, account: &str) -> Result<(), KeyringError> {
        with_entry(account, Entry::delete_credential).map(drop)
    }
}

/// Runs `operation` on an item, if the keyring needs no prompt for that; `None` if there is no such item.
fn with_entry<T: Send + 'static>(
    account: &str,
    operation: impl Fn(&Entry) -> keyring::Result<T> + Send + 'static,
) -> Result<Option<T>, KeyringError> {
    let account = account.to_owned();
    with_deadline(move || imp::without_prompt(&account, || on_entry(&account, operation)))
}

fn on_entry<T>(
    account: &str,
    operation: impl Fn(&Entry) -> keyring::Result<T>,
) -> Result<Option<T>, KeyringError> {
    let failed = |error: &Error| KeyringError::Failed(error.to_string());
    Entry::store_status().as_ref().map_err(failed)?;
    let attempt = || Entry::new(SERVICE, account).and_then(|entry| operation(&entry));
    let result = match attempt() {
        // A keyring that was restarted does not know the connection that the crate keeps.
        Err(Error::PlatformFailure(_) | Error::NoStorageAccess(_)) => {
            imp::reconnect().and_then(|()| attempt())
        }
        result => result,
    };
    match result {
        Ok(value) => Ok(Some(value)),
        Err(Error::NoEntry) => Ok(None),
        Err(error) => Err(failed(&error)),
    }
}

/// Runs `call` on a thread of its own, because keyring calls have no deadlines, and gives up after [`WAIT`]. Calls run
/// one at a time: while an abandoned call is still running, further calls fail at once, so that at most one thread is
/// ever stuck.
fn with_deadline<T: Send + 'static>(
    call: impl FnOnce() -> Result<T, KeyringError> + Send + 'static,
) -> Result<T, KeyringError> {
    static ABANDONED: Mutex<Option<JoinHandle<()>>> = Mutex::new(None);
    let mut abandoned = ABANDONED.lock().unwrap_or_else(PoisonError::into_inner);
    if abandoned.as_ref().is_some_and(|thread| !thread.is_finished()) {
        return Err(KeyringError::TimedOut);
    }
    let (sender, receiver) = mpsc::sync_channel(1);
    let thread = thread::spawn(move || {
        // Fails if the wait below has timed out.
        let _ = sender.send(call());
    });
    match receiver.recv_timeout(WAIT) {
        Ok(result) => result,
        Err(_) => {
            *abandoned = Some(thread);
            Err(KeyringError::TimedOut)
        }
    }
}
