//! Shuts the daemon down on a signal.

use std::io;

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::sys;

/// Cancels `shutdown` on the first SIGTERM or SIGINT, and in a terminal also on SIGHUP, which means that it was closed.
/// Later signals have no effect: draining has its own deadline.
///
/// # Errors
/// When the signal handlers cannot be installed.
pub(super) fn on_signal(shutdown: CancellationToken, in_terminal: bool) -> io::Result<()> {
    // A signal between installing its handler and registering it with the runtime would be lost.
    let handled = sys::with_signals_blocked(|| {
        let hangup = in_terminal.then(|| signal(SignalKind::hangup())).transpose()?;
        let (terminate, interrupt) = (SignalKind::terminate(), SignalKind::interrupt());
        Ok::<_, io::Error>((signal(terminate)?, signal(interrupt)?, hangup))
    });
    let (mut terminate, mut interrupt, mut hangup) = handled?;
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
