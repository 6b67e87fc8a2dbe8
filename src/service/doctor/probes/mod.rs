//! The probes, one for each hop.

mod configuration;
mod daemon;
mod home;
mod log;
mod machine;
mod program;
mod service;

pub(super) use configuration::{configuration, secrets};
pub(super) use daemon::{browser, daemon, protocol, token};
pub(super) use home::{home, space};
pub(super) use log::{journal, log};
pub(super) use machine::{linger, sandbox, versions};
pub(super) use program::{clock, program};
pub(super) use service::{service, socket};

use super::report::Failure;
use super::{RESTART, START, shell};

/// What a probe found: a text for the report, and a value for the probes after it.
pub(super) type Probe<T = ()> = Result<(String, T), Failure>;
