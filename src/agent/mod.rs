//! What the command line and the MCP server share around a command: retrying until a browser is connected, asking
//! again when the daemon ended, waiting for a person, deriving the time limit, lists as lines, what is said in short,
//! what a file holds.
//!
//! Blocking, as the client is. Nothing here sends anything by itself: the caller passes functions that do, and a
//! [`Waiter`] that shows what is being waited for and can end the wait.

mod ask_again;
mod digest;
mod files;
mod lines;
mod retry;
mod session_wait;
mod short;
mod time_limit;

use std::time::Duration;

pub use ask_again::send_or_ask;
pub use digest::sha256;
pub use files::give_files;
pub use lines::lines;
pub use retry::retry_until_browser;
pub use session_wait::{SessionWait, wait_for_session};
pub use short::{action, tool_name, write_out};
pub use time_limit::time_limit;

use crate::client::{CancelToken, Error};

/// How a caller spends the time between two polls.
pub trait Waiter {
    /// Blocks for `time`; `reason` tells people what the wait is for.
    ///
    /// # Errors [`Error::Cancelled`] when the wait is cancelled.
    fn wait(&mut self, time: Duration, reason: &str) -> Result<(), Error>;
}

/// Shows nothing, and ends when the call is cancelled.
impl Waiter for &CancelToken {
    fn wait(&mut self, time: Duration, _: &str) -> Result<(), Error> {
        self.sleep(time)
    }
}
