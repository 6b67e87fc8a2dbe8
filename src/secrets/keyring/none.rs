//! No keyring that this program knows.

use super::{Items, Trouble};

/// Where a keyring would be.
pub(super) struct Keyring;

impl Items for Keyring {
    fn get(&self, _account: &str) -> Result<Option<Vec<u8>>, Trouble> {
        Err(Trouble::NoSession)
    }

    fn set(&self, _account: &str, _secret: &[u8]) -> Result<(), Trouble> {
        Err(Trouble::NoSession)
    }

    fn remove(&self, _account: &str) -> Result<(), Trouble> {
        Err(Trouble::NoSession)
    }
}
