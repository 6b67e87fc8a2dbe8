//! Tokens: the type that protects them, and the stores that keep them (files and the keyring).
//!
//! `config` says which store to use; the daemon decides what a token permits.

mod all_stores;
mod auto;
mod client;
#[cfg(test)]
mod fake_keyring;
mod file;
mod keyring;
mod locations;
mod migration;
mod record;
mod runtime;
mod selection;

pub use all_stores::{remove_all, remove_runtime_copy, rotate};
pub use client::{client_token, ensure_client_token, ensure_token};
pub use file::FileStore;
pub use keyring::KeyringError;
pub use locations::{Inspection, TokenLocations, inspect, token_locations};
pub(crate) use runtime::directory as runtime_directory;
pub use selection::open;

use std::io;

use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret, SecretString};
use serde::Serializer;
use subtle::ConstantTimeEq;

use crate::home;

const TOKEN_BYTES: usize = 32;

/// A token or a code: no `Debug`, no `Display`, wiped on drop, compared in constant time.
#[derive(Clone)]
pub struct Secret(SecretString);

impl Secret {
    /// Wraps a token's text.
    pub fn new(text: String) -> Secret {
        Secret(text.into())
    }

    /// A daemon token: 32 bytes from a cryptographic generator, in hexadecimal.
    pub fn random_hex() -> Secret {
        Secret::new(HEXLOWER.encode(&*random()))
    }

    /// An extension token: 32 bytes from a cryptographic generator, in base64url without padding.
    pub fn random_base64url() -> Secret {
        Secret::new(BASE64URL_NOPAD.encode(&*random()))
    }

    /// The plain text. Call it only where the token is stored or sent.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    /// Serializes the plain text, for `#[serde(serialize_with)]` on the few messages that carry a token.
    ///
    /// # Errors
    /// When the serializer fails.
    pub fn serialize_exposed<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.expose())
    }

    /// Whether `given` equals this token. The time this takes depends on the lengths alone.
    pub fn matches(&self, given: &[u8]) -> bool {
        self.expose().as_bytes().ct_eq(given).into()
    }
}

fn random() -> Zeroizing<[u8; TOKEN_BYTES]> {
    let mut bytes = Zeroizing::new([0; TOKEN_BYTES]);
    rand::fill(&mut bytes[..]);
    bytes
}

/// The extension's token and the Origin that claimed it. A token without an Origin is bound to the first one that
/// proves to know it.
#[derive(Clone)]
pub struct ExtensionCredential {
    /// The token that daemon and extension prove to each other to know.
    pub token: Secret,
    /// `chrome-extension://…`, once known.
    pub origin: Option<String>,
}

/// Why a token could not be read, written or removed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The keyring failed.
    #[error(transparent)]
    Keyring(#[from] KeyringError),
    /// The state directory, or the token's file in it, cannot be used.
    #[error(transparent)]
    Home(#[from] home::Error),
    /// Another process holds the lock for too long, or the state directory cannot be locked.
    #[error("cannot lock the state directory: {0}; try again")]
    Lock(#[source] io::Error),
    /// The stored text is not a token.
    #[error("the {token} stored in {location} is damaged: remove it{next_step}")]
    Damaged {
        /// Which token.
        token: &'static str,
        /// Where it is stored.
        location: String,
        /// What the person has to do after removing it, as the end of the sentence.
        next_step: &'static str,
    },
}

/// A store for both tokens. Calls block, each no longer than the store's own deadline.
pub trait SecretStore: Send + Sync {
    /// `file` or `keyring`.
    fn name(&self) -> &'static str;

    /// Why the tokens are in files although the keyring is preferred; `None` if they are where they should be.
    fn reason(&self) -> Option<String> {
        None
    }

    /// Why a pairing that may be in the keyring cannot be read, and what to do; `None` if there can be none.
    fn unreadable(&self) -> Option<String> {
        None
    }

    /// Moves the tokens to the preferred store, if that is still to be done; may be called again after a failure. For a
    /// daemon that is ready, because it may wait for the keyring.
    fn migrate(&self) {}

    /// Copies the running daemon's token to where clients read it quickly, if reading the store is slow.
    fn write_runtime_copy(&self, _token: &Secret) {}

    /// Removes the copy that [`SecretStore::write_runtime_copy`] wrote.
    fn remove_runtime_copy(&self) {}

    /// The token that clients send to the daemon; `None` if there is none.
    ///
    /// # Errors
    /// When the store cannot be read, or must not be trusted.
    fn daemon_token(&self) -> Result<Option<Secret>, Error>;

    /// Stores the daemon token.
    ///
    /// # Errors
    /// When the store cannot be written; the old token is then unchanged.
    fn set_daemon_token(&self, token: &Secret) -> Result<(), Error>;

    /// Removes the daemon token, if there is one.
    ///
    /// # Errors
    /// When it exists and cannot be removed.
    fn remove_daemon_token(&self) -> Result<(), Error>;

    /// The extension's credential; `None` if no extension is paired.
    ///
    /// # Errors
    /// When the store cannot be read, or must not be trusted.
    fn extension(&self) -> Result<Option<ExtensionCredential>, Error>;

    /// Stores the extension's credential.
    ///
    /// # Errors
    /// When the store cannot be written; the old credential is then unchanged.
    fn set_extension(&self, credential: &ExtensionCredential) -> Result<(), Error>;

    /// Removes the extension's credential, if there is one.
    ///
    /// # Errors
    /// When it exists and cannot be removed.
    fn remove_extension(&self) -> Result<(), Error>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_long_and_never_the_same() {
        let hex = Secret::random_hex();
        assert_eq!(hex.expose().len(), 64);
        assert!(!hex.matches(Secret::random_hex().expose().as_bytes()));
        let base64 = Secret::random_base64url();
        assert_eq!(base64.expose().len(), 43);
        assert!(!base64.expose().contains(['+', '/', '=']));
    }

    #[test]
    fn a_token_matches_itself_alone() {
        let token = Secret::new("abc".into());
        assert!(token.matches(b"abc"));
        for other in [&b""[..], b"ab", b"abd", b"abcd"] {
            assert!(!token.matches(other));
        }
    }
}
