//! The daemon's token: how clients find it, and how it is made where a service manager starts the daemon.
//!
//! There it is made once, by whichever process needs it first: a client may need it before any daemon has run, and the
//! daemon that its connection starts has to accept it. Clients move no token from one store to another; the daemon does.

use super::keyring::KeyringStore;
use super::lock::Turn;
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

/// The token stored for the daemon that a connection is about to start, or a new one, which is stored for it. Processes
/// that ask at the same time get the same.
///
/// # Errors
/// When the store cannot be used, or another process holds it for too long.
pub fn ensure_client_token(choice: SecretsChoice, home: &Home) -> Result<Secret, Error> {
    create_once(
        home,
        || waiting_token(choice, home),
        |token| set_waiting_token(choice, home, token),
    )
}

/// The stored token, or a new one, which is stored. For the daemon, with the store that it has opened.
///
/// # Errors
/// When the store cannot be used, or another process holds it for too long.
pub fn ensure_token(home: &Home, store: &dyn SecretStore) -> Result<Secret, Error> {
    create_once(home, || store.daemon_token(), |token| store.set_daemon_token(token))
}

fn create_once(
    home: &Home,
    read: impl Fn() -> Result<Option<Secret>, Error>,
    write: impl FnOnce(&Secret) -> Result<(), Error>,
) -> Result<Secret, Error> {
    if let Some(token) = read()? {
        return Ok(token);
    }
    let _turn = Turn::take(home)?;
    if let Some(token) = read()? {
        return Ok(token);
    }
    let token = Secret::random_hex();
    write(&token)?;
    Ok(token)
}

/// The token that waits in a store for the daemon that a connection is about to start. `None` where it has yet to be
/// made, also where `auto` finds a keyring that is locked or does not answer: the daemon then does without it too. A
/// copy in memory does not count, because no daemon runs that it could belong to.
fn waiting_token(choice: SecretsChoice, home: &Home) -> Result<Option<Secret>, Error> {
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
fn set_waiting_token(choice: SecretsChoice, home: &Home, token: &Secret) -> Result<(), Error> {
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

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    #[test]
    fn processes_that_need_the_token_at_the_same_time_get_the_same() {
        let parent = tempfile::tempdir().unwrap();
        let home = Home::open(&parent.path().join("home")).unwrap();
        let tokens: Vec<_> = thread::scope(|scope| {
            let daemon = || ensure_token(&home, &FileStore::new(home.clone())).unwrap();
            let client = || ensure_client_token(SecretsChoice::Auto, &home).unwrap();
            let threads: Vec<_> =
                (0..4).flat_map(|_| [scope.spawn(daemon), scope.spawn(client)]).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        let stored = FileStore::new(home).daemon_token().unwrap().unwrap();
        assert!(tokens.iter().all(|token| token.matches(stored.expose().as_bytes())));
    }
}
