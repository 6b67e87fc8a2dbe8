//! Operations on all stores at once: rotating the daemon token, removing every token.

use super::keyring::KeyringStore;
use super::migration::{KeyringMarker, clear};
use super::runtime::RuntimeCopy;
use super::{Error, FileStore, Secret, SecretStore};
use crate::config::SecretsChoice;
use crate::home::{ChangeLock, Home};

/// Removes every token of a state directory from every store.
///
/// # Errors
/// When a token exists and cannot be removed.
pub fn remove_all(home: &Home) -> Result<(), Error> {
    let (file, marker) = (FileStore::new(home.clone()), KeyringMarker(home.clone()));
    let _lock = ChangeLock::acquire(home).map_err(Error::Lock)?;
    RuntimeCopy::of(home).remove();
    clear(&file)?;
    if marker.exists() {
        clear(&KeyringStore::new(home))?;
        marker.remove()?;
    }
    Ok(())
}

/// Replaces the stored daemon token in every store that has one. A running daemon keeps the token it started with.
///
/// # Errors
/// When a store that may hold the token cannot be used; nothing has changed then.
pub fn rotate(choice: SecretsChoice, home: &Home) -> Result<(), Error> {
    rotate_with(choice, home, &KeyringStore::new(home))
}

fn rotate_with(choice: SecretsChoice, home: &Home, keyring: &KeyringStore) -> Result<(), Error> {
    let file = FileStore::new(home.clone());
    let has_token = |store: &dyn SecretStore| match store.daemon_token() {
        Ok(token) => Ok(token.is_some()),
        // A damaged token is replaced like any other.
        Err(Error::Damaged { .. }) => Ok(true),
        Err(error) => Err(error),
    };
    let _lock = ChangeLock::acquire(home).map_err(Error::Lock)?;
    let in_file = has_token(&file)?;
    // An old token that stayed in the keyring would be valid again as soon as the file is gone.
    let may_be_in_keyring = choice != SecretsChoice::File || !in_file;
    let in_keyring =
        may_be_in_keyring && KeyringMarker(home.clone()).exists() && has_token(keyring)?;
    let token = Secret::random_hex();
    if in_keyring {
        keyring.set_daemon_token(&token)?;
    }
    if in_file {
        file.set_daemon_token(&token)?;
    }
    Ok(())
}

/// Removes the copy of the daemon token that a killed daemon left in the runtime directory.
pub fn remove_runtime_copy(home: &Home) {
    RuntimeCopy::of(home).remove();
}

#[cfg(test)]
mod tests {
    use super::super::fake_keyring::{TestHome, credential};
    use super::super::keyring::KeyringError;
    use super::*;

    #[test]
    fn rotation_replaces_the_token_in_every_store() {
        let test = TestHome::new();
        let old = Secret::random_hex();
        let is_old = |token: Option<Secret>| token.unwrap().matches(old.expose().as_bytes());
        let rotate =
            || rotate_with(SecretsChoice::Auto, &test.home, &test.keyring_store()).unwrap();
        rotate();
        assert_eq!((test.token_files(), test.keyring.calls()), (0, 0));
        test.open(SecretsChoice::Keyring).unwrap().set_daemon_token(&old).unwrap();
        rotate();
        assert!(!is_old(test.keyring_store().daemon_token().unwrap()));

        // As after a daemon fell back to files: both stores have a token.
        test.keyring_store().set_daemon_token(&old).unwrap();
        let file = FileStore::new(test.home.clone());
        file.set_daemon_token(&old).unwrap();
        rotate();
        assert!(!is_old(test.keyring_store().daemon_token().unwrap()));
        assert!(!is_old(file.daemon_token().unwrap()));
    }

    #[test]
    fn rotation_fails_and_changes_nothing_if_the_keyring_is_locked() {
        let test = TestHome::new();
        let token = Secret::random_hex();
        test.open(SecretsChoice::Keyring).unwrap().set_daemon_token(&token).unwrap();
        FileStore::new(test.home.clone()).set_daemon_token(&token).unwrap();
        test.keyring.set_locked(true);
        let rotated = rotate_with(SecretsChoice::Auto, &test.home, &test.keyring_store());
        assert!(matches!(rotated, Err(Error::Keyring(KeyringError::Locked))));
        let kept = FileStore::new(test.home.clone()).daemon_token().unwrap().unwrap();
        assert!(kept.matches(token.expose().as_bytes()), "nothing has changed");
    }

    #[test]
    fn removing_all_tokens_removes_the_files() {
        let test = TestHome::new();
        let store = test.open(SecretsChoice::File).unwrap();
        store.set_extension(&credential()).unwrap();
        store.set_daemon_token(&Secret::random_hex()).unwrap();
        remove_all(&test.home).unwrap();
        assert_eq!(test.token_files(), 0);
    }
}
