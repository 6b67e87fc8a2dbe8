//! The wire as types: what travels between command line, daemon and extension, and nothing else.
//!
//! No clock, no I/O, no state. Every fact of the wire is written once, here, and proved against
//! the golden files in `tests/golden`, which the extension's tests read as well.

pub mod actions;
mod caller;
mod dialog;
mod envelope;
mod error;
mod files;
mod health;
mod ids;
mod limits;
mod message;
mod pairing;
mod proof;
mod schema;
mod target;
mod values;
mod versions;

pub use actions::*;
pub use caller::Caller;
pub use dialog::{Dialog, DialogAnswer};
pub use envelope::{BadRequest, Envelope, NO_PAGE, Place, Request, failure, forwarded, success};
pub use error::{Category as ErrorCategory, ErrorCode, ProtocolError, Retry};
pub use files::{GivenFile, StoredFile, kept_name};
pub use health::Health;
pub use ids::{ElementHandle, FileHandle, FrameName, HandleKind, SessionId, TabHandle};
pub use limits::*;
pub use message::{Answer, HeldTab, Hello, Message, Navigation, OpenedByTab, Outcome, PersonAct};
pub use pairing::{Claim, ClaimError, ClaimGranted};
pub use proof::{Challenge, Proof, is_nonce};
pub use schema::{data_schema_of, schema_of};
pub use target::{By, Criteria, Host, ShadowRoute, Target};
pub use values::*;
pub use versions::{OLDEST, VERSION, Versions};

/// The WebSocket subprotocol that carries the protocol, in whatever version `hello` names.
pub const SUBPROTOCOL: &str = "bproxy.v1";

/// The default port of the daemon on the loopback interface.
pub const DEFAULT_PORT: u16 = 9615;
