//! The signals that end the daemon.

use std::io;

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// Cancels `shutdown` at the first SIGTERM, SIGINT or SIGHUP (a terminal that is closed under the daemon). Further
/// ones change nothing: draining has a deadline of its own.
///
/// # Errors
/// When the system does not let this process handle them.
pub(super) fn on_signal(shutdown: CancellationToken) -> io::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut hangup = signal(SignalKind::hangup())?;
    tokio::spawn(async move {
        let name = tokio::select! {
            _ = terminate.recv() => "SIGTERM",
            _ = interrupt.recv() => "SIGINT",
            _ = hangup.recv() => "SIGHUP",
        };
        tracing::info!(event = "shutdown", signal = name);
        shutdown.cancel();
    });
    Ok(())
}
