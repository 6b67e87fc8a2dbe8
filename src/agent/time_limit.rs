//! How long a command may take.

use std::time::Duration;

use crate::protocol::{Action, MAX_DEADLINE_MS};

/// Added to the time that a command waits in the page, so that the page's answer arrives before the deadline.
const WAIT_GRACE: Duration = Duration::from_secs(2);

/// How long `action` may take: the caller's `timeout` if given, else the `default`. An action that waits in the page
/// may take `WAIT_GRACE` longer than that wait.
pub fn time_limit(action: &Action, timeout: Option<Duration>, default: Duration) -> Duration {
    if !action.facts().waits {
        return timeout.unwrap_or(default);
    }
    let waits = action.waits().or(timeout).unwrap_or(default);
    let longest = Duration::from_millis(MAX_DEADLINE_MS.cast_unsigned());
    (waits + WAIT_GRACE).max(timeout.unwrap_or_default()).min(longest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_may_take_longer_than_it_waits_and_other_actions_take_the_timeout() {
        let seconds = Duration::from_secs;
        let text = Action::parse("text", "{}").unwrap().unwrap();
        assert_eq!(time_limit(&text, None, seconds(30)), seconds(30));
        assert_eq!(time_limit(&text, Some(seconds(5)), seconds(30)), seconds(5));
        let wait = |params: &str| {
            let params = format!(r#"{{"strategy":"selector","target":"p"{params}}}"#);
            Action::parse("wait", &params).unwrap().unwrap()
        };
        assert_eq!(time_limit(&wait(""), None, seconds(30)), seconds(32));
        let five = wait(r#","timeout":5000"#);
        assert_eq!(time_limit(&five, None, seconds(30)), seconds(7));
        assert_eq!(time_limit(&five, Some(seconds(30)), seconds(30)), seconds(30));
        let long = wait(r#","timeout":600000"#);
        assert_eq!(time_limit(&long, None, seconds(30)), seconds(600));
    }
}
