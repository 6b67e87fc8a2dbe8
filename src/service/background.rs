//! The background tasks of a ready daemon: reload on SIGHUP, exit when idle, messages to the service manager.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::logging::LevelHandle;
use super::{Error, Mode, idle, notify, reload};
use crate::config::Config;
use crate::daemon::Running;

/// Spawns the tasks on the current runtime. They end with it.
pub(super) fn spawn_tasks(
    running: &Running,
    port: u16,
    config: &Config,
    idle_exit: Option<Duration>,
    mode: Mode,
    level: &LevelHandle,
    shutdown: &CancellationToken,
) -> Result<(), Error> {
    if mode != Mode::Foreground {
        let level = level.clone();
        reload::on_sighup(&config.home, running.clone(), port, move |new| level.set(new))
            .map_err(Error::system("handle signals"))?;
    }
    if let Some(limit) = idle_exit.filter(|limit| !limit.is_zero()) {
        let (running, shutdown) = (running.clone(), shutdown.clone());
        tokio::spawn(async move {
            idle::wait_until_idle(&running, limit).await;
            tracing::info!(event = "idle_exit", idle_sec = limit.as_secs());
            shutdown.cancel();
        });
    }
    if notify::is_enabled() {
        tokio::spawn(notify::send_watchdog_pings());
        let (running, shutdown) = (running.clone(), shutdown.clone());
        tokio::spawn(async move {
            shutdown.run_until_cancelled(notify::send_status_changes(running, port)).await;
            shutdown.cancelled().await;
            notify::stopping();
        });
    }
    Ok(())
}
