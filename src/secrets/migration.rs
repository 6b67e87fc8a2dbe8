//! The tokens' move from one store to another: first they are in the new one, then they leave the old one.
//!
//! The file `secret-store` in the state directory says that the keyring has tokens of it. It is the reason why nothing
//! has to be asked of a keyring that was never used.

use super::keyring::KeyringStore;
use super::lock::Turn;
use super::{Error, FileStore, SecretStore};
use crate::home::Home;

/// Makes the keyring the one store, with what the files have.
pub(super) fn enter_keyring(
    file: &FileStore,
    keyring: &KeyringStore,
    mark: &Mark,
) -> Result<(), Error> {
    // Shows that the keyring is there and unlocked, before anything is written or anybody has to wait.
    keyring.probe()?;
    let _turn = Turn::take(&mark.0)?;
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
pub(super) fn leave_keyring(
    keyring: &KeyringStore,
    file: &FileStore,
    mark: &Mark,
) -> Result<(), Error> {
    keyring.probe()?;
    let _turn = Turn::take(&mark.0)?;
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

/// Empties a store.
pub(super) fn clear(store: &dyn SecretStore) -> Result<(), Error> {
    store.remove_extension()?;
    store.remove_daemon_token()
}

/// The sign that the keyring has tokens of a state directory.
pub(super) struct Mark(pub(super) Home);

impl Mark {
    fn path(&self) -> std::path::PathBuf {
        self.0.path().join("secret-store")
    }

    pub(super) fn is_set(&self) -> bool {
        self.path().exists()
    }

    pub(super) fn set(&self) -> Result<(), Error> {
        Ok(self.0.write_lasting_secret(&self.path(), b"keyring\n")?)
    }

    pub(super) fn remove(&self) -> Result<(), Error> {
        Ok(self.0.remove(&self.path())?)
    }
}
