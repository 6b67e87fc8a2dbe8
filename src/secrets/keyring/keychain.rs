//! The macOS Keychain, which prompts the user in a dialog unless told not to.

use security_framework::os::macos::keychain::SecKeychain;

use super::KeyringError;

/// Runs `operation` with dialogs disabled.
pub(super) fn without_prompt<T>(
    _account: &str,
    operation: impl FnOnce() -> Result<T, KeyringError>,
) -> Result<T, KeyringError> {
    let _guard = SecKeychain::disable_user_interaction()
        .map_err(|error| KeyringError::Unreachable(error.to_string()))?;
    operation()
}

/// Does nothing: the Keychain needs no connection.
pub(super) fn reconnect() -> keyring::Result<()> {
    Ok(())
}
