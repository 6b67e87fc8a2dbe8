//! The tokens that a daemon starts with.

use std::sync::Arc;

use crate::config::SecretsChoice;
use crate::daemon::Activation;
use crate::home::Home;
use crate::secrets::{self, Error, ExtensionCredential, Secret, SecretStore};

/// What the daemon begins with.
pub(super) struct Tokens {
    /// Where they are kept.
    pub(super) secrets: Arc<dyn SecretStore>,
    /// What clients show.
    pub(super) daemon_token: Secret,
    /// What the extension connects with.
    pub(super) extension: Option<ExtensionCredential>,
}

impl Tokens {
    /// Opens the store and takes them out. Waits as long as a keyring may take.
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

/// A standalone daemon makes a token of its own each time. One that a service manager starts on a first connection goes
/// on with the token that the client of that connection has read.
fn daemon_token(
    home: &Home,
    store: &dyn SecretStore,
    activation: Activation,
) -> Result<Secret, Error> {
    if activation != Activation::Standalone {
        return secrets::ensure_token(home, store);
    }
    match store.daemon_token() {
        // It is about to be replaced.
        Ok(_) | Err(Error::Damaged { .. }) => {}
        Err(error) => return Err(error),
    }
    let token = Secret::random_hex();
    store.set_daemon_token(&token)?;
    Ok(token)
}
