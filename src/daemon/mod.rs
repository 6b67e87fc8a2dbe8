//! Stand-in until the daemon proper is merged.
use std::sync::Arc;

use crate::home::Home;
use crate::secrets::{ExtensionCredential, Secret, SecretStore};

/// Who made the listening socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activation {
    /// systemd
    Systemd,
    /// launchd
    Launchd,
    /// this process
    Standalone,
}

/// What a daemon serves with.
pub struct Options {
    /// State directory.
    pub home: Home,
    /// Clients' token.
    pub daemon_token: Secret,
    /// What is paired.
    pub extension: Option<ExtensionCredential>,
    /// Admitted extensions.
    pub extension_ids: Option<Vec<String>>,
    /// Who made the listening socket.
    pub activation: Activation,
    /// Token store.
    pub secrets: Arc<dyn SecretStore>,
}

/// Stand-in.
#[derive(Debug, thiserror::Error)]
#[error("stand-in")]
pub struct Error;

/// Stand-in.
pub async fn serve(
    _listener: std::net::TcpListener,
    _options: Options,
    ready: impl FnOnce(),
    shutdown: tokio_util::sync::CancellationToken,
) -> Result<(), Error> {
    ready();
    shutdown.cancelled().await;
    Ok(())
}
