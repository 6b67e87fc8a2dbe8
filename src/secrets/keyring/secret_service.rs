//! The Secret Service over the session's D-Bus: GNOME Keyring, KWallet, KeePassXC.
//!
//! The crate `keyring` opens a window for a keyring that is locked. So it is asked first whether it is, over a connection
//! of its own with a deadline: one that hangs is found out here, and leaves nothing behind.

use std::collections::HashMap;
use std::path::Path;
use std::pin::pin;

use async_io::Timer;
use futures_util::future::{Either, select};
use secret_service::{EncryptionType, Error, SecretService};
use zbus_secret_service_keyring_store::Store;

use super::{SERVICE, Trouble, WAIT};

/// Does something with an item if the keyring answers, and has nothing to ask before.
pub(super) fn quietly<T>(
    account: &str,
    work: impl FnOnce() -> Result<T, Trouble>,
) -> Result<T, Trouble> {
    if !has_session() {
        return Err(Trouble::NoSession);
    }
    async_io::block_on(async {
        match select(pin!(look(account)), Timer::after(WAIT)).await {
            Either::Left((found, _)) => found,
            Either::Right(_) => Err(Trouble::Slow),
        }
    })?;
    work()
}

async fn look(account: &str) -> Result<(), Trouble> {
    // No secret travels here.
    let service = SecretService::connect(EncryptionType::Plain).await?;
    let collection = match service.get_default_collection().await {
        Err(Error::NoResult) => return Err(Trouble::NoDefault),
        other => other?,
    };
    collection.ensure_unlocked().await?;
    // An item of the same name in another keyring counts too.
    let attributes = HashMap::from([("service", SERVICE), ("username", account)]);
    let found = service.search_items(attributes).await?;
    if found.locked.is_empty() { Ok(()) } else { Err(Trouble::Locked) }
}

/// Has the crate use another connection from now on.
pub(super) fn reconnect() -> keyring::Result<()> {
    keyring_core::set_default_store(Store::new()?);
    Ok(())
}

/// Whether there is a bus to ask: what costs nothing is looked at first.
fn has_session() -> bool {
    let set = |name| std::env::var_os(name).filter(|value| !value.is_empty());
    set("DBUS_SESSION_BUS_ADDRESS").is_some()
        || set("XDG_RUNTIME_DIR").is_some_and(|dir| Path::new(&dir).join("bus").exists())
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Trouble {
        match error {
            Error::Locked => Trouble::Locked,
            error => Trouble::Unreachable(error.to_string()),
        }
    }
}
