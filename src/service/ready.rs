//! The moment at which a daemon accepts requests: who is told, and what goes on beside serving from then on.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::lifecycle::{ManagedBy, Started};
use super::logging::LevelHandle;
use super::{Error, Mode, idle, notify, reload};
use crate::config::Config;
use crate::daemon::Running;
use crate::home::Home;

/// Starts what goes on beside serving, on the same thread: it ends with the event loop.
pub(super) fn surround(
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
        reload::on_signal(&config.home, running.clone(), port, move |new| level.set(new))
            .map_err(Error::system("handle signals"))?;
    }
    if let Some(limit) = idle_exit.filter(|limit| !limit.is_zero()) {
        let (running, shutdown) = (running.clone(), shutdown.clone());
        tokio::spawn(async move {
            idle::wait(&running, limit).await;
            tracing::info!(event = "idle_exit", idle_sec = limit.as_secs());
            shutdown.cancel();
        });
    }
    if notify::is_heard() {
        tokio::spawn(notify::keep_alive());
        let (running, shutdown) = (running.clone(), shutdown.clone());
        tokio::spawn(async move {
            shutdown.run_until_cancelled(notify::keep_status(running, port)).await;
            shutdown.cancelled().await;
            notify::stopping();
        });
    }
    Ok(())
}

/// Makes the daemon findable, and tells who waits for it.
pub(super) fn announce(home: &Home, port: u16, mode: Mode) -> Result<(), Error> {
    home.write_secret(&home.port(), format!("{port}\n").as_bytes())?;
    tracing::info!(
        event = "start",
        pid = std::process::id(),
        port,
        version = env!("CARGO_PKG_VERSION")
    );
    if matches!(mode, Mode::Service { .. }) {
        return Ok(());
    }
    let line = Started::read(home, std::process::id(), port, ManagedBy::Itself)?.to_line();
    let mut stdout = match mode {
        Mode::Detached => {
            leave_standard_streams().map_err(Error::system("let go of the terminal"))?
        }
        Mode::Foreground | Mode::Service { .. } => io::stdout()
            .as_fd()
            .try_clone_to_owned()
            .map(File::from)
            .map_err(Error::system("write to standard output"))?,
    };
    // Whoever waited may have been ended meanwhile, which is no reason to stop.
    let _ = stdout.write_all(line.as_bytes());
    Ok(())
}

/// Turns the standard streams to nowhere, and returns what standard output was, for a last word: whoever reads it can
/// rely on it that nothing of the starter's is held any longer. Closing the streams instead would hand their numbers to
/// the next sockets that are opened.
fn leave_standard_streams() -> io::Result<File> {
    let stdout = io::stdout().as_fd().try_clone_to_owned()?;
    let null = File::options().read(true).write(true).open("/dev/null")?;
    rustix::stdio::dup2_stdin(&null)?;
    rustix::stdio::dup2_stdout(&null)?;
    rustix::stdio::dup2_stderr(&null)?;
    Ok(stdout.into())
}
