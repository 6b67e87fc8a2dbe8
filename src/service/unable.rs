//! A start that fails: whoever waits on the sockets of a service manager is told why, and the manager is kept from
//! starting the daemon over and over.

use std::thread;
use std::time::Duration;

use super::Error;
use super::listener::Listeners;
use crate::daemon;

/// How long a daemon stays that cannot take the connection that it was started for, because the manager starts another one
/// as soon as it has ended. It is short beside the time that a person takes to mend something.
const HOLD_UP: Duration = Duration::from_secs(1);

/// Runs a daemon with its inherited sockets. If it fails, answers the connections that wait in them.
///
/// # Errors
/// Those of `run`.
pub(super) fn answering(
    inherited: Option<Listeners>,
    run: impl FnOnce(Option<Listeners>) -> Result<(), Error>,
) -> Result<(), Error> {
    let sockets = inherited.as_ref().map(|listeners| listeners.sockets.try_clone());
    let result = run(inherited);
    if let (Err(error), Some(sockets)) = (&result, sockets) {
        let reason = format!("the daemon cannot start: {error}");
        if !sockets.is_ok_and(|sockets| answer(sockets, &reason)) {
            hold_up();
        }
    }
    result
}

/// Delays the end of a daemon that answers nobody.
pub(super) fn hold_up() {
    thread::sleep(HOLD_UP);
}

/// Answers those who wait; whether it could.
fn answer(sockets: daemon::Listeners, reason: &str) -> bool {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let answered = runtime.map(|runtime| runtime.block_on(daemon::answer_waiting(sockets, reason)));
    matches!(answered, Ok(Ok(())))
}
