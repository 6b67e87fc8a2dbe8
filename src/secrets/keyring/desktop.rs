//! The keyring that the desktop has, through the crate `keyring`, within a deadline.

#[cfg_attr(target_os = "macos", path = "keychain.rs")]
#[cfg_attr(not(target_os = "macos"), path = "secret_service.rs")]
mod imp;

use std::sync::{Mutex, PoisonError, mpsc};
use std::thread::{self, JoinHandle};

use keyring::{Entry, Error};
use secrecy::zeroize::Zeroizing;

use super::{Items, SERVICE, Trouble, WAIT};

/// The default keyring of the session, or the login keychain.
pub(super) struct Keyring;

impl Items for Keyring {
    fn get(&self, account: &str) -> Result<Option<Vec<u8>>, Trouble> {
        with_entry(account, Entry::get_secret)
    }

    fn set(&self, account: &str, secret: &[u8]) -> Result<(), Trouble> {
        let secret = Zeroizing::new(secret.to_owned());
        with_entry(account, move |entry| entry.set_secret(&secret)).map(drop)
    }

    fn remove(&self, account: &str) -> Result<(), Trouble> {
        with_entry(account, Entry::delete_credential).map(drop)
    }
}

/// Does something with an item, if the keyring asks nothing for it; `None` where there is no such item.
fn with_entry<T: Send + 'static>(
    account: &str,
    work: impl Fn(&Entry) -> keyring::Result<T> + Send + 'static,
) -> Result<Option<T>, Trouble> {
    let account = account.to_owned();
    in_time(move || imp::quietly(&account, || on_entry(&account, work)))
}

fn on_entry<T>(
    account: &str,
    work: impl Fn(&Entry) -> keyring::Result<T>,
) -> Result<Option<T>, Trouble> {
    let failed = |error: &Error| Trouble::Failed(error.to_string());
    Entry::store_status().as_ref().map_err(failed)?;
    let once = || Entry::new(SERVICE, account).and_then(|entry| work(&entry));
    let done = match once() {
        // One that has been started anew does not know the connection that the crate keeps.
        Err(Error::PlatformFailure(_) | Error::NoStorageAccess(_)) => {
            imp::reconnect().and_then(|()| once())
        }
        done => done,
    };
    match done {
        Ok(done) => Ok(Some(done)),
        Err(Error::NoEntry) => Ok(None),
        Err(error) => Err(failed(&error)),
    }
}

/// Calls on a thread, since keyrings know no deadlines. One call at a time: where one has to be left to its thread, the
/// next ones fail at once until it ends, so that no more threads than this one are ever left.
fn in_time<T: Send + 'static>(
    call: impl FnOnce() -> Result<T, Trouble> + Send + 'static,
) -> Result<T, Trouble> {
    static LEFT: Mutex<Option<JoinHandle<()>>> = Mutex::new(None);
    let mut left = LEFT.lock().unwrap_or_else(PoisonError::into_inner);
    if left.as_ref().is_some_and(|thread| !thread.is_finished()) {
        return Err(Trouble::Slow);
    }
    let (sender, receiver) = mpsc::sync_channel(1);
    let thread = thread::spawn(move || {
        // Nobody receives it after the wait is over.
        let _ = sender.send(call());
    });
    match receiver.recv_timeout(WAIT) {
        Ok(done) => done,
        Err(_) => {
            *left = Some(thread);
            Err(Trouble::Slow)
        }
    }
}
