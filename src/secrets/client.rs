//! The daemon's token: how clients find it, and how it is created when a service manager starts the daemon.
//!
//! Then it is created once, by whichever process needs it first: a client may need it before any daemon has run, and the
//! daemon that its connection starts has to accept it. Clients never move tokens between stores; only the daemon does.

use super::keyring::KeyringStore;
use super::migration::KeyringMarker;
use super::runtime::RuntimeCopy;
use super::{Error, FileStore, Secret, SecretStore};
use crate::config::SecretsChoice;
use crate::home::{ChangeLock, Home};

/// The token of a running daemon: from the copy in the runtime directory, else from the store that holds it. `None` if
/// there is none.
///
/// # Errors
/// When the store that holds it cannot be used, or the token must not be trusted.
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
        || activation_token(choice, home),
        |token| set_activation_token(choice, home, token),
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
    let _lock = ChangeLock::acquire(home).map_err(Error::Lock)?;
    if let Some(token) = read()? {
        return Ok(token);
    }
    let token = Secret::random_hex();
    write(&token)?;
    Ok(token)
}

/// The stored token that the next daemon, started by a connection to its service manager's socket, will use. `None` if
/// it has not been created yet, or if the choice is `auto` and the keyring is locked or does not answer, because the
/// daemon will use files then. Ignores the copy in the runtime directory: no daemon is running that could have
/// written it.
///
/// # Errors
/// When the store that holds it cannot be used, or the token must not be trusted.
fn activation_token(choice: SecretsChoice, home: &Home) -> Result<Option<Secret>, Error> {
    activation_token_with(choice, home, &KeyringStore::new(home))
}

pub(super) fn activation_token_with(
    choice: SecretsChoice,
    home: &Home,
    keyring: &KeyringStore,
) -> Result<Option<Secret>, Error> {
    match stored_token(choice, home, keyring) {
        Err(Error::Keyring(_)) if choice == SecretsChoice::Auto => Ok(None),
        result => result,
    }
}

/// Stores a token for the next daemon, started by a connection to its service manager's socket. With `auto` it goes
/// into a file, which that daemon reads whether or not the keyring works.
///
/// # Errors
/// When the store cannot be used.
fn set_activation_token(choice: SecretsChoice, home: &Home, token: &Secret) -> Result<(), Error> {
    match choice {
        SecretsChoice::File | SecretsChoice::Auto => {
            FileStore::new(home.clone()).set_daemon_token(token)
        }
        SecretsChoice::Keyring => {
            KeyringMarker(home.clone()).create()?;
            KeyringStore::new(home).set_daemon_token(token)
        }
    }
}

/// The token in the file, else the one in the keyring: if both exist, the file is newer.
fn stored_token(
    choice: SecretsChoice,
    home: &Home,
    keyring: &KeyringStore,
) -> Result<Option<Secret>, Error> {
    let may_be_in_keyring = match choice {
        SecretsChoice::File => false,
        SecretsChoice::Keyring => true,
        SecretsChoice::Auto => KeyringMarker(home.clone()).exists(),
    };
    match FileStore::new(home.clone()).daemon_token()? {
        None if may_be_in_keyring => keyring.daemon_token(),
        token => Ok(token),
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::super::fake_keyring::TestHome;
    use super::super::keyring::KeyringError;
    use super::*;

    #[test]
    fn a_client_does_not_access_a_keyring_that_holds_no_token_of_the_home() {
        let test = TestHome::new();
        assert!(client_token(SecretsChoice::Auto, &test.home).unwrap().is_none());
        let token = Secret::random_hex();
        test.open(SecretsChoice::File).unwrap().set_daemon_token(&token).unwrap();
        for choice in [SecretsChoice::Auto, SecretsChoice::File] {
            let found = client_token(choice, &test.home).unwrap().unwrap();
            assert!(found.matches(token.expose().as_bytes()));
        }
    }

    #[test]
    fn a_client_ignores_a_locked_keyring_only_if_its_daemon_does() {
        let test = TestHome::new();
        let token = Secret::random_hex();
        let waiting = |choice| activation_token_with(choice, &test.home, &test.keyring_store());
        test.open(SecretsChoice::Keyring).unwrap().set_daemon_token(&token).unwrap();
        for choice in [SecretsChoice::Auto, SecretsChoice::Keyring] {
            assert!(waiting(choice).unwrap().unwrap().matches(token.expose().as_bytes()));
        }
        test.keyring.set_locked(true);
        assert!(waiting(SecretsChoice::Auto).unwrap().is_none());
        assert!(matches!(
            waiting(SecretsChoice::Keyring),
            Err(Error::Keyring(KeyringError::Locked))
        ));
    }

    #[test]
    fn a_client_moves_no_tokens() {
        let test = TestHome::new();
        let token = Secret::random_hex();
        test.open(SecretsChoice::File).unwrap().set_daemon_token(&token).unwrap();
        for choice in [SecretsChoice::Auto, SecretsChoice::Keyring, SecretsChoice::File] {
            let found =
                activation_token_with(choice, &test.home, &test.keyring_store()).unwrap().unwrap();
            assert!(found.matches(token.expose().as_bytes()));
            assert_eq!((test.token_files(), test.keyring.calls()), (1, 0));
        }
    }

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
