//! bproxy connects a code agent to the browser that its person already uses.
//!
//! A command line, which an agent runs once per step, a daemon on the loopback interface, and a browser extension,
//! which this binary carries. The library is the whole of it; the binary only calls [`cli::run`].
//!
//! The layers, each of which uses those below it only:
//!
//! - [`cli`]: verbs, flags, output, exit status.
//! - [`mcp`]: the same for agents that speak the Model Context Protocol, beside the command line.
//! - [`agent`]: what both do around a command: retries, waiting for a person, time limits.
//! - [`service`]: a daemon process's life: log, socket, readiness, shutdown, and its installation as a service.
//! - [`daemon`]: HTTP and WebSocket, the gate before every route.
//! - [`state`]: what the daemon knows and decides; synchronous, with time as an argument.
//! - [`client`]: finding the daemon, and one blocking call to it, for the layers above and for other programs.
//! - [`protocol`]: the wire as types.
//!
//! Every layer may use [`home`], [`config`], [`settings`], [`secrets`], [`supervisor`] and [`loopback`]; [`extension`] and
//! [`skill`] are what the binary carries. `sys` is the only file with unsafe code.

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
