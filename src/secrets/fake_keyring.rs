//! Test support: a keyring in memory, and a state directory that uses it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};

use super::keyring::{Items, KeyringError, KeyringStore};
use super::selection::open_with;
use super::{Error, ExtensionCredential, Secret, SecretStore};
use crate::config::SecretsChoice;
use crate::home::Home;

/// A keyring in memory, shared with the test, which can lock it.
#[derive(Clone, Default)]
pub(super) struct FakeKeyring(Arc<Mutex<Contents>>);

#[derive(Default)]
struct Contents {
    items: HashMap<String, Vec<u8>>,
    locked: bool,
    calls: usize,
}

impl FakeKeyring {
    fn contents(&self) -> Result<MutexGuard<'_, Contents>, KeyringError> {
        let mut contents = self.0.lock().unwrap();
        contents.calls += 1;
        if contents.locked { Err(KeyringError::Locked) } else { Ok(contents) }
    }

    pub(super) fn set_locked(&self, locked: bool) {
        self.0.lock().unwrap().locked = locked;
    }

    pub(super) fn calls(&self) -> usize {
        self.0.lock().unwrap().calls
    }

    pub(super) fn len(&self) -> usize {
        self.0.lock().unwrap().items.len()
    }
}

impl Items for FakeKeyring {
    fn get(&self, account: &str) -> Result<Option<Vec<u8>>, KeyringError> {
        Ok(self.contents()?.items.get(account).cloned())
    }

    fn set(&self, account: &str, secret: &[u8]) -> Result<(), KeyringError> {
        self.contents()?.items.insert(account.to_owned(), secret.to_owned());
        Ok(())
    }

    fn remove(&self, account: &str) -> Result<(), KeyringError> {
        self.contents()?.items.remove(account);
        Ok(())
    }
}

/// A state directory with a keyring of its own.
pub(super) struct TestHome {
    _parent: tempfile::TempDir,
    pub(super) home: Home,
    pub(super) keyring: FakeKeyring,
}

impl TestHome {
    pub(super) fn new() -> TestHome {
        let parent = tempfile::tempdir().unwrap();
        let home = Home::open(&parent.path().join("home")).unwrap();
        TestHome { _parent: parent, home, keyring: FakeKeyring::default() }
    }

    pub(super) fn open(&self, choice: SecretsChoice) -> Result<Arc<dyn SecretStore>, Error> {
        open_with(choice, &self.home, self.keyring_store())
    }

    /// The keyring store, whatever the configuration says.
    pub(super) fn keyring_store(&self) -> KeyringStore {
        KeyringStore::with_items(Box::new(self.keyring.clone()), &self.home)
    }

    /// How many tokens are in files.
    pub(super) fn token_files(&self) -> usize {
        [self.home.token(), self.home.extension_token()].iter().filter(|path| path.exists()).count()
    }
}

pub(super) fn credential() -> ExtensionCredential {
    ExtensionCredential {
        token: Secret::random_base64url(),
        origin: Some("chrome-extension://abcdefghijklmnopabcdefghijklmnop".into()),
    }
}

#[track_caller]
pub(super) fn assert_stored(store: &dyn SecretStore, expected: &ExtensionCredential) {
    let stored = store.extension().unwrap().expect("a pairing");
    assert!(stored.token.matches(expected.token.expose().as_bytes()));
    assert_eq!(stored.origin, expected.origin);
}
