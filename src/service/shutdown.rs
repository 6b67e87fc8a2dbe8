//! The signals that end the daemon.

use std::io;

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// Cancels `shutdown` at the first SIGTERM or SIGINT, and in a terminal at the first SIGHUP, which says that it is
/// closed. Further ones change nothing: draining has a deadline of its own.
///
/// # Errors
/// When the system does not let this process handle them.
pub(super) fn on_signal(shutdown: CancellationToken, in_terminal: bool) -> io::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut hangup = if in_terminal { Some(signal(SignalKind::hangup())?) } else { None };
    let hung_up = async move {
        match &mut hangup {
            Some(hangup) => hangup.recv().await,
            None => std::future::pending().await,
        }
    };
    tokio::spawn(async move {
        let name = tokio::select! {
            _ = terminate.recv() => "SIGTERM",
            _ = interrupt.recv() => "SIGINT",
            _ = hung_up => "SIGHUP",
        };
        tracing::info!(event = "shutdown", signal = name);
        shutdown.cancel();
    });
    Ok(())
}
