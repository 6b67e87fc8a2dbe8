//! bproxy connects a code agent to the browser that its person already uses.

pub mod cli;
pub mod client;
pub mod config;
pub mod daemon;
pub mod home;
pub mod loopback;
pub mod protocol;
pub mod secrets;
pub mod service;
pub mod settings;
pub mod state;
