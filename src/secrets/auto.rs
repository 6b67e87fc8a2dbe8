//! The keyring where it can be used, else files: decided once, and again where the keyring fails.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::keyring::KeyringStore;
use super::migration::{self, Mark};
use super::{Error, ExtensionCredential, FileStore, Secret, SecretStore};

/// The keyring where it can be used, else files.
pub(super) struct Auto {
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
    /// Begins with files. The keyring is asked by [`SecretStore::settle`].
    pub(super) fn new(file: FileStore, keyring: KeyringStore, mark: Mark) -> Auto {
        Auto { file, keyring, mark, used: Mutex::default(), work: Mutex::default() }
    }

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
        self.get(|store| store.daemon_token())
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
        match migration::enter_keyring(&self.file, &self.keyring, &self.mark) {
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
