//! The Secret Service over the session's D-Bus: GNOME Keyring, KWallet, KeePassXC.
//!
//! The crate `keyring` opens a dialog if the keyring is locked. So this module checks first, over a separate connection
//! with a deadline: a keyring that hangs is detected here, without leaving a thread behind.

use std::collections::HashMap;
use std::pin::pin;

use async_io::Timer;
use futures_util::future::{Either, select};
use secret_service::{EncryptionType, Error, SecretService};
use zbus_secret_service_keyring_store::Store;

use super::{KeyringError, SERVICE, WAIT};
use crate::runtime_dir;

/// Runs `operation` on an item if the keyring answers and needs no prompt.
pub(super) fn without_prompt<T>(
    account: &str,
    operation: impl FnOnce() -> Result<T, KeyringError>,
) -> Result<T, KeyringError> {
    if !has_session() {
        return Err(KeyringError::NoSession);
    }
    async_io::block_on(async {
        match select(pin!(check_unlocked(account)), Timer::after(WAIT)).await {
            Either::Left((result, _)) => result,
            Either::Right(_) => Err(KeyringError::TimedOut),
        }
    })?;
    operation()
}

async fn check_unlocked(account: &str) -> Result<(), KeyringError> {
    // Unencrypted, because this connection carries no secret.
    let service = SecretService::connect(EncryptionType::Plain).await?;
    let collection = match service.get_default_collection().await {
        Err(Error::NoResult) => return Err(KeyringError::NoDefault),
        other => other?,
    };
    collection.ensure_unlocked().await?;
    // The crate also finds items of this name in other keyrings, so those must be unlocked too.
    let attributes = HashMap::from([("service", SERVICE), ("username", account)]);
    let found = service.search_items(attributes).await?;
    if found.locked.is_empty() { Ok(()) } else { Err(KeyringError::Locked) }
}

/// Replaces the connection that the crate keeps.
pub(super) fn reconnect() -> keyring::Result<()> {
    keyring_core::set_default_store(Store::new()?);
    Ok(())
}

/// Whether there is a D-Bus session: a cheap check, so that a machine without one pays for nothing more. The D-Bus library
/// looks in the same places.
fn has_session() -> bool {
    std::env::var_os("DBUS_SESSION_BUS_ADDRESS").is_some_and(|address| !address.is_empty())
        || runtime_dir::user_runtime_dir().is_some_and(|dir| dir.join("bus").exists())
}

impl From<Error> for KeyringError {
    fn from(error: Error) -> KeyringError {
        match error {
            Error::Locked => KeyringError::Locked,
            error => KeyringError::Unreachable(error.to_string()),
        }
    }
}
