//! The Keychain, which asks its person through windows unless it is told not to.

use security_framework::os::macos::keychain::SecKeychain;

use super::Trouble;

/// Does something with an item while windows are kept away.
pub(super) fn quietly<T>(
    _account: &str,
    work: impl FnOnce() -> Result<T, Trouble>,
) -> Result<T, Trouble> {
    let _quiet = SecKeychain::disable_user_interaction()
        .map_err(|error| Trouble::Unreachable(error.to_string()))?;
    work()
}

/// The Keychain needs no connection.
pub(super) fn reconnect() -> keyring::Result<()> {
    Ok(())
}
