//! How clients find the daemon token. They never move tokens between stores; only the daemon does.

use super::keyring::KeyringStore;
use super::migration::KeyringMarker;
use super::runtime::RuntimeCopy;
use super::{Error, FileStore, Secret, SecretStore};
use crate::config::SecretsChoice;
use crate::home::Home;

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

/// The stored token that the next daemon, started by a connection to its service manager's socket, will use. `None` if
/// it has not been created yet, or if the choice is `auto` and the keyring is locked or does not answer, because the
/// daemon will use files then. Ignores the copy in the runtime directory: no daemon is running that could have
/// written it.
///
/// # Errors
/// When the store that holds it cannot be used, or the token must not be trusted.
pub fn activation_token(choice: SecretsChoice, home: &Home) -> Result<Option<Secret>, Error> {
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
pub fn set_activation_token(
    choice: SecretsChoice,
    home: &Home,
    token: &Secret,
) -> Result<(), Error> {
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
}
