//! Retrying a command until a browser is connected.

use std::time::{Duration, Instant};

use super::Waiter;
use crate::client::{Answer, Error};
use crate::protocol::{ErrorCode, Health};

/// How often to ask whether a browser has connected. The question is not a command, and the daemon answers it from
/// memory.
const POLL: Duration = Duration::from_millis(250);

/// Calls `send`, and calls it again for up to `limit` while the answer is `NO_EXTENSION`, which means that nothing was
/// done. Between two calls `health` has to report a connected browser.
///
/// # Errors
/// Those of `send` and `health`, and [`Error::Cancelled`] from the waiter.
pub fn retry_until_browser(
    limit: Duration,
    mut waiter: impl Waiter,
    mut send: impl FnMut() -> Result<Answer, Error>,
    mut health: impl FnMut() -> Result<Health, Error>,
) -> Result<Answer, Error> {
    let end = Instant::now() + limit;
    loop {
        let answer = send()?;
        if !answer.failed_with(ErrorCode::NoExtension) {
            return Ok(answer);
        }
        // Waits at least once even if a browser is connected: the command may need another one.
        loop {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(answer);
            }
            waiter.wait(left.min(POLL), "waiting for the browser")?;
            if health()?.ws_clients.is_some_and(|browsers| browsers > 0) {
                break;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(60 * 60);

    fn answer(code: &str) -> Answer {
        let body = format!(r#"{{"id":"a","ok":false,"error":{{"code":"{code}","message":"x"}}}}"#);
        Answer { ok: false, body: body.into_bytes() }
    }

    fn health(browsers: usize) -> Health {
        Health { ws_clients: Some(browsers), ..Health::public() }
    }

    /// Counts the waits, and takes no time.
    struct Counter<'a>(&'a mut usize);

    impl Waiter for Counter<'_> {
        fn wait(&mut self, _: Duration, _: &str) -> Result<(), Error> {
            *self.0 += 1;
            Ok(())
        }
    }

    #[test]
    fn a_command_is_sent_again_when_a_browser_has_connected() {
        let (mut waits, mut sent, mut asked) = (0, 0, 0);
        let send = || {
            sent += 1;
            Ok(answer(if sent == 1 { "NO_EXTENSION" } else { "TAB_NOT_FOUND" }))
        };
        let health = || {
            asked += 1;
            Ok(health(usize::from(asked == 3)))
        };
        let last = retry_until_browser(HOUR, Counter(&mut waits), send, health).unwrap();
        assert!(last.failed_with(ErrorCode::TabNotFound));
        assert_eq!((waits, sent, asked), (3, 2, 3));
    }

    #[test]
    fn other_failures_are_not_retried_and_without_a_limit_nothing_is() {
        for (limit, code) in [(HOUR, "TIMEOUT"), (Duration::ZERO, "NO_EXTENSION")] {
            let mut waits = 0;
            let unasked = || -> Result<Health, Error> { panic!("not asked") };
            let last =
                retry_until_browser(limit, Counter(&mut waits), || Ok(answer(code)), unasked);
            assert_eq!(last.unwrap().body, answer(code).body);
            assert_eq!(waits, 0);
        }
    }

    #[test]
    fn a_cancelled_wait_is_an_error() {
        let cancel = crate::client::CancelToken::default();
        cancel.cancel();
        let ended =
            retry_until_browser(HOUR, &cancel, || Ok(answer("NO_EXTENSION")), || Ok(health(0)));
        assert!(matches!(ended, Err(Error::Cancelled)));
    }
}
