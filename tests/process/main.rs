//! The program as real processes: command line, MCP server, the daemon's life, faults, timing, logs, tokens.

mod allocations;
mod batch;
mod cli;
mod completions;
mod faults;
mod install;
mod layout;
mod lifecycle;
mod log;
mod mcp;
mod outliving;
mod output;
mod python;
mod service;
mod soak;
#[path = "../support/mod.rs"]
mod support;
mod timing;
mod token;
mod version;
mod volume;
mod waiting;
