//! One command to the daemon, waited for on a thread of its own so that the connection goes on meanwhile.

use std::time::Duration;

use serde::Deserialize;

use crate::client::{Answer, HangUp, request_id};
use crate::protocol::Action;

use super::Connect;

/// The way to the daemon. Clones are the same way.
#[derive(Clone)]
pub(super) struct Daemon(pub(super) std::sync::Arc<Connect>);

/// Hangs up when what waits for the command is dropped, as it is when the client cancels the call.
struct HangUpOnDrop(HangUp);

impl Drop for HangUpOnDrop {
    fn drop(&mut self) {
        self.0.hang_up();
    }
}

impl Daemon {
    /// Sends a command and waits for its answer. The error is for the model to read.
    pub(super) async fn command(
        &self,
        action: Action,
        session: String,
        timeout: Duration,
    ) -> Result<Answer, String> {
        let (connect, hang_up) = (self.0.clone(), HangUp::default());
        let _on_drop = HangUpOnDrop(hang_up.clone());
        let exchange = tokio::task::spawn_blocking(move || {
            connect()?
                .command_until(&hang_up, &request_id(), &action, &session, timeout)
                .map_err(|error| error.to_string())
        });
        exchange.await.map_err(|error| format!("the command failed: {error}"))?
    }

    /// Whether a browser is connected.
    pub(super) async fn has_browser(&self) -> Result<bool, String> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Health {
            #[serde(default)]
            ws_clients: u64,
        }
        let connect = self.0.clone();
        let health = tokio::task::spawn_blocking(move || {
            connect()?.health().map_err(|error| error.to_string())
        });
        let health =
            health.await.map_err(|error| format!("the daemon was not asked: {error}"))??;
        Ok(serde_json::from_slice(&health).is_ok_and(|Health { ws_clients }| ws_clients > 0))
    }
}
