//! The probes, one for each hop. None takes longer than its deadline.

mod configuration;
mod daemon;
mod log;
mod program;
mod service;

pub(super) use configuration::{configuration, home, secrets};
pub(super) use daemon::{browser, daemon, protocol, token};
pub(super) use log::{journal, log};
pub(super) use program::{clock, program};
pub(super) use service::{service, socket};

use super::Failure;

const START: &str = "bproxy service start";
const RESTART: &str = "bproxy service restart";

/// What a probe found: a text for the report, and a value for the probes after it.
type Probe<T = ()> = Result<(String, T), Failure>;
