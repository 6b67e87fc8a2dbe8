//! Where the tokens are, for people who ask. Nothing is changed by that.

use serde::Serialize;

use super::keyring::{KeyringStore, Trouble};
use super::migration::Mark;
use super::runtime::RuntimeCopy;
use crate::config::SecretsChoice;
use crate::home::Home;

/// Where the tokens of a state directory are.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Places {
    store: &'static str,
    daemon_token: String,
    extension_token: String,
    /// The daemon token's copy in memory, while a daemon runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    copy: Option<String>,
}

/// Tells where the tokens are, or would be. Nothing is asked of a keyring.
pub fn places(choice: SecretsChoice, home: &Home) -> Places {
    let copy = RuntimeCopy::of(home).path().map(|path| path.display().to_string());
    if in_keyring(choice, home) {
        let (daemon_token, extension_token) = KeyringStore::new(home).places();
        Places { store: "keyring", daemon_token, extension_token, copy }
    } else {
        let path = |path: std::path::PathBuf| path.display().to_string();
        let (daemon_token, extension_token) = (path(home.token()), path(home.extension_token()));
        Places { store: "file", daemon_token, extension_token, copy }
    }
}

fn in_keyring(choice: SecretsChoice, home: &Home) -> bool {
    let in_file = || home.token().exists() || home.extension_token().exists();
    match choice {
        SecretsChoice::File => false,
        SecretsChoice::Keyring => true,
        SecretsChoice::Auto => Mark(home.clone()).is_set() && !in_file(),
    }
}

/// What is to be known of the stores of a state directory.
#[derive(Debug)]
pub struct Inspection {
    /// Whether the tokens are in the keyring.
    pub in_keyring: bool,
    /// Whether the keyring can be used; `None` where it is not to be asked.
    pub keyring: Option<Result<(), Trouble>>,
}

/// Looks at the stores, without changing anything.
pub fn inspect(choice: SecretsChoice, home: &Home) -> Inspection {
    let keyring = match choice {
        SecretsChoice::File => None,
        SecretsChoice::Keyring | SecretsChoice::Auto => Some(KeyringStore::new(home).probe()),
    };
    Inspection { in_keyring: in_keyring(choice, home), keyring }
}
