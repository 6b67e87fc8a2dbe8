//! The tokens that a daemon begins with. Its own is made once where a service manager starts it, by whoever needs it
//! first: a client may need it before any daemon has run, and the daemon that its connection starts has to take it.

use std::sync::Arc;

use crate::config::SecretsChoice;
use crate::daemon::Activation;
use crate::home::Home;
use crate::secrets::{self, Error, ExtensionCredential, HomeLock, Secret, SecretStore};

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
    secrets: &dyn SecretStore,
    activation: Activation,
) -> Result<Secret, Error> {
    if activation != Activation::Standalone {
        return ensure(home, secrets);
    }
    match secrets.daemon_token() {
        // It is about to be replaced.
        Ok(_) | Err(Error::Damaged { .. }) => {}
        Err(error) => return Err(error),
    }
    let token = Secret::random_hex();
    secrets.set_daemon_token(&token)?;
    Ok(token)
}

/// The stored token, or else a new one, which is stored. All that ask at the same time get the same.
///
/// # Errors
/// When the store cannot be used, or another process takes too long with it.
fn ensure(home: &Home, secrets: &dyn SecretStore) -> Result<Secret, Error> {
    made_once(home, || secrets.daemon_token(), |token| secrets.set_daemon_token(token))
}

/// The same for a client, which moves nothing from one store to another.
///
/// # Errors
/// When the store cannot be used, or another process takes too long with it.
pub fn ensure_for_client(choice: SecretsChoice, home: &Home) -> Result<Secret, Error> {
    made_once(
        home,
        || secrets::activation_token(choice, home),
        |token| secrets::set_activation_token(choice, home, token),
    )
}

fn made_once(
    home: &Home,
    read: impl Fn() -> Result<Option<Secret>, Error>,
    write: impl FnOnce(&Secret) -> Result<(), Error>,
) -> Result<Secret, Error> {
    if let Some(token) = read()? {
        return Ok(token);
    }
    let _lock = HomeLock::acquire(home)?;
    if let Some(token) = read()? {
        return Ok(token);
    }
    let token = Secret::random_hex();
    write(&token)?;
    Ok(token)
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;
    use crate::secrets::FileStore;

    #[test]
    fn all_that_need_the_token_first_get_the_same() {
        let parent = tempfile::tempdir().unwrap();
        let home = Home::open(&parent.path().join("home")).unwrap();
        let tokens: Vec<_> = thread::scope(|scope| {
            let daemon = || ensure(&home, &FileStore::new(home.clone())).unwrap();
            let client = || ensure_for_client(SecretsChoice::Auto, &home).unwrap();
            let threads: Vec<_> =
                (0..4).flat_map(|_| [scope.spawn(daemon), scope.spawn(client)]).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        let stored = FileStore::new(home).daemon_token().unwrap().unwrap();
        assert!(tokens.iter().all(|token| token.matches(stored.expose().as_bytes())));
    }
}
