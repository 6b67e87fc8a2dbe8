//! The daemon token as clients find it. They move nothing from one store to another: that is the daemon's.

use super::keyring::KeyringStore;
use super::migration::Mark;
use super::runtime::RuntimeCopy;
use super::{Error, FileStore, Secret, SecretStore};
use crate::config::SecretsChoice;
use crate::home::Home;

/// The token that a client shows to a daemon that runs: from the copy in memory, else from whichever store has it.
/// `None` where there is none.
///
/// # Errors
/// When the store that has it cannot be used, or the token must not be trusted.
pub fn client_token(choice: SecretsChoice, home: &Home) -> Result<Option<Secret>, Error> {
    let copy = match choice {
        SecretsChoice::File => None,
        SecretsChoice::Keyring | SecretsChoice::Auto => RuntimeCopy::of(home).read(),
    };
    match copy {
        None => stored_token(choice, home, &KeyringStore::new(home)),
        copy => Ok(copy),
    }
}

/// The token that waits in a store for the daemon that a connection is about to start. `None` where it has yet to be
/// made: also where `auto` finds a keyring that is locked or silent, as the daemon then does without it too. A copy in
/// memory does not count, for no daemon runs that it could be of.
///
/// # Errors
/// When the store that has it cannot be used, or the token must not be trusted.
pub fn waiting_token(choice: SecretsChoice, home: &Home) -> Result<Option<Secret>, Error> {
    waiting_token_with(choice, home, &KeyringStore::new(home))
}

pub(super) fn waiting_token_with(
    choice: SecretsChoice,
    home: &Home,
    keyring: &KeyringStore,
) -> Result<Option<Secret>, Error> {
    match stored_token(choice, home, keyring) {
        Err(Error::Keyring(_)) if choice == SecretsChoice::Auto => Ok(None),
        found => found,
    }
}

/// Stores a token for the daemon that a connection is about to start, where that finds it whatever the keyring does.
///
/// # Errors
/// When the store cannot be used.
pub fn set_waiting_token(choice: SecretsChoice, home: &Home, token: &Secret) -> Result<(), Error> {
    match choice {
        SecretsChoice::File | SecretsChoice::Auto => {
            FileStore::new(home.clone()).set_daemon_token(token)
        }
        SecretsChoice::Keyring => {
            Mark(home.clone()).set()?;
            KeyringStore::new(home).set_daemon_token(token)
        }
    }
}

/// What is in a file is newer than the same in the keyring.
fn stored_token(
    choice: SecretsChoice,
    home: &Home,
    keyring: &KeyringStore,
) -> Result<Option<Secret>, Error> {
    let may_be_in_keyring = match choice {
        SecretsChoice::File => false,
        SecretsChoice::Keyring => true,
        SecretsChoice::Auto => Mark(home.clone()).is_set(),
    };
    match FileStore::new(home.clone()).daemon_token()? {
        None if may_be_in_keyring => keyring.daemon_token(),
        found => Ok(found),
    }
}
