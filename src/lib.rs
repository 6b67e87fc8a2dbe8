//! bproxy connects a code agent to the browser that its user already uses.
//!
//! It consists of a command line, which an agent runs once per step, a daemon on the loopback interface, and a browser
//! extension, which is embedded in the binary. All code is in this library; the binary only calls [`cli::run`].
//!
//! The layers, each of which depends only on those below it:
//!
//! - [`cli`]: verbs, flags, output, exit status.
//! - [`mcp`]: the same actions for agents that speak the Model Context Protocol.
//! - [`service`]: the daemon's process: lock, log, socket, readiness, shutdown, and the service manager.
//! - [`daemon`]: HTTP and WebSocket, with the gate before every route.
//! - [`state`]: the daemon's data and decisions; synchronous, with time passed as an argument.
//! - [`protocol`]: the wire format as types.
//!
//! [`client`] makes blocking calls to the daemon, for the command line and for other programs. [`home`], [`config`],
//! [`settings`], [`secrets`] and [`loopback`] serve all layers; [`extension`] and [`skill`] are the files embedded in
//! the binary. `sys` has all unsafe code.

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
pub mod extension;
#[forbid(unsafe_code)]
pub mod home;
#[forbid(unsafe_code)]
pub mod loopback;
#[forbid(unsafe_code)]
pub mod mcp;
#[forbid(unsafe_code)]
pub mod protocol;
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
