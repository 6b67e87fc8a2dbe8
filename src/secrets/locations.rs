//! Where the tokens of a state directory are stored, for display and diagnosis. Changes nothing.

use serde::Serialize;

use super::keyring::{KeyringError, KeyringStore};
use super::migration::KeyringMarker;
use super::runtime::RuntimeCopy;
use crate::config::SecretsChoice;
use crate::home::Home;

/// Where the tokens of a state directory are stored.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TokenLocations {
    store: &'static str,
    daemon_token: String,
    extension_token: String,
    /// The daemon token's copy in the runtime directory, while a daemon runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    copy: Option<String>,
}

/// Where the tokens are stored, or will be. Does not access the keyring.
pub fn token_locations(choice: SecretsChoice, home: &Home) -> TokenLocations {
    let copy = RuntimeCopy::of(home).path().map(|path| path.display().to_string());
    if in_keyring(choice, home) {
        let (daemon_token, extension_token) = KeyringStore::new(home).locations();
        TokenLocations { store: "keyring", daemon_token, extension_token, copy }
    } else {
        let path = |path: std::path::PathBuf| path.display().to_string();
        let (daemon_token, extension_token) = (path(home.token()), path(home.extension_token()));
        TokenLocations { store: "file", daemon_token, extension_token, copy }
    }
}

fn in_keyring(choice: SecretsChoice, home: &Home) -> bool {
    let in_file = || home.token().exists() || home.extension_token().exists();
    match choice {
        SecretsChoice::File => false,
        SecretsChoice::Keyring => true,
        SecretsChoice::Auto => KeyringMarker(home.clone()).exists() && !in_file(),
    }
}

/// The state of a state directory's stores.
#[derive(Debug)]
pub struct Inspection {
    /// Whether the tokens are in the keyring.
    pub in_keyring: bool,
    /// Whether one of them, such as the pairing, may be there although another is in a file.
    pub may_be_in_keyring: bool,
    /// Whether the keyring works; `None` if the configuration does not use it.
    pub keyring: Option<Result<(), KeyringError>>,
}

/// Inspects the stores, without changing anything.
pub fn inspect(choice: SecretsChoice, home: &Home) -> Inspection {
    let keyring = match choice {
        SecretsChoice::File => None,
        SecretsChoice::Keyring | SecretsChoice::Auto => Some(KeyringStore::new(home).probe()),
    };
    let is_paired_in_file = home.extension_token().exists();
    let may_be_in_keyring = KeyringMarker(home.clone()).exists() && !is_paired_in_file;
    Inspection { in_keyring: in_keyring(choice, home), may_be_in_keyring, keyring }
}
