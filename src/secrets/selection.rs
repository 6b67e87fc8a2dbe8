//! Which store a daemon uses, and what is done to all of them: a new token, or none.

use std::sync::Arc;

use super::auto::Auto;
use super::keyring::KeyringStore;
use super::lock::Turn;
use super::migration::{Mark, clear, enter_keyring, leave_keyring};
use super::runtime::RuntimeCopy;
use super::{Error, FileStore, Secret, SecretStore};
use crate::config::SecretsChoice;
use crate::home::Home;

/// Opens the store that a daemon is told to use, once it has its state directory for itself. What another one has of
/// this state directory is moved into it: at once, or by [`SecretStore::settle`] where nothing in the keyring is needed
/// before.
///
/// # Errors
/// When the keyring is insisted on and cannot be used, or a token must not be trusted.
pub fn open(choice: SecretsChoice, home: &Home) -> Result<Arc<dyn SecretStore>, Error> {
    open_with(choice, home, KeyringStore::new(home))
}

fn open_with(
    choice: SecretsChoice,
    home: &Home,
    keyring: KeyringStore,
) -> Result<Arc<dyn SecretStore>, Error> {
    // A daemon that was killed may have left one, and clients believe it.
    RuntimeCopy::of(home).remove();
    let file = FileStore::new(home.clone());
    let mark = Mark(home.clone());
    match choice {
        SecretsChoice::File => {
            if mark.is_set()
                && let Err(error) = leave_keyring(&keyring, &file, &mark)
            {
                tracing::warn!(event = "secrets_left_in_keyring", problem = %error);
            }
            Ok(Arc::new(file))
        }
        SecretsChoice::Keyring => {
            enter_keyring(&file, &keyring, &mark)?;
            Ok(Arc::new(keyring))
        }
        SecretsChoice::Auto => {
            // What is in a file is newer than the same in the keyring, and without either there is nothing to wait for.
            let needs_keyring =
                mark.is_set() && (file.extension()?.is_none() || file.daemon_token()?.is_none());
            let auto = Auto::new(file, keyring, mark);
            if needs_keyring {
                auto.settle();
            }
            Ok(Arc::new(auto))
        }
    }
}

/// Removes every token of a state directory, wherever it is.
///
/// # Errors
/// When one is there and cannot be removed.
pub fn forget(home: &Home) -> Result<(), Error> {
    let (file, mark) = (FileStore::new(home.clone()), Mark(home.clone()));
    let _turn = Turn::take(home)?;
    RuntimeCopy::of(home).remove();
    clear(&file)?;
    if mark.is_set() {
        clear(&KeyringStore::new(home))?;
        mark.remove()?;
    }
    Ok(())
}

/// Replaces the stored daemon token, if there is one. A daemon that runs goes on with the one that it has.
///
/// # Errors
/// When a store that may have one cannot be used: nothing has changed then.
pub fn rotate(choice: SecretsChoice, home: &Home) -> Result<(), Error> {
    rotate_with(choice, home, &KeyringStore::new(home))
}

fn rotate_with(choice: SecretsChoice, home: &Home, keyring: &KeyringStore) -> Result<(), Error> {
    let file = FileStore::new(home.clone());
    let is_there = |store: &dyn SecretStore| match store.daemon_token() {
        Ok(token) => Ok(token.is_some()),
        // It is replaced in any case.
        Err(Error::Damaged { .. }) => Ok(true),
        Err(error) => Err(error),
    };
    let _turn = Turn::take(home)?;
    let in_file = is_there(&file)?;
    // One in the keyring would come back when the file's has gone.
    let may_be_in_keyring = choice != SecretsChoice::File || !in_file;
    let in_keyring = may_be_in_keyring && Mark(home.clone()).is_set() && is_there(keyring)?;
    let token = Secret::random_hex();
    if in_keyring {
        keyring.set_daemon_token(&token)?;
    }
    if in_file {
        file.set_daemon_token(&token)?;
    }
    Ok(())
}

/// Removes what a killed daemon left of its token in memory.
pub fn remove_copy(home: &Home) {
    RuntimeCopy::of(home).remove();
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;
    use std::sync::{Mutex, MutexGuard};

    use super::super::ExtensionCredential;
    use super::super::client::{client_token, waiting_token_with};
    use super::super::keyring::{Items, Trouble};
    use super::*;

    /// A keyring in memory, shared with the test, which can lock it.
    #[derive(Clone, Default)]
    struct Fake(Arc<Mutex<Inner>>);

    #[derive(Default)]
    struct Inner {
        items: HashMap<String, Vec<u8>>,
        locked: bool,
        asked: usize,
    }

    impl Fake {
        fn inner(&self) -> Result<MutexGuard<'_, Inner>, Trouble> {
            let mut inner = self.0.lock().unwrap();
            inner.asked += 1;
            if inner.locked { Err(Trouble::Locked) } else { Ok(inner) }
        }

        fn lock(&self, locked: bool) {
            self.0.lock().unwrap().locked = locked;
        }

        fn asked(&self) -> usize {
            self.0.lock().unwrap().asked
        }

        fn len(&self) -> usize {
            self.0.lock().unwrap().items.len()
        }
    }

    impl Items for Fake {
        fn get(&self, account: &str) -> Result<Option<Vec<u8>>, Trouble> {
            Ok(self.inner()?.items.get(account).cloned())
        }

        fn set(&self, account: &str, secret: &[u8]) -> Result<(), Trouble> {
            self.inner()?.items.insert(account.to_owned(), secret.to_owned());
            Ok(())
        }

        fn remove(&self, account: &str) -> Result<(), Trouble> {
            self.inner()?.items.remove(account);
            Ok(())
        }
    }

    struct Place {
        _parent: tempfile::TempDir,
        home: Home,
        keyring: Fake,
    }

    impl Place {
        fn new() -> Place {
            let parent = tempfile::tempdir().unwrap();
            let home = Home::open(&parent.path().join("home")).unwrap();
            Place { _parent: parent, home, keyring: Fake::default() }
        }

        fn open(&self, choice: SecretsChoice) -> Result<Arc<dyn SecretStore>, Error> {
            open_with(choice, &self.home, self.store())
        }

        fn store(&self) -> KeyringStore {
            KeyringStore::with(Box::new(self.keyring.clone()), &self.home)
        }

        fn files(&self) -> usize {
            [self.home.token(), self.home.extension_token()]
                .iter()
                .filter(|path| path.exists())
                .count()
        }
    }

    fn credential() -> ExtensionCredential {
        ExtensionCredential {
            token: Secret::random_base64url(),
            origin: Some("chrome-extension://abcdefghijklmnopabcdefghijklmnop".into()),
        }
    }

    #[track_caller]
    fn assert_stored(store: &dyn SecretStore, expected: &ExtensionCredential) {
        let stored = store.extension().unwrap().expect("a pairing");
        assert!(stored.token.matches(expected.token.expose().as_bytes()));
        assert_eq!(stored.origin, expected.origin);
    }

    #[test]
    fn files_never_ask_a_keyring_that_was_never_used() {
        let place = Place::new();
        let store = place.open(SecretsChoice::File).unwrap();
        store.set_extension(&credential()).unwrap();
        store.settle();
        assert_eq!((store.name(), place.keyring.asked(), store.reason()), ("file", 0, None));
    }

    #[test]
    fn tokens_move_from_the_files_to_the_keyring_and_back() {
        let place = Place::new();
        let (pairing, token) = (credential(), Secret::random_hex());
        let store = place.open(SecretsChoice::File).unwrap();
        store.set_extension(&pairing).unwrap();
        store.set_daemon_token(&token).unwrap();

        let store = place.open(SecretsChoice::Keyring).unwrap();
        assert_stored(&*store, &pairing);
        assert!(store.daemon_token().unwrap().unwrap().matches(token.expose().as_bytes()));
        assert_eq!((place.files(), place.keyring.len()), (0, 2));

        let store = place.open(SecretsChoice::File).unwrap();
        assert_stored(&*store, &pairing);
        assert!(store.daemon_token().unwrap().unwrap().matches(token.expose().as_bytes()));
        assert_eq!((place.files(), place.keyring.len()), (2, 0));
        let asked = place.keyring.asked();
        place.open(SecretsChoice::File).unwrap();
        assert_eq!(place.keyring.asked(), asked, "nothing of it is in the keyring any longer");
    }

    #[test]
    fn a_keyring_that_is_insisted_on_and_locked_is_an_error_and_moves_nothing() {
        let place = Place::new();
        place.open(SecretsChoice::File).unwrap().set_extension(&credential()).unwrap();
        place.keyring.lock(true);
        let error = place.open(SecretsChoice::Keyring).err().unwrap();
        assert!(error.to_string().contains("locked"), "{error}");
        assert_eq!(place.files(), 1);
    }

    #[test]
    fn auto_asks_the_keyring_only_when_it_settles_if_there_is_nothing_in_it() {
        let place = Place::new();
        let store = place.open(SecretsChoice::Auto).unwrap();
        store.set_daemon_token(&Secret::random_hex()).unwrap();
        assert!(store.extension().unwrap().is_none());
        assert_eq!((store.name(), place.keyring.asked(), place.files()), ("file", 0, 1));
        store.settle();
        assert_eq!((store.name(), place.keyring.len(), place.files()), ("keyring", 1, 0));
        store.set_extension(&credential()).unwrap();
        assert_eq!((place.keyring.len(), place.files()), (2, 0));
    }

    #[test]
    fn auto_reads_a_pairing_in_the_keyring_at_once() {
        let place = Place::new();
        let pairing = credential();
        place.open(SecretsChoice::Keyring).unwrap().set_extension(&pairing).unwrap();
        let store = place.open(SecretsChoice::Auto).unwrap();
        assert_eq!(store.name(), "keyring");
        assert_stored(&*store, &pairing);
    }

    #[test]
    fn auto_goes_on_with_files_and_a_reason_and_what_was_stored_there_wins_later() {
        let place = Place::new();
        place.open(SecretsChoice::Keyring).unwrap().set_extension(&credential()).unwrap();
        place.keyring.lock(true);
        let store = place.open(SecretsChoice::Auto).unwrap();
        assert_eq!(store.name(), "file");
        assert!(store.reason().unwrap().contains("locked"));
        let newer = credential();
        store.set_extension(&newer).unwrap();

        place.keyring.lock(false);
        let store = place.open(SecretsChoice::Auto).unwrap();
        assert_stored(&*store, &newer);
        store.settle();
        assert_eq!((store.name(), place.files()), ("keyring", 0));
        assert_stored(&*store, &newer);
    }

    #[test]
    fn auto_stores_in_a_file_what_a_keyring_that_was_locked_meanwhile_does_not_take() {
        let place = Place::new();
        let store = place.open(SecretsChoice::Auto).unwrap();
        store.settle();
        assert_eq!((store.name(), store.reason()), ("keyring", None));
        place.keyring.lock(true);
        let pairing = credential();
        store.set_extension(&pairing).unwrap();
        assert_eq!(store.name(), "file");
        assert!(store.reason().unwrap().contains("locked"));
        assert_stored(&*store, &pairing);
    }

    #[test]
    fn a_client_asks_no_keyring_that_has_no_token_of_the_home() {
        let place = Place::new();
        assert!(client_token(SecretsChoice::Auto, &place.home).unwrap().is_none());
        let token = Secret::random_hex();
        place.open(SecretsChoice::File).unwrap().set_daemon_token(&token).unwrap();
        for choice in [SecretsChoice::Auto, SecretsChoice::File] {
            let found = client_token(choice, &place.home).unwrap().unwrap();
            assert!(found.matches(token.expose().as_bytes()));
        }
    }

    #[test]
    fn a_client_makes_do_without_a_locked_keyring_only_where_its_daemon_does() {
        let place = Place::new();
        let token = Secret::random_hex();
        let waiting = |choice| waiting_token_with(choice, &place.home, &place.store());
        place.open(SecretsChoice::Keyring).unwrap().set_daemon_token(&token).unwrap();
        for choice in [SecretsChoice::Auto, SecretsChoice::Keyring] {
            assert!(waiting(choice).unwrap().unwrap().matches(token.expose().as_bytes()));
        }
        place.keyring.lock(true);
        assert!(waiting(SecretsChoice::Auto).unwrap().is_none());
        assert!(matches!(waiting(SecretsChoice::Keyring), Err(Error::Keyring(Trouble::Locked))));
    }

    #[test]
    fn a_client_moves_nothing() {
        let place = Place::new();
        let token = Secret::random_hex();
        place.open(SecretsChoice::File).unwrap().set_daemon_token(&token).unwrap();
        for choice in [SecretsChoice::Auto, SecretsChoice::Keyring, SecretsChoice::File] {
            let found = waiting_token_with(choice, &place.home, &place.store()).unwrap().unwrap();
            assert!(found.matches(token.expose().as_bytes()));
            assert_eq!((place.files(), place.keyring.asked()), (1, 0));
        }
    }

    #[test]
    fn a_token_is_replaced_wherever_it_is() {
        let place = Place::new();
        let old = Secret::random_hex();
        let is_old = |token: Option<Secret>| token.unwrap().matches(old.expose().as_bytes());
        let rotate = || rotate_with(SecretsChoice::Auto, &place.home, &place.store()).unwrap();
        rotate();
        assert_eq!((place.files(), place.keyring.asked()), (0, 0));
        place.open(SecretsChoice::Keyring).unwrap().set_daemon_token(&old).unwrap();
        rotate();
        assert!(!is_old(place.store().daemon_token().unwrap()));

        // A keyring that was locked meanwhile has the old one, and a file has another.
        place.store().set_daemon_token(&old).unwrap();
        let file = FileStore::new(place.home.clone());
        file.set_daemon_token(&old).unwrap();
        rotate();
        assert!(!is_old(place.store().daemon_token().unwrap()));
        assert!(!is_old(file.daemon_token().unwrap()));
    }

    #[test]
    fn a_token_in_a_locked_keyring_is_not_said_to_be_replaced() {
        let place = Place::new();
        let token = Secret::random_hex();
        place.open(SecretsChoice::Keyring).unwrap().set_daemon_token(&token).unwrap();
        FileStore::new(place.home.clone()).set_daemon_token(&token).unwrap();
        place.keyring.lock(true);
        let rotated = rotate_with(SecretsChoice::Auto, &place.home, &place.store());
        assert!(matches!(rotated, Err(Error::Keyring(Trouble::Locked))));
        let kept = FileStore::new(place.home.clone()).daemon_token().unwrap().unwrap();
        assert!(kept.matches(token.expose().as_bytes()), "nothing has changed");
    }

    #[test]
    fn forgetting_removes_the_tokens_in_files() {
        let place = Place::new();
        let store = place.open(SecretsChoice::File).unwrap();
        store.set_extension(&credential()).unwrap();
        store.set_daemon_token(&Secret::random_hex()).unwrap();
        forget(&place.home).unwrap();
        assert_eq!(place.files(), 0);
    }
}
