//! The deadline of a probe. What hangs is left behind on its thread; this process ends soon.

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

/// How long a probe may wait for another program. All answer within milliseconds; a cold disk takes a second.
pub(super) const WAIT: Duration = Duration::from_secs(3);

/// How long a whole probe may take: what it asks is given up, and named, just before.
const LIMIT: Duration = Duration::from_millis(3500);

/// Runs a probe; `None` if it does not end in time.
pub(super) fn within<T: Send + 'static>(probe: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    let (sender, receiver) = mpsc::sync_channel(1);
    thread::spawn(move || {
        // Fails if the wait below has timed out.
        let _ = sender.send(probe());
    });
    receiver.recv_timeout(LIMIT).ok()
}
