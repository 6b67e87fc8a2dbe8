//! A command whose daemon ended before it answered: the next daemon is asked what came of it, under the same id.

use std::time::{Duration, Instant};

use super::Waiter;
use crate::client::{Answer, Error};
use crate::protocol::ErrorCode;

/// How often to ask.
const POLL: Duration = Duration::from_millis(250);

/// How long to wait for the next daemon. A service manager starts it for the first question, and its start takes a
/// fraction of a second; a daemon without a manager has none.
const DAEMON_WAIT: Duration = Duration::from_secs(3);

/// How long to wait for the browser to come back to it: that tries again every 30 s at the latest.
const BROWSER_WAIT: Duration = Duration::from_secs(35);

/// Calls `send`. If its daemon ends before it answers, calls `ask` until the next one tells what came of the command: `ask`
/// starts nothing.
///
/// # Errors
/// Those of `send`, those of the waiter, and [`Error::OutcomeUnknown`] if nobody can tell.
pub fn send_or_ask(
    mut waiter: impl Waiter,
    send: impl FnOnce() -> Result<Answer, Error>,
    mut ask: impl FnMut() -> Result<Answer, Error>,
) -> Result<Answer, Error> {
    let ended = match send() {
        Err(error) if error.leaves_outcome_open() => error,
        done => return done,
    };
    let began = Instant::now();
    let mut is_there = false;
    loop {
        match ask() {
            Err(Error::Cancelled) => return Err(Error::Cancelled),
            Err(_) => {}
            Ok(answer) if answer.failed_with(ErrorCode::NoExtension) => is_there = true,
            Ok(answer) => return Ok(answer),
        }
        let limit = if is_there { BROWSER_WAIT } else { DAEMON_WAIT };
        let left = limit.saturating_sub(began.elapsed());
        if left.is_zero() {
            return Err(Error::OutcomeUnknown { ended: Box::new(ended) });
        }
        waiter.wait(left.min(POLL), "asking what came of the command")?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::{Address, CancelToken};

    fn answer(code: &str) -> Answer {
        let body = format!(r#"{{"id":"a","ok":false,"error":{{"code":"{code}","message":"x"}}}}"#);
        Answer { ok: false, body: body.into_bytes() }
    }

    fn ended() -> Error {
        Error::Exchange {
            address: Address::Port(1),
            source: std::io::ErrorKind::UnexpectedEof.into(),
        }
    }

    /// Takes no time.
    struct Hasty;

    impl Waiter for Hasty {
        fn wait(&mut self, _: Duration, _: &str) -> Result<(), Error> {
            Ok(())
        }
    }

    #[test]
    fn the_next_daemon_is_asked_until_it_and_its_browser_are_there() {
        let mut answers =
            vec![Err(Error::NotRunning), Err(ended()), Ok("NO_EXTENSION"), Ok("TAB_NOT_FOUND")]
                .into_iter();
        let ask = || answers.next().expect("no further question").map(answer);
        let told = send_or_ask(Hasty, || Err(ended()), ask).unwrap();
        assert!(told.failed_with(ErrorCode::TabNotFound));
        assert!(answers.next().is_none());
    }

    #[test]
    fn nobody_is_asked_about_a_command_that_was_answered_or_never_sent() {
        let unasked = || -> Result<Answer, Error> { panic!("not asked") };
        assert!(send_or_ask(Hasty, || Ok(answer("NO_EXTENSION")), unasked).is_ok());
        let not_sent = send_or_ask(Hasty, || Err(Error::NotRunning), unasked);
        assert!(matches!(not_sent, Err(Error::NotRunning)));
    }

    #[test]
    fn a_cancelled_question_is_an_error() {
        let cancel = CancelToken::default();
        let cancelled = send_or_ask(
            &cancel,
            || Err(ended()),
            || -> Result<Answer, Error> { Err(Error::Cancelled) },
        );
        assert!(matches!(cancelled, Err(Error::Cancelled)));
        cancel.cancel();
        let cancelled = send_or_ask(
            &cancel,
            || Err(ended()),
            || -> Result<Answer, Error> { Err(Error::NotRunning) },
        );
        assert!(matches!(cancelled, Err(Error::Cancelled)));
    }
}
