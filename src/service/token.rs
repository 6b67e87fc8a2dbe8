//! The tokens that a daemon starts with.

use std::sync::Arc;

use crate::config::SecretsChoice;
use crate::daemon::Activation;
use crate::home::Home;
use crate::secrets::{self, Error, ExtensionCredential, Secret, SecretStore};

/// A daemon's tokens and their store.
pub(super) struct Tokens {
    /// The store.
    pub(super) secrets: Arc<dyn SecretStore>,
    /// The token that clients send.
    pub(super) daemon_token: Secret,
    /// The extension's credential; `None` if no extension is paired.
    pub(super) extension: Option<ExtensionCredential>,
}

impl Tokens {
    /// Opens the store and reads the tokens. Blocks as long as a keyring may take.
    ///
    /// # Errors
    /// When the store cannot be used, or a token must not be trusted.
    pub(super) fn open(
        choice: SecretsChoice,
        home: &Home,
        activation: Activation,
    ) -> Result<Tokens, Error> {
        let secrets = secrets::open(choice, home)?;
        let extension = secrets.extension()?;
        let daemon_token = daemon_token(home, &*secrets, activation)?;
        Ok(Tokens { secrets, daemon_token, extension })
    }
}

/// A standalone daemon creates a new token at every start. A socket-activated one uses the stored token, which the client
/// whose connection started it has already read.
fn daemon_token(
    home: &Home,
    store: &dyn SecretStore,
    activation: Activation,
) -> Result<Secret, Error> {
    if activation != Activation::Standalone {
        return secrets::ensure_token(home, store);
    }
    match store.daemon_token() {
        // The old token is replaced below, even a damaged one.
        Ok(_) | Err(Error::Damaged { .. }) => {}
        Err(error) => return Err(error),
    }
    let token = Secret::random_hex();
    store.set_daemon_token(&token)?;
    Ok(token)
}
