//! Reloads the configuration on SIGHUP: the log level, the allowed extensions and who may resume, which can change at run
//! time.

use std::io;
use std::path::Path;

use tokio::signal::unix::{SignalKind, signal};

use super::notify;
use crate::config::{Config, LogLevel};
use crate::daemon::Running;

/// Spawns a task that reloads the configuration on every SIGHUP. An invalid configuration is logged and ignored.
///
/// # Errors
/// When the signal handler cannot be installed.
pub(super) fn on_sighup(
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
                    running.set_resume(config.resume);
                    tracing::info!(event = "reload");
                    notify::ready(&running, port);
                }
                Err(error) => {
                    tracing::error!(event = "reload_failed", problem = %error);
                    notify::reload_failed(&running, port, &error.to_string());
                }
            }
        }
    });
    Ok(())
}
