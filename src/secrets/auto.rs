//! The store for `BPROXY_SECRETS=auto`: the keyring if it works, else files.
//!
//! It decides when the daemon is ready, falls back to files if the keyring fails, and goes back to the keyring when it is
//! told to try again.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::keyring::KeyringStore;
use super::migration::{self, KeyringMarker};
use super::{Error, ExtensionCredential, FileStore, KeyringError, Secret, SecretStore};

/// The keyring if it works, else files.
pub(super) struct Auto {
    file: FileStore,
    keyring: KeyringStore,
    marker: KeyringMarker,
    backend: Mutex<Backend>,
    /// Held during a write or a migration, which may take as long as the keyring's deadline.
    write_lock: Mutex<()>,
}

/// Which store is in use.
#[derive(Clone, Default)]
enum Backend {
    /// Files, because the keyring has not been tried yet.
    #[default]
    Undecided,
    /// Files, because the keyring failed for this reason.
    Files {
        reason: String,
        /// Whether the keyring may hold a pairing all the same.
        unreadable: bool,
    },
    Keyring,
}

impl Auto {
    /// Starts with files; [`SecretStore::migrate`] tries the keyring.
    pub(super) fn new(file: FileStore, keyring: KeyringStore, marker: KeyringMarker) -> Auto {
        Auto { file, keyring, marker, backend: Mutex::default(), write_lock: Mutex::default() }
    }

    fn backend(&self) -> MutexGuard<'_, Backend> {
        self.backend.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn store(&self) -> &dyn SecretStore {
        match *self.backend() {
            Backend::Keyring => &self.keyring,
            Backend::Undecided | Backend::Files { .. } => &self.file,
        }
    }

    /// Switches to files and logs the reason.
    fn fall_back_to_files(&self, reason: &Error) {
        let is_locked = matches!(reason, Error::Keyring(KeyringError::Locked));
        let unreadable = is_locked || self.marker.exists();
        let reason = reason.to_string();
        // Said once for each reason, however often the keyring is tried.
        if self.reason().as_ref() != Some(&reason) {
            tracing::warn!(event = "keyring_not_used", problem = reason);
        }
        *self.backend() = Backend::Files { reason, unreadable };
    }

    fn lock_writes(&self) -> MutexGuard<'_, ()> {
        self.write_lock.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads from the store in use; if the keyring fails, from files.
    fn get<T>(&self, get: impl Fn(&dyn SecretStore) -> Result<T, Error>) -> Result<T, Error> {
        match get(self.store()) {
            Err(error @ Error::Keyring(_)) => {
                self.fall_back_to_files(&error);
                get(&self.file)
            }
            result => result,
        }
    }

    /// Writes to the store in use; if the keyring fails, to a file.
    fn set(&self, set: impl Fn(&dyn SecretStore) -> Result<(), Error>) -> Result<(), Error> {
        let _guard = self.lock_writes();
        match set(self.store()) {
            Err(error @ Error::Keyring(_)) => {
                self.fall_back_to_files(&error);
                set(&self.file)
            }
            result => result,
        }
    }
}

impl SecretStore for Auto {
    fn name(&self) -> &'static str {
        self.store().name()
    }

    fn reason(&self) -> Option<String> {
        match &*self.backend() {
            Backend::Files { reason, .. } => Some(reason.clone()),
            Backend::Undecided | Backend::Keyring => None,
        }
    }

    fn unreadable(&self) -> Option<String> {
        match &*self.backend() {
            Backend::Files { reason, unreadable: true } => Some(reason.clone()),
            Backend::Files { .. } | Backend::Undecided | Backend::Keyring => None,
        }
    }

    fn daemon_token(&self) -> Result<Option<Secret>, Error> {
        self.get(|store| store.daemon_token())
    }

    fn set_daemon_token(&self, token: &Secret) -> Result<(), Error> {
        self.set(|store| store.set_daemon_token(token))
    }

    fn remove_daemon_token(&self) -> Result<(), Error> {
        let _guard = self.lock_writes();
        self.store().remove_daemon_token()
    }

    fn extension(&self) -> Result<Option<ExtensionCredential>, Error> {
        self.get(|store| store.extension())
    }

    fn set_extension(&self, credential: &ExtensionCredential) -> Result<(), Error> {
        self.set(|store| store.set_extension(credential))
    }

    fn remove_extension(&self) -> Result<(), Error> {
        let _guard = self.lock_writes();
        self.store().remove_extension()
    }

    fn migrate(&self) {
        let _guard = self.lock_writes();
        if matches!(*self.backend(), Backend::Keyring) {
            return;
        }
        match migration::move_to_keyring(&self.file, &self.keyring, &self.marker) {
            Ok(()) => {
                if self.reason().is_some() {
                    tracing::info!(event = "keyring_used");
                }
                *self.backend() = Backend::Keyring;
            }
            Err(error) => self.fall_back_to_files(&error),
        }
    }

    fn write_runtime_copy(&self, token: &Secret) {
        // With files there is nothing to copy, and a later migration writes the copy itself.
        if matches!(*self.backend(), Backend::Keyring) {
            self.keyring.write_runtime_copy(token);
        }
    }

    fn remove_runtime_copy(&self) {
        let _guard = self.lock_writes();
        self.keyring.remove_runtime_copy();
    }
}
