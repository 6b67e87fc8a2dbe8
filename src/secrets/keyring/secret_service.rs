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

use super::{SERVICE, Trouble, WAIT};

/// Makes sure that the keyring answers, and has nothing to ask before it works on an item.
pub(super) fn quiet(account: &str) -> Result<(), Trouble> {
    if !has_session() {
        return Err(Trouble::NoSession);
    }
    async_io::block_on(async {
        match select(pin!(look(account)), Timer::after(WAIT)).await {
            Either::Left((found, _)) => found,
            Either::Right(_) => Err(Trouble::Slow),
        }
    })
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
