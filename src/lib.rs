//! bproxy connects a code agent to the browser that its user already uses.
//!
//! It consists of a command line, which an agent runs once per step, a daemon on the loopback interface, and a browser
//! extension, which is embedded in the binary. All code is in this library; the binary only calls [`cli::run`].
//!
//! The layers, each of which depends only on those below it:
//!
//! - [`cli`]: verbs, flags, output, exit status.
//! - [`mcp`]: the same actions for agents that speak the Model Context Protocol.
//! - [`agent`]: what both do around a command: retries, waiting for a person, time limits.
//! - [`service`]: the daemon's process: log, socket, readiness, shutdown, and its installation as a service.
//! - [`daemon`]: HTTP and WebSocket, with the gate before every route.
//! - [`state`]: the daemon's data and decisions; synchronous, with time passed as an argument.
//! - [`client`]: finding the daemon, and blocking calls to it, for the layers above and for other programs.
//! - [`protocol`]: the wire format as types.
//!
//! Every layer may use [`home`], [`config`], [`settings`], [`secrets`], [`supervisor`] and [`loopback`]; [`extension`] and
//! [`skill`] are the files embedded in the binary, which [`install`] writes to a folder; [`registration`] edits the
//! configuration of MCP clients; [`program`] is the path that this program is run by. `sys` has all unsafe code.

#[forbid(unsafe_code)]
pub mod agent;
#[forbid(unsafe_code)]
pub mod cli;
#[forbid(unsafe_code)]
pub mod client;
#[forbid(unsafe_code)]
pub mod config;
#[forbid(unsafe_code)]
pub mod daemon;
#[forbid(unsafe_code)]
mod day;
#[forbid(unsafe_code)]
pub mod extension;
#[forbid(unsafe_code)]
pub mod home;
#[forbid(unsafe_code)]
pub mod install;
#[forbid(unsafe_code)]
pub mod loopback;
#[forbid(unsafe_code)]
pub mod mcp;
#[forbid(unsafe_code)]
pub mod program;
#[forbid(unsafe_code)]
pub mod protocol;
#[forbid(unsafe_code)]
pub mod registration;
#[forbid(unsafe_code)]
mod runtime_dir;
#[forbid(unsafe_code)]
pub mod secrets;
#[forbid(unsafe_code)]
pub mod service;
#[forbid(unsafe_code)]
pub mod settings;
#[forbid(unsafe_code)]
pub mod skill;
#[forbid(unsafe_code)]
pub mod state;
#[forbid(unsafe_code)]
pub mod supervisor;
mod sys;
#[forbid(unsafe_code)]
mod users;
