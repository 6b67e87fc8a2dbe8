//! `bproxy mcp` as agents use it: a real MCP client, a real daemon, and a real Chromium or an extension that answers as
//! the test says.

mod browser;
mod client;
mod connection;
mod skill;
#[path = "../support/mod.rs"]
mod support;
