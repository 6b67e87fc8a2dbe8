//! `mcp`: the Model Context Protocol server, for a client to run.

use clap::Args;

use super::global_args::Globals;
use super::{Error, Outcome};
use crate::mcp::{self, Options};

/// Serve agents over the Model Context Protocol, on standard input and output
///
/// For a client to run, not for people: `claude mcp add bproxy -- bproxy mcp` has Claude Code do so. Every action is a
/// tool. The server creates a session with the first call, and closes it when the client disconnects; with --session, or
/// BPROXY_SESSION, it uses that session and leaves it open. --timeout applies to calls without a timeout of their own,
/// --wait-extension to every call.
#[derive(Args)]
#[command(after_help = "Examples:\n  bproxy mcp\n  bproxy mcp --timeout 60000")]
pub(super) struct Mcp {}

impl Mcp {
    pub(super) fn run(self, globals: &Globals) -> Result<Outcome, Error> {
        let session = Some(globals.session().to_owned()).filter(|session| !session.is_empty());
        let (timeout, wait_extension) = (globals.timeout(), globals.wait_extension());
        let (home, port) = (globals.home.clone(), globals.port);
        mcp::run(Options { home, port, session, timeout, wait_extension })?;
        Ok(Outcome::Done)
    }
}
