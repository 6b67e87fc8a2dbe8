//! Cancelling a call from a thread other than the one that waits for its answer.

use std::net::Shutdown;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use socket2::Socket;

use super::Error;
use super::exchange::Stream;

/// Cancels a call, with all its commands and waits. Clones cancel the same call.
#[derive(Clone, Default)]
pub struct CancelToken(Arc<Inner>);

#[derive(Default)]
struct Inner {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
enum State {
    /// Nothing is in progress.
    #[default]
    Idle,
    /// A command waits for its answer on this connection.
    Connected(Socket),
    Cancelled,
}

impl CancelToken {
    /// Cancels the call: a command or a wait in progress ends, and no further one starts.
    pub fn cancel(&self) {
        let before = std::mem::replace(&mut *self.state(), State::Cancelled);
        self.0.changed.notify_all();
        if let State::Connected(socket) = before {
            // The daemon may have closed it already.
            let _ = socket.shutdown(Shutdown::Both);
        }
    }

    /// Whether the call was cancelled.
    pub fn is_cancelled(&self) -> bool {
        matches!(*self.state(), State::Cancelled)
    }

    /// Blocks for `time`.
    ///
    /// # Errors
    /// [`Error::Cancelled`], as soon as the call is cancelled.
    pub fn sleep(&self, time: Duration) -> Result<(), Error> {
        let end = Instant::now() + time;
        let mut state = self.state();
        loop {
            if matches!(*state, State::Cancelled) {
                return Err(Error::Cancelled);
            }
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(());
            }
            let waited = self.0.changed.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Makes a cancellation close `stream`, until the guard is dropped.
    pub(super) fn guard(&self, stream: &Stream) -> Result<Guard<'_>, Error> {
        let mut state = self.state();
        if matches!(*state, State::Cancelled) {
            return Err(Error::Cancelled);
        }
        *state = State::Connected(stream.socket().map_err(|_| Error::Cancelled)?);
        Ok(Guard(self))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A command that can be cancelled.
pub(super) struct Guard<'a>(&'a CancelToken);

impl Drop for Guard<'_> {
    fn drop(&mut self) {
        let mut state = self.0.state();
        if matches!(*state, State::Connected(_)) {
            *state = State::Idle;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    #[test]
    fn a_pause_ends_when_the_call_is_cancelled_and_none_starts_afterwards() {
        let token = CancelToken::default();
        assert!(token.sleep(Duration::from_millis(1)).is_ok());
        let hour = Duration::from_secs(60 * 60);
        let slept = thread::scope(|scope| {
            let sleeping = scope.spawn(|| token.sleep(hour));
            token.cancel();
            sleeping.join().unwrap()
        });
        assert!(matches!(slept, Err(Error::Cancelled)));
        assert!(matches!(token.sleep(hour), Err(Error::Cancelled)));
        assert!(token.is_cancelled());
    }
}
