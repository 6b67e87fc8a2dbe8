//! SIGHUP: what may change while the daemon runs is read again, which is the log's level and the extensions allowed.

use std::io;
use std::path::Path;

use tokio::signal::unix::{SignalKind, signal};

use super::notify;
use crate::config::{Config, LogLevel};
use crate::daemon::Running;

/// Reads the configuration again at each SIGHUP, for ever. One that cannot be followed changes nothing.
///
/// # Errors
/// When the system does not let this process handle the signal.
pub(super) fn on_signal(
    home: &Path,
    running: Running,
    port: u16,
    set_level: impl Fn(LogLevel) + Send + 'static,
) -> io::Result<()> {
    let mut hangup = signal(SignalKind::hangup())?;
    let home = home.to_owned();
    tokio::spawn(async move {
        while hangup.recv().await.is_some() {
            notify::reloading();
            match Config::from_env(Some(&home)) {
                Ok(config) => {
                    set_level(config.log_level);
                    running.set_extension_ids(config.extension_ids);
                    tracing::info!(event = "reload");
                }
                Err(error) => tracing::error!(event = "reload_failed", problem = %error),
            }
            notify::ready(&running, port);
        }
    });
    Ok(())
}
