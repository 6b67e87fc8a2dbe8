//! Moves tokens from one store to the other: writes them to the new one first, then removes them from the old one.
//!
//! The marker file `secret-store` in the state directory records that the keyring may hold its tokens. Without it, a
//! keyring that was never used need not be accessed.

use super::keyring::KeyringStore;
use super::{Error, FileStore, SecretStore};
use crate::home::{ChangeLock, Home};

/// Moves the tokens from the files into the keyring. A token in a file replaces the one in the keyring, as it is newer.
pub(super) fn move_to_keyring(
    file: &FileStore,
    keyring: &KeyringStore,
    marker: &KeyringMarker,
) -> Result<(), Error> {
    // Fails early if the keyring is absent or locked, before writing anything or taking the lock.
    keyring.probe()?;
    let _lock = ChangeLock::acquire(&marker.0).map_err(Error::Lock)?;
    let (daemon, extension) = (file.daemon_token()?, file.extension()?);
    marker.create()?;
    if let Some(extension) = &extension {
        keyring.set_extension(extension)?;
    }
    if let Some(daemon) = &daemon {
        keyring.set_daemon_token(daemon)?;
        keyring.write_runtime_copy(daemon);
    }
    clear(file)
}

/// Moves the tokens from the keyring into files. A token that is already in a file stays, as it is newer.
pub(super) fn move_to_files(
    keyring: &KeyringStore,
    file: &FileStore,
    marker: &KeyringMarker,
) -> Result<(), Error> {
    keyring.probe()?;
    let _lock = ChangeLock::acquire(&marker.0).map_err(Error::Lock)?;
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
    marker.remove()
}

/// Removes both tokens from a store.
pub(super) fn clear(store: &dyn SecretStore) -> Result<(), Error> {
    store.remove_extension()?;
    store.remove_daemon_token()
}

/// The marker file that says the keyring may hold tokens of a state directory.
pub(super) struct KeyringMarker(pub(super) Home);

impl KeyringMarker {
    fn path(&self) -> std::path::PathBuf {
        self.0.path().join("secret-store")
    }

    pub(super) fn exists(&self) -> bool {
        self.path().exists()
    }

    pub(super) fn create(&self) -> Result<(), Error> {
        Ok(self.0.write_durable_secret(&self.path(), b"keyring\n")?)
    }

    pub(super) fn remove(&self) -> Result<(), Error> {
        Ok(self.0.remove(&self.path())?)
    }
}
