//! The signals that end the daemon.

use std::io;

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::sys;

/// Cancels `shutdown` at the first SIGTERM or SIGINT, and in a terminal at the first SIGHUP, which says that it is
/// closed. Further ones change nothing: draining has a deadline of its own.
///
/// # Errors
/// When the system does not let this process handle them.
pub(super) fn on_signal(shutdown: CancellationToken, in_terminal: bool) -> io::Result<()> {
    // One that came after its handler is in place and before it is known to the runtime would be lost.
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
