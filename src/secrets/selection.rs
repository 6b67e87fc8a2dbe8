//! Opens the store that the configuration asks for.

use std::sync::Arc;

use super::auto::Auto;
use super::keyring::KeyringStore;
use super::migration::{KeyringMarker, move_to_files, move_to_keyring};
use super::runtime::RuntimeCopy;
use super::{Error, FileStore, SecretStore};
use crate::config::SecretsChoice;
use crate::home::Home;

/// Opens the store for a daemon that holds the lock on its state directory. Moves tokens that are in the other store
/// into it: at once, or later in [`SecretStore::migrate`] if nothing from the keyring is needed before.
///
/// # Errors
/// When the choice is `keyring` and the keyring cannot be used, or a token must not be trusted.
pub fn open(choice: SecretsChoice, home: &Home) -> Result<Arc<dyn SecretStore>, Error> {
    open_with(choice, home, KeyringStore::new(home))
}

pub(super) fn open_with(
    choice: SecretsChoice,
    home: &Home,
    keyring: KeyringStore,
) -> Result<Arc<dyn SecretStore>, Error> {
    // A killed daemon may have left a copy, and clients would use its token.
    RuntimeCopy::of(home).remove();
    let file = FileStore::new(home.clone());
    let marker = KeyringMarker(home.clone());
    match choice {
        SecretsChoice::File => {
            if marker.exists()
                && let Err(error) = move_to_files(&keyring, &file, &marker)
            {
                tracing::warn!(event = "secrets_left_in_keyring", problem = %error);
            }
            Ok(Arc::new(file))
        }
        SecretsChoice::Keyring => {
            move_to_keyring(&file, &keyring, &marker)?;
            Ok(Arc::new(keyring))
        }
        SecretsChoice::Auto => {
            // A token in a file is newer than the one in the keyring. If the keyring was never used, or both tokens are
            // in files, there is no need to wait for it.
            let needs_keyring =
                marker.exists() && (file.extension()?.is_none() || file.daemon_token()?.is_none());
            let auto = Auto::new(file, keyring, marker);
            if needs_keyring {
                auto.migrate();
            }
            Ok(Arc::new(auto))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Secret;
    use super::super::fake_keyring::{TestHome, assert_stored, credential};
    use super::*;

    #[test]
    fn a_file_store_does_not_access_a_keyring_that_was_never_used() {
        let test = TestHome::new();
        let store = test.open(SecretsChoice::File).unwrap();
        store.set_extension(&credential()).unwrap();
        store.migrate();
        assert_eq!((store.name(), test.keyring.calls(), store.reason()), ("file", 0, None));
    }

    #[test]
    fn tokens_move_from_the_files_to_the_keyring_and_back() {
        let test = TestHome::new();
        let (pairing, token) = (credential(), Secret::random_hex());
        let store = test.open(SecretsChoice::File).unwrap();
        store.set_extension(&pairing).unwrap();
        store.set_daemon_token(&token).unwrap();

        let store = test.open(SecretsChoice::Keyring).unwrap();
        assert_stored(&*store, &pairing);
        assert!(store.daemon_token().unwrap().unwrap().matches(token.expose().as_bytes()));
        assert_eq!((test.token_files(), test.keyring.len()), (0, 2));

        let store = test.open(SecretsChoice::File).unwrap();
        assert_stored(&*store, &pairing);
        assert!(store.daemon_token().unwrap().unwrap().matches(token.expose().as_bytes()));
        assert_eq!((test.token_files(), test.keyring.len()), (2, 0));
        let calls = test.keyring.calls();
        test.open(SecretsChoice::File).unwrap();
        assert_eq!(test.keyring.calls(), calls, "the keyring has none of its tokens any more");
    }

    #[test]
    fn a_required_keyring_that_is_locked_is_an_error_and_moves_nothing() {
        let test = TestHome::new();
        test.open(SecretsChoice::File).unwrap().set_extension(&credential()).unwrap();
        test.keyring.set_locked(true);
        let error = test.open(SecretsChoice::Keyring).err().unwrap();
        assert!(error.to_string().contains("locked"), "{error}");
        assert_eq!(test.token_files(), 1);
    }

    #[test]
    fn auto_does_not_access_an_unused_keyring_before_it_migrates() {
        let test = TestHome::new();
        let store = test.open(SecretsChoice::Auto).unwrap();
        store.set_daemon_token(&Secret::random_hex()).unwrap();
        assert!(store.extension().unwrap().is_none());
        assert_eq!((store.name(), test.keyring.calls(), test.token_files()), ("file", 0, 1));
        store.migrate();
        assert_eq!((store.name(), test.keyring.len(), test.token_files()), ("keyring", 1, 0));
        store.set_extension(&credential()).unwrap();
        assert_eq!((test.keyring.len(), test.token_files()), (2, 0));
    }

    #[test]
    fn auto_reads_a_pairing_from_the_keyring_at_once() {
        let test = TestHome::new();
        let pairing = credential();
        test.open(SecretsChoice::Keyring).unwrap().set_extension(&pairing).unwrap();
        let store = test.open(SecretsChoice::Auto).unwrap();
        assert_eq!(store.name(), "keyring");
        assert_stored(&*store, &pairing);
    }

    #[test]
    fn auto_falls_back_to_files_with_a_reason_and_a_pairing_stored_there_wins_later() {
        let test = TestHome::new();
        test.open(SecretsChoice::Keyring).unwrap().set_extension(&credential()).unwrap();
        test.keyring.set_locked(true);
        let store = test.open(SecretsChoice::Auto).unwrap();
        assert_eq!(store.name(), "file");
        assert!(store.reason().unwrap().contains("locked"));
        let newer = credential();
        store.set_extension(&newer).unwrap();

        test.keyring.set_locked(false);
        let store = test.open(SecretsChoice::Auto).unwrap();
        assert_stored(&*store, &newer);
        store.migrate();
        assert_eq!((store.name(), test.token_files()), ("keyring", 0));
        assert_stored(&*store, &newer);
    }

    #[test]
    fn auto_writes_to_a_file_if_the_keyring_was_locked_after_the_migration() {
        let test = TestHome::new();
        let store = test.open(SecretsChoice::Auto).unwrap();
        store.migrate();
        assert_eq!((store.name(), store.reason()), ("keyring", None));
        test.keyring.set_locked(true);
        let pairing = credential();
        store.set_extension(&pairing).unwrap();
        assert_eq!(store.name(), "file");
        assert!(store.reason().unwrap().contains("locked"));
        assert_stored(&*store, &pairing);
    }
}
