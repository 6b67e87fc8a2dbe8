//! The keyring while the daemon runs: the tokens move there once the daemon is ready, and while the pairing in it cannot
//! be read, the daemon looks again, by itself and whenever a browser wants to connect.

use std::{sync::Arc, time::Duration};

use tokio::{sync::Mutex, time::Instant};
use warp::{http::StatusCode, reply::Response};

use super::{Context, rejection};

/// How often to look again. A look takes some milliseconds, and a person who has just unlocked the keyring waits for the
/// browser.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// For how long a look holds for the next request: any program can ask, and each look is a dozen messages on the D-Bus.
const LOOK_HOLDS: Duration = Duration::from_millis(250);

/// When the keyring was last looked at. Looks are made one at a time.
#[derive(Default)]
pub(super) struct LastLook(Mutex<Option<Instant>>);

/// Moves the tokens into the keyring, and looks again as long as the pairing there cannot be read.
pub(super) async fn watch(context: Arc<Context>) {
    loop {
        if context.look_into_keyring().await.is_none() {
            return;
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

impl Context {
    /// Why the pairing cannot be read, after another look if it could not be until now.
    pub(super) async fn unreadable_pairing(&self) -> Option<String> {
        self.state.unreadable_pairing()?;
        self.look_into_keyring().await
    }

    /// Uses the keyring if that is possible now. Returns why the pairing in it cannot be read, if it cannot.
    async fn look_into_keyring(&self) -> Option<String> {
        let mut last = self.last_look.0.lock().await;
        if last.is_none_or(|last| last.elapsed() >= LOOK_HOLDS) {
            let secrets = self.options.secrets.clone();
            let was_unreadable = self.state.unreadable_pairing().is_some();
            let look = move || {
                secrets.migrate();
                match secrets.unreadable() {
                    Some(reason) => Err(reason),
                    None if was_unreadable => {
                        secrets.extension().map_err(|error| error.to_string())
                    }
                    None => Ok(None),
                }
            };
            // Fails only if the runtime is shutting down.
            match tokio::task::spawn_blocking(look).await {
                Ok(Ok(credential)) => self.state.recover(credential),
                Ok(Err(reason)) => self.state.set_unreadable_pairing(Some(reason)),
                Err(_) => {}
            }
            *last = Some(Instant::now());
        }
        drop(last);
        self.state.unreadable_pairing()
    }
}

/// The answer to a browser while the keyring with its pairing cannot be used.
pub(super) fn locked(reason: &str) -> Response {
    let message = format!(
        "the pairing is in the keyring and cannot be read: {reason}. The daemon looks again by itself; do not pair again"
    );
    rejection::refusal(StatusCode::SERVICE_UNAVAILABLE, "KEYRING_LOCKED", &message)
}
