//! The Keychain, which asks its person through windows unless it is told not to.

use security_framework::os::macos::keychain::{KeychainUserInteractionLock, SecKeychain};

use super::Trouble;

/// Keeps windows away for as long as the result lives.
pub(super) fn quiet(_account: &str) -> Result<KeychainUserInteractionLock, Trouble> {
    SecKeychain::disable_user_interaction().map_err(|error| Trouble::Unreachable(error.to_string()))
}
