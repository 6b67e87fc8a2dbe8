//! Tokens in the keyring of the desktop: the Secret Service on Linux, the Keychain on macOS.
//!
//! Each token is one item: service `bproxy`, account `daemon-token` or `extension-token`, and for any state directory
//! but the default one `@` and its path after that. Every call has a deadline, and none ever asks the person anything:
//! a locked keyring is a reason to do without it.

mod desktop;

use std::path::Path;
use std::time::Duration;

use super::{Error, ExtensionCredential, Secret, SecretStore, record, runtime::RuntimeCopy};
use crate::config;
use crate::home::Home;

/// The service that every item belongs to.
const SERVICE: &str = "bproxy";

/// How long a keyring may take to answer. It takes some milliseconds; one that has to be started first, a second.
const WAIT: Duration = Duration::from_secs(2);

/// Why the keyring cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    /// Nothing to reach one through.
    #[error("there is no D-Bus session through which a keyring could be reached")]
    NoSession,
    /// Nobody answers, or not as a keyring does.
    #[error("no keyring can be reached: {0}")]
    Unreachable(String),
    /// It answers, and does not do what it is asked.
    #[error("the keyring fails: {0}")]
    Failed(String),
    /// There is a service, but no keyring in it.
    #[error("there is no default keyring: create one in your desktop's password manager")]
    NoDefault,
    /// The person has not unlocked it.
    #[error("the keyring is locked: unlock it in your desktop's password manager")]
    Locked,
    /// The deadline has passed.
    #[error("the keyring did not answer within {} seconds", WAIT.as_secs())]
    Slow,
}

/// A keyring's items, by account. Calls block, no longer than [`WAIT`].
pub(super) trait Items: Send + Sync {
    /// The secret of an item; `None` where there is no such item.
    fn get(&self, account: &str) -> Result<Option<Vec<u8>>, Trouble>;
    /// Makes or replaces an item.
    fn set(&self, account: &str, secret: &[u8]) -> Result<(), Trouble>;
    /// Removes an item, if it is there.
    fn remove(&self, account: &str) -> Result<(), Trouble>;
}

/// Keeps the tokens of one state directory in the keyring.
pub(super) struct KeyringStore {
    items: Box<dyn Items>,
    daemon: String,
    extension: String,
    copy: RuntimeCopy,
}

impl KeyringStore {
    /// The desktop's keyring. Nothing is asked of it yet.
    pub(super) fn new(home: &Home) -> KeyringStore {
        KeyringStore::with(Box::new(desktop::Keyring), home)
    }

    /// The same with other items, for tests.
    pub(super) fn with(items: Box<dyn Items>, home: &Home) -> KeyringStore {
        let suffix = suffix(&home.real_path(), config::default_home().as_deref());
        KeyringStore {
            items,
            daemon: format!("daemon-token{suffix}"),
            extension: format!("extension-token{suffix}"),
            copy: RuntimeCopy::of(home),
        }
    }

    /// Where the daemon's token is, and the extension's.
    pub(super) fn places(&self) -> (String, String) {
        (KeyringStore::place(&self.daemon), KeyringStore::place(&self.extension))
    }

    /// Whether the keyring answers and is unlocked.
    pub(super) fn probe(&self) -> Result<(), Trouble> {
        self.items.get(&self.extension).map(|_| ())
    }

    fn place(account: &str) -> String {
        format!("the keyring (service {SERVICE}, account {account})")
    }
}

/// What tells the items of one state directory, given without links, from another's: nothing for the default one.
fn suffix(home: &Path, default: Option<&Path>) -> String {
    // One that is not there yet has no links either.
    let is_default = |default: &Path| default.canonicalize().as_deref().unwrap_or(default) == home;
    if default.is_some_and(is_default) { String::new() } else { format!("@{}", home.display()) }
}

impl SecretStore for KeyringStore {
    fn name(&self) -> &'static str {
        "keyring"
    }

    fn daemon_token(&self) -> Result<Option<Secret>, Error> {
        let bytes = self.items.get(&self.daemon)?;
        bytes
            .map(|bytes| record::daemon_token(bytes, &KeyringStore::place(&self.daemon)))
            .transpose()
    }

    fn set_daemon_token(&self, token: &Secret) -> Result<(), Error> {
        Ok(self.items.set(&self.daemon, token.expose().as_bytes())?)
    }

    fn remove_daemon_token(&self) -> Result<(), Error> {
        Ok(self.items.remove(&self.daemon)?)
    }

    fn extension(&self) -> Result<Option<ExtensionCredential>, Error> {
        let bytes = self.items.get(&self.extension)?;
        bytes
            .map(|bytes| record::extension(bytes, &KeyringStore::place(&self.extension)))
            .transpose()
    }

    fn set_extension(&self, credential: &ExtensionCredential) -> Result<(), Error> {
        let record = record::of_extension(credential);
        Ok(self.items.set(&self.extension, record.expose().as_bytes())?)
    }

    fn remove_extension(&self) -> Result<(), Error> {
        Ok(self.items.remove(&self.extension)?)
    }

    fn publish(&self, token: &Secret) {
        self.copy.write(token);
    }

    fn withdraw(&self) {
        self.copy.remove();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_default_home_has_plain_accounts() {
        let default = tempfile::tempdir().unwrap();
        let other = tempfile::tempdir().unwrap();
        let link = other.path().join("link");
        std::os::unix::fs::symlink(default.path(), &link).unwrap();
        let (default, other) = (default.path().canonicalize().unwrap(), other.path());
        assert_eq!(suffix(&default, Some(&default)), "");
        assert_eq!(suffix(&default, Some(&link)), "");
        assert!(suffix(other, Some(&default)).starts_with("@/"));
        let absent = other.join("absent");
        assert_eq!(suffix(&absent, Some(&absent)), "");
        assert!(suffix(other, None).starts_with("@/"));
    }
}
