//! Which store is used, and why; and the tokens' move when that changes.
//!
//! The file `secret-store` in the state directory says that the keyring has tokens of it. It is the reason why nothing
//! has to be asked of a keyring that was never used.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::Serialize;

use super::keyring::{KeyringStore, Trouble};
use super::runtime::RuntimeCopy;
use super::{Error, ExtensionCredential, FileStore, Secret, SecretStore};
use crate::config::SecretsChoice;
use crate::home::Home;

/// Opens the store that a daemon is told to use. What another one has of this state directory is moved into it: at
/// once, or by [`SecretStore::settle`] where nothing in the keyring is needed before.
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
            let auto = Auto { file, keyring, mark, used: Mutex::default(), work: Mutex::default() };
            // A pairing in a file is newer than one in the keyring, and without either there is nothing to wait for.
            if auto.mark.is_set() && auto.file.extension()?.is_none() {
                auto.settle();
            }
            Ok(Arc::new(auto))
        }
    }
}

/// The token that a client shows: from the copy in memory, else from whichever store has it. `None` where there is none.
///
/// # Errors
/// When the store that has it cannot be used, or the token must not be trusted.
pub fn client_token(choice: SecretsChoice, home: &Home) -> Result<Option<Secret>, Error> {
    let file = || FileStore::new(home.clone()).daemon_token();
    let keyring = || KeyringStore::new(home).daemon_token();
    let copy = || RuntimeCopy::of(home).read();
    match choice {
        SecretsChoice::File => file(),
        SecretsChoice::Keyring => copy().map_or_else(keyring, |token| Ok(Some(token))),
        SecretsChoice::Auto => {
            if let Some(token) = copy() {
                return Ok(Some(token));
            }
            match file()? {
                None if Mark(home.clone()).is_set() => keyring(),
                found => Ok(found),
            }
        }
    }
}

/// Removes every token of a state directory, wherever it is.
///
/// # Errors
/// When one is there and cannot be removed.
pub fn forget(home: &Home) -> Result<(), Error> {
    let (file, mark) = (FileStore::new(home.clone()), Mark(home.clone()));
    RuntimeCopy::of(home).remove();
    clear(&file)?;
    if mark.is_set() {
        clear(&KeyringStore::new(home))?;
        mark.remove()?;
    }
    Ok(())
}

/// Replaces a daemon token that outlives its daemon. A daemon that runs goes on with the one that it has.
///
/// # Errors
/// When the store cannot be used.
pub fn rotate(choice: SecretsChoice, home: &Home) -> Result<(), Error> {
    let store = open(choice, home)?;
    store.settle();
    match store.daemon_token() {
        Ok(None) => Ok(()),
        Ok(Some(_)) | Err(Error::Damaged { .. }) => store.set_daemon_token(&Secret::random_hex()),
        Err(error) => Err(error),
    }
}

/// Where the tokens of a state directory are.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Places {
    store: &'static str,
    daemon_token: String,
    extension_token: String,
    /// The daemon token's copy in memory, while a daemon runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    copy: Option<String>,
}

/// Tells where the tokens are, or would be. Nothing is asked of a keyring.
pub fn places(choice: SecretsChoice, home: &Home) -> Places {
    let copy = RuntimeCopy::of(home).path().map(|path| path.display().to_string());
    if in_keyring(choice, home) {
        let (daemon_token, extension_token) = KeyringStore::new(home).places();
        Places { store: "keyring", daemon_token, extension_token, copy }
    } else {
        let path = |path: std::path::PathBuf| path.display().to_string();
        let (daemon_token, extension_token) = (path(home.token()), path(home.extension_token()));
        Places { store: "file", daemon_token, extension_token, copy }
    }
}

fn in_keyring(choice: SecretsChoice, home: &Home) -> bool {
    let in_file = || home.token().exists() || home.extension_token().exists();
    match choice {
        SecretsChoice::File => false,
        SecretsChoice::Keyring => true,
        SecretsChoice::Auto => Mark(home.clone()).is_set() && !in_file(),
    }
}

/// What is to be known of the stores of a state directory.
#[derive(Debug)]
pub struct Inspection {
    /// Whether the tokens are in the keyring.
    pub in_keyring: bool,
    /// Whether the keyring can be used; `None` where it is not to be asked.
    pub keyring: Option<Result<(), Trouble>>,
}

/// Looks at the stores, without changing anything.
pub fn inspect(choice: SecretsChoice, home: &Home) -> Inspection {
    let keyring = match choice {
        SecretsChoice::File => None,
        SecretsChoice::Keyring | SecretsChoice::Auto => Some(KeyringStore::new(home).probe()),
    };
    Inspection { in_keyring: in_keyring(choice, home), keyring }
}

/// Removes what a killed daemon left of its token in memory.
pub fn remove_copy(home: &Home) {
    RuntimeCopy::of(home).remove();
}

/// The keyring where it can be used, else files.
struct Auto {
    file: FileStore,
    keyring: KeyringStore,
    mark: Mark,
    used: Mutex<Used>,
    /// Held while something is stored or moved, which may take as long as the keyring's deadline.
    work: Mutex<()>,
}

#[derive(Clone, Default)]
enum Used {
    /// Files, as long as the keyring has not been asked.
    #[default]
    Unsettled,
    /// Files, for this reason.
    Files(String),
    Keyring,
}

impl Auto {
    fn used(&self) -> MutexGuard<'_, Used> {
        self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn store(&self) -> &dyn SecretStore {
        match *self.used() {
            Used::Keyring => &self.keyring,
            Used::Unsettled | Used::Files(_) => &self.file,
        }
    }

    /// Goes on with files, and says why.
    fn fall_back(&self, reason: &Error) {
        let reason = reason.to_string();
        tracing::warn!(event = "keyring_not_used", problem = reason);
        *self.used() = Used::Files(reason);
    }

    fn working(&self) -> MutexGuard<'_, ()> {
        self.work.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads from the keyring if that is used, and from a file where it fails.
    fn get<T>(&self, get: impl Fn(&dyn SecretStore) -> Result<T, Error>) -> Result<T, Error> {
        match get(self.store()) {
            Err(error @ Error::Keyring(_)) => {
                self.fall_back(&error);
                get(&self.file)
            }
            found => found,
        }
    }

    /// Stores in the keyring if that is used, and in a file where it fails.
    fn set(&self, set: impl Fn(&dyn SecretStore) -> Result<(), Error>) -> Result<(), Error> {
        let _working = self.working();
        match set(self.store()) {
            Err(error @ Error::Keyring(_)) => {
                self.fall_back(&error);
                set(&self.file)
            }
            done => done,
        }
    }
}

impl SecretStore for Auto {
    fn name(&self) -> &'static str {
        self.store().name()
    }

    fn reason(&self) -> Option<String> {
        match &*self.used() {
            Used::Files(reason) => Some(reason.clone()),
            Used::Unsettled | Used::Keyring => None,
        }
    }

    fn daemon_token(&self) -> Result<Option<Secret>, Error> {
        match self.get(|store| store.daemon_token())? {
            // Another process may have moved it there meanwhile.
            None if matches!(*self.used(), Used::Unsettled) && self.mark.is_set() => {
                Ok(self.keyring.daemon_token().unwrap_or_default())
            }
            found => Ok(found),
        }
    }

    fn set_daemon_token(&self, token: &Secret) -> Result<(), Error> {
        self.set(|store| store.set_daemon_token(token))
    }

    fn remove_daemon_token(&self) -> Result<(), Error> {
        let _working = self.working();
        self.store().remove_daemon_token()
    }

    fn extension(&self) -> Result<Option<ExtensionCredential>, Error> {
        self.get(|store| store.extension())
    }

    fn set_extension(&self, credential: &ExtensionCredential) -> Result<(), Error> {
        self.set(|store| store.set_extension(credential))
    }

    fn remove_extension(&self) -> Result<(), Error> {
        let _working = self.working();
        self.store().remove_extension()
    }

    fn settle(&self) {
        let _working = self.working();
        if !matches!(*self.used(), Used::Unsettled) {
            return;
        }
        match enter_keyring(&self.file, &self.keyring, &self.mark) {
            Ok(()) => *self.used() = Used::Keyring,
            Err(error) => self.fall_back(&error),
        }
    }

    fn publish(&self, token: &Secret) {
        // A settled store has moved meanwhile what was stored before.
        if matches!(*self.used(), Used::Keyring) {
            self.keyring.publish(token);
        }
    }

    fn withdraw(&self) {
        let _working = self.working();
        self.keyring.withdraw();
    }
}

/// Makes the keyring the one store, with what the files have.
fn enter_keyring(file: &FileStore, keyring: &KeyringStore, mark: &Mark) -> Result<(), Error> {
    // A read shows that the keyring is there and unlocked, before anything is written anywhere.
    keyring.extension()?;
    let (daemon, extension) = (file.daemon_token()?, file.extension()?);
    mark.set()?;
    if let Some(extension) = &extension {
        keyring.set_extension(extension)?;
    }
    if let Some(daemon) = &daemon {
        keyring.set_daemon_token(daemon)?;
        keyring.publish(daemon);
    }
    clear(file)
}

/// Makes the files the one store, with what the keyring has and they do not.
fn leave_keyring(keyring: &KeyringStore, file: &FileStore, mark: &Mark) -> Result<(), Error> {
    if file.extension()?.is_none()
        && let Some(extension) = keyring.extension()?
    {
        file.set_extension(&extension)?;
    }
    if file.daemon_token()?.is_none()
        && let Some(daemon) = keyring.daemon_token()?
    {
        file.set_daemon_token(&daemon)?;
    }
    clear(keyring)?;
    mark.remove()
}

fn clear(store: &dyn SecretStore) -> Result<(), Error> {
    store.remove_extension()?;
    store.remove_daemon_token()
}

/// The sign that the keyring has tokens of a state directory.
struct Mark(Home);

impl Mark {
    fn path(&self) -> std::path::PathBuf {
        self.0.path().join("secret-store")
    }

    fn is_set(&self) -> bool {
        self.path().exists()
    }

    fn set(&self) -> Result<(), Error> {
        Ok(self.0.write_lasting_secret(&self.path(), b"keyring\n")?)
    }

    fn remove(&self) -> Result<(), Error> {
        Ok(self.0.remove(&self.path())?)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::super::keyring::Items;
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
            let items = Box::new(self.keyring.clone());
            open_with(choice, &self.home, KeyringStore::with(items, &self.home))
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
    fn forgetting_removes_the_tokens_in_files() {
        let place = Place::new();
        let store = place.open(SecretsChoice::File).unwrap();
        store.set_extension(&credential()).unwrap();
        store.set_daemon_token(&Secret::random_hex()).unwrap();
        forget(&place.home).unwrap();
        assert_eq!(place.files(), 0);
    }
}
