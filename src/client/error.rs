//! Why there is no answer.

use std::io;
use std::path::PathBuf;

use super::Address;
use crate::protocol::{MAX_BODY_BYTES, SHUTTING_DOWN};
use crate::users;
use crate::{config, home, secrets};

/// Why there is no answer. Every message says what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No daemon runs, and a connection does not start one.
    #[error("the daemon is not running: start it with `bproxy service start`")]
    NotRunning,
    /// A variable or a line of `config.env` is invalid.
    #[error(transparent)]
    Config(#[from] config::Error),
    /// The state directory cannot be trusted or read.
    #[error(transparent)]
    Home(#[from] home::Error),
    /// The token cannot be trusted or read.
    #[error(transparent)]
    Secrets(#[from] secrets::Error),
    /// A daemon runs, and its token is missing.
    #[error("the daemon's token is missing: run `bproxy service restart`")]
    NoToken,
    /// The port file does not hold a port.
    #[error("{} does not hold a port number: run `bproxy service restart`", .0.display())]
    Port(PathBuf),
    /// Another user's process listens there.
    #[error(
        "{address} is served by {}, not by you: nothing was sent; use a port of your own, with `bproxy service install \
         --now --port {free}`, or without a service manager with `BPROXY_PORT={free} bproxy service start`", users::described(*user)
    )]
    OtherUser {
        /// Where.
        address: Address,
        /// Whose process it is.
        user: u32,
        /// A port that nobody has.
        free: u16,
    },
    /// The system does not report whose process listens there.
    #[error("cannot tell who serves {address}, so nothing was sent: {reason}")]
    UnknownListener {
        /// Where.
        address: Address,
        /// Why not.
        reason: String,
    },
    /// The request is larger than the daemon accepts.
    #[error(
        "the request has {size} bytes, and the daemon accepts at most {MAX_BODY_BYTES}: send less text"
    )]
    TooLarge {
        /// Its size.
        size: usize,
    },
    /// The connection failed.
    #[error("cannot talk to the daemon on {address}: {source}; see `bproxy service status`")]
    Exchange {
        /// Where.
        address: Address,
        /// The system's reason.
        source: io::Error,
    },
    /// The daemon ended before it answered, and nobody can tell what came of the command.
    #[error(
        "the daemon ended before it answered ({ended}), and no other one can tell what came of the command: it may have \
         been carried out, so look before you repeat it"
    )]
    OutcomeUnknown {
        /// How it ended.
        ended: Box<Error>,
    },
    /// No answer came in time.
    #[error(
        "the daemon on {address} did not answer in time: see `bproxy service status`, or restart it with `bproxy service restart`"
    )]
    Timeout {
        /// Where.
        address: Address,
    },
    /// The daemon that was started for this request could not start.
    #[error("{reason}")]
    CannotStart {
        /// Why, and what mends it.
        reason: String,
    },
    /// The daemon refused the request before it became a command.
    #[error("the daemon refused the request with status {status}: {message}")]
    Refused {
        /// The HTTP status.
        status: u16,
        /// The error's code.
        code: String,
        /// Its reason.
        message: String,
    },
    /// The same, by a daemon of another version: it was started before bproxy was updated or downgraded.
    #[error(
        "the daemon is bproxy {version}, and this is {}: run `bproxy service restart`; it refused the request: {message}",
        env!("CARGO_PKG_VERSION")
    )]
    Version {
        /// The daemon's version.
        version: String,
        /// Its reason.
        message: String,
    },
    /// The answer does not follow this protocol.
    #[error(
        "the answer on {address} (status {status}) does not follow bproxy's protocol: is the daemon of another version? Run `bproxy service restart`"
    )]
    UnknownAnswer {
        /// Where.
        address: Address,
        /// The HTTP status.
        status: u16,
    },
    /// The call was cancelled with its [`CancelToken`](super::CancelToken).
    #[error("the call was cancelled")]
    Cancelled,
}

impl Error {
    /// Whether the daemon ended after the command was sent, as far as that can be told: it may have been carried out.
    pub fn leaves_outcome_open(&self) -> bool {
        match self {
            Error::Exchange { .. } => true,
            Error::Refused { code, .. } => code == SHUTTING_DOWN,
            _ => false,
        }
    }
}
