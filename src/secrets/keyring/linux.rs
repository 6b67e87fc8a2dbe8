//! The Secret Service over the session's D-Bus: GNOME Keyring, KWallet, KeePassXC.
//!
//! Every call has a connection and an event loop of its own, which end with it: a keyring that hangs or dies in between
//! leaves nothing behind.

use std::collections::HashMap;
use std::path::Path;

use secret_service::{Collection, EncryptionType, Error, Item, SecretService};

use super::{Items, SERVICE, Trouble, WAIT};

/// The default keyring of the session.
pub(super) struct Keyring;

impl Items for Keyring {
    fn get(&self, account: &str) -> Result<Option<Vec<u8>>, Trouble> {
        with_collection(async |collection| match find(collection, account).await? {
            Some(item) => Ok(Some(item.get_secret().await?)),
            None => Ok(None),
        })
    }

    fn set(&self, account: &str, secret: &[u8]) -> Result<(), Trouble> {
        with_collection(async |collection| {
            let label = format!("{SERVICE} {account}");
            let (attributes, kind) = (attributes(account), "text/plain");
            collection.create_item(&label, attributes, secret, true, kind).await?;
            Ok(())
        })
    }

    fn remove(&self, account: &str) -> Result<(), Trouble> {
        with_collection(async |collection| match find(collection, account).await? {
            Some(item) => Ok(item.delete().await?),
            None => Ok(()),
        })
    }
}

/// The names by which libraries and tools of the Secret Service find an item.
fn attributes(account: &str) -> HashMap<&str, &str> {
    HashMap::from([("service", SERVICE), ("username", account)])
}

async fn find<'a>(
    collection: &'a Collection<'_>,
    account: &str,
) -> Result<Option<Item<'a>>, Error> {
    Ok(collection.search_items(attributes(account)).await?.into_iter().next())
}

/// Does something with the default keyring if it is there and unlocked.
fn with_collection<T>(
    work: impl AsyncFnOnce(&Collection<'_>) -> Result<T, Error>,
) -> Result<T, Trouble> {
    if !has_session() {
        return Err(Trouble::NoSession);
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Trouble::Unreachable(error.to_string()))?;
    let done = runtime.block_on(async {
        tokio::time::timeout(WAIT, async {
            let service = SecretService::connect(EncryptionType::Dh).await?;
            let collection = match service.get_default_collection().await {
                Err(Error::NoResult) => return Err(Trouble::NoDefault),
                other => other?,
            };
            // Most things that a locked keyring is asked to do would open a window.
            collection.ensure_unlocked().await?;
            Ok(work(&collection).await?)
        })
        .await
    });
    done.unwrap_or(Err(Trouble::Slow))
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
