//! The Keychain.

use std::sync::mpsc;
use std::thread;

use security_framework::base::Error;
use security_framework::passwords::{
    delete_generic_password, get_generic_password, set_generic_password,
};

use super::{Items, SERVICE, Trouble, WAIT};

/// `errSecItemNotFound`.
const NOT_FOUND: i32 = -25300;

/// `errSecInteractionNotAllowed`: it would have to ask the person.
const MUST_ASK: i32 = -25308;

/// The user's login keychain.
pub(super) struct Keyring;

impl Items for Keyring {
    fn get(&self, account: &str) -> Result<Option<Vec<u8>>, Trouble> {
        let account = account.to_owned();
        in_time(move || get_generic_password(SERVICE, &account))
    }

    fn set(&self, account: &str, secret: &[u8]) -> Result<(), Trouble> {
        let (account, secret) = (account.to_owned(), secret.to_owned());
        in_time(move || set_generic_password(SERVICE, &account, &secret)).map(|_| ())
    }

    fn remove(&self, account: &str) -> Result<(), Trouble> {
        let account = account.to_owned();
        in_time(move || delete_generic_password(SERVICE, &account)).map(|_| ())
    }
}

/// Calls on a thread, which is left to itself if it takes too long: the Keychain knows no deadlines.
fn in_time<T: Send + 'static>(
    call: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<Option<T>, Trouble> {
    let (sender, receiver) = mpsc::sync_channel(1);
    thread::spawn(move || sender.send(call()));
    match receiver.recv_timeout(WAIT) {
        Ok(Ok(done)) => Ok(Some(done)),
        Ok(Err(error)) if error.code() == NOT_FOUND => Ok(None),
        Ok(Err(error)) if error.code() == MUST_ASK => Err(Trouble::Locked),
        Ok(Err(error)) => Err(Trouble::Unreachable(error.to_string())),
        Err(_) => Err(Trouble::Slow),
    }
}
