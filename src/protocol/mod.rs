//! The wire as types: what travels between command line, daemon and extension, and nothing else.
//!
//! No clock, no I/O, no state. Every fact of the wire is written once, here, and proved against
//! the golden files in `tests/golden`, which the extension's tests read as well.

mod action;
mod envelope;
mod error;
mod facts;
mod ids;
mod message;
mod pairing;
mod params;
mod schema;
mod target;

pub use action::Action;
pub use envelope::{BadRequest, Envelope, Page, Request, failure, forwarded, success};
pub use error::{Category as ErrorCategory, ErrorCode, ProtocolError, Retry};
pub use facts::{Category, Effect, Facts, Pace, Place};
pub use ids::{ElementHandle, HandleKind, SessionId, TabHandle};
pub use message::{Answer, Hello, Message, Navigation, Outcome, PersonAct};
pub use pairing::{Claim, ClaimError, ClaimGranted};
pub use params::*;
pub use schema::schema_of;
pub use target::{Host, Route, Target};

/// The protocol version that this build speaks.
pub const VERSION: u32 = 1;

/// The WebSocket subprotocol that carries this protocol version.
pub const SUBPROTOCOL: &str = "bproxy.v1";

/// The default port of the daemon on the loopback interface.
pub const DEFAULT_PORT: u16 = 9615;

/// The largest request body, in bytes: a command with a long text to fill fits, an upload does not.
pub const MAX_BODY_BYTES: usize = 1024 * 1024;

/// The largest message from the extension, in bytes: a screenshot of a large screen fits many times over.
pub const MAX_MESSAGE_BYTES: usize = 64 * 1024 * 1024;

/// How far in the future a deadline may lie, in milliseconds; later ones are brought forward.
pub const MAX_DEADLINE_MS: i64 = 10 * 60 * 1000;

/// The longest request id, in characters.
pub const MAX_ID_CHARS: usize = 128;
