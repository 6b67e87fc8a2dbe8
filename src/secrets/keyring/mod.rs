//! The store that keeps tokens in the desktop's keyring: the Secret Service on Linux, the Keychain on macOS.
//!
//! Each token is one item: service `bproxy`, account `daemon-token` or `extension-token`, with `@` and the path appended
//! for any state directory but the default one. Every call has a deadline, and none ever prompts the user: a locked
//! keyring is treated as unavailable.

mod desktop;

use std::path::Path;
use std::time::Duration;

use super::{Error, ExtensionCredential, Secret, SecretStore, record, runtime::RuntimeCopy};
use crate::config;
use crate::home::Home;

/// The service name of every item.
const SERVICE: &str = "bproxy";

/// How long a keyring may take to answer. It normally takes a few milliseconds, or about a second if it has to be
/// started first.
const WAIT: Duration = Duration::from_secs(2);

/// Why the keyring cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyringError {
    /// There is no D-Bus session.
    #[error("there is no D-Bus session to reach a keyring through")]
    NoSession,
    /// No service answers, or what answers is not a keyring.
    #[error("no keyring can be reached: {0}")]
    Unreachable(String),
    /// The keyring answers with an error.
    #[error("the keyring returned an error: {0}")]
    Failed(String),
    /// The service has no default keyring.
    #[error("there is no default keyring: create one in your desktop's password manager")]
    NoDefault,
    /// The user has not unlocked the keyring.
    #[error("the keyring is locked: unlock it in your desktop's password manager")]
    Locked,
    /// The deadline has passed.
    #[error("the keyring did not answer within {} seconds", WAIT.as_secs())]
    TimedOut,
}

/// A keyring's items, by account. Calls block, no longer than [`WAIT`].
pub(super) trait Items: Send + Sync {
    /// The secret of an item; `None` if there is no such item.
    fn get(&self, account: &str) -> Result<Option<Vec<u8>>, KeyringError>;
    /// Creates or replaces an item.
    fn set(&self, account: &str, secret: &[u8]) -> Result<(), KeyringError>;
    /// Removes an item, if it exists.
    fn remove(&self, account: &str) -> Result<(), KeyringError>;
}

/// Keeps the tokens of one state directory in the keyring.
pub(super) struct KeyringStore {
    items: Box<dyn Items>,
    daemon_account: String,
    extension_account: String,
    runtime_copy: RuntimeCopy,
}

impl KeyringStore {
    /// The desktop's keyring. Does not access it yet.
    pub(super) fn new(home: &Home) -> KeyringStore {
        KeyringStore::with_items(Box::new(desktop::Keyring), home)
    }

    /// A store with the given items, for tests.
    pub(super) fn with_items(items: Box<dyn Items>, home: &Home) -> KeyringStore {
        let suffix = account_suffix(&home.real_path(), config::default_home().as_deref());
        KeyringStore {
            items,
            daemon_account: format!("daemon-token{suffix}"),
            extension_account: format!("extension-token{suffix}"),
            runtime_copy: RuntimeCopy::of(home),
        }
    }

    /// Where the daemon's token is stored, and the extension's.
    pub(super) fn locations(&self) -> (String, String) {
        (location(&self.daemon_account), location(&self.extension_account))
    }

    /// Checks that the keyring answers and is unlocked.
    pub(super) fn probe(&self) -> Result<(), KeyringError> {
        self.items.get(&self.extension_account).map(|_| ())
    }
}

fn location(account: &str) -> String {
    format!("the keyring (service {SERVICE}, account {account})")
}

/// The suffix of the account names that belong to the state directory `home`, a path without symlinks: empty for the
/// default one.
fn account_suffix(home: &Path, default: Option<&Path>) -> String {
    // A default directory that does not exist yet cannot be a symlink either.
    let is_default = |default: &Path| default.canonicalize().as_deref().unwrap_or(default) == home;
    if default.is_some_and(is_default) { String::new() } else { format!("@{}", home.display()) }
}

impl SecretStore for KeyringStore {
    fn name(&self) -> &'static str {
        "keyring"
    }

    fn daemon_token(&self) -> Result<Option<Secret>, Error> {
        let account = &self.daemon_account;
        let bytes = self.items.get(account)?;
        bytes.map(|bytes| record::parse_daemon_token(bytes, &location(account))).transpose()
    }

    fn set_daemon_token(&self, token: &Secret) -> Result<(), Error> {
        Ok(self.items.set(&self.daemon_account, token.expose().as_bytes())?)
    }

    fn remove_daemon_token(&self) -> Result<(), Error> {
        Ok(self.items.remove(&self.daemon_account)?)
    }

    fn extension(&self) -> Result<Option<ExtensionCredential>, Error> {
        let account = &self.extension_account;
        let bytes = self.items.get(account)?;
        bytes.map(|bytes| record::parse_extension(bytes, &location(account))).transpose()
    }

    fn set_extension(&self, credential: &ExtensionCredential) -> Result<(), Error> {
        let record = record::format_extension(credential);
        Ok(self.items.set(&self.extension_account, record.expose().as_bytes())?)
    }

    fn remove_extension(&self) -> Result<(), Error> {
        Ok(self.items.remove(&self.extension_account)?)
    }

    fn write_runtime_copy(&self, token: &Secret) {
        self.runtime_copy.write(token);
    }

    fn remove_runtime_copy(&self) {
        self.runtime_copy.remove();
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
        assert_eq!(account_suffix(&default, Some(&default)), "");
        assert_eq!(account_suffix(&default, Some(&link)), "");
        assert!(account_suffix(other, Some(&default)).starts_with("@/"));
        let absent = other.join("absent");
        assert_eq!(account_suffix(&absent, Some(&absent)), "");
        assert!(account_suffix(other, None).starts_with("@/"));
    }
}
