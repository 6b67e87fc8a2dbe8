//! Tokens: the type that keeps them to itself, and the places where they are stored.
//!
//! Which store is asked for is the configuration's business; what a token admits to is the daemon's.

mod auto;
mod client;
mod file;
mod keyring;
mod locations;
mod lock;
mod migration;
mod record;
mod runtime;
mod selection;

pub use client::{client_token, ensure_client_token, ensure_token};
pub use file::FileStore;
pub use keyring::Trouble;
pub use locations::{Inspection, Places, inspect, places};
pub use selection::{forget, open, remove_copy, rotate};

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
    /// Takes over a token's text.
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

    /// The text, for the one place that stores or sends it.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    /// Writes the text into the one file or message that is made for it: for `#[serde(serialize_with)]`.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn serialize_exposed<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.expose())
    }

    /// Whether `given` is this token, found out in a time that depends on the lengths alone.
    pub fn matches(&self, given: &[u8]) -> bool {
        self.expose().as_bytes().ct_eq(given).into()
    }
}

fn random() -> Zeroizing<[u8; TOKEN_BYTES]> {
    let mut bytes = Zeroizing::new([0; TOKEN_BYTES]);
    rand::fill(&mut bytes[..]);
    bytes
}

/// The extension's token with the Origin that claimed it.
///
/// Stored as one record: the token, and on a second line the Origin, if known. A token stored without one is bound to
/// the first Origin that connects with it.
#[derive(Clone)]
pub struct ExtensionCredential {
    /// What the extension shows when it connects.
    pub token: Secret,
    /// `chrome-extension://…`, once known.
    pub origin: Option<String>,
}

/// Why a store did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The keyring.
    #[error(transparent)]
    Keyring(#[from] Trouble),
    /// The file store's directory or file.
    #[error(transparent)]
    Home(#[from] home::Error),
    /// Another process is at the tokens, or the state directory cannot be locked.
    #[error("cannot lock the state directory: {0}; try again")]
    Turn(#[source] io::Error),
    /// What is stored is no token.
    #[error("the {what} stored in {place} is damaged: remove it{then}")]
    Damaged {
        /// Which token.
        what: &'static str,
        /// Where it is stored.
        place: String,
        /// What else the person has to do.
        then: &'static str,
    },
}

/// Where tokens are kept. Calls block, each no longer than its store's own deadline.
pub trait SecretStore: Send + Sync {
    /// `file` or `keyring`.
    fn name(&self) -> &'static str;

    /// Why the tokens are not in the keyring, where that is preferred.
    fn reason(&self) -> Option<String> {
        None
    }

    /// Moves to the store that is preferred, if that has been put off. For a daemon that is ready.
    fn settle(&self) {}

    /// Makes the token of a running daemon quick to find for its clients, where reading the store takes long.
    fn publish(&self, _token: &Secret) {}

    /// Takes back what [`SecretStore::publish`] did.
    fn withdraw(&self) {}

    /// The token that clients show; `None` where there is none.
    ///
    /// # Errors
    /// When the store cannot be read, or must not be trusted.
    fn daemon_token(&self) -> Result<Option<Secret>, Error>;

    /// Stores the token that clients show.
    ///
    /// # Errors
    /// When the store cannot be written; the old token is then untouched.
    fn set_daemon_token(&self, token: &Secret) -> Result<(), Error>;

    /// Removes the token that clients show, if there is one.
    ///
    /// # Errors
    /// When it is there and cannot be removed.
    fn remove_daemon_token(&self) -> Result<(), Error>;

    /// What the extension connects with; `None` where nothing is paired.
    ///
    /// # Errors
    /// When the store cannot be read, or must not be trusted.
    fn extension(&self) -> Result<Option<ExtensionCredential>, Error>;

    /// Stores what the extension connects with.
    ///
    /// # Errors
    /// When the store cannot be written; the old credential is then untouched.
    fn set_extension(&self, credential: &ExtensionCredential) -> Result<(), Error>;

    /// Removes what the extension connects with, if there is any.
    ///
    /// # Errors
    /// When it is there and cannot be removed.
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
