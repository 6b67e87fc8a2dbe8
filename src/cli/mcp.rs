//! `mcp`: the Model Context Protocol server, for a client to run.

use clap::Args;

use super::global_args::Globals;
use super::{Error, Outcome};
use crate::mcp::{self, Options};

/// Serve agents over the Model Context Protocol, on standard input and output
///
/// For a client to run, not for people: `claude mcp add bproxy -- bproxy mcp` has Claude Code do it. Every action is a
/// tool. The server makes a session with the first call, and closes what it made when the client goes; with --session,
/// or BPROXY_SESSION, it acts in that session and leaves it open. --timeout is the limit of calls that name none, and --wait-extension holds for every call.
#[derive(Args)]
#[command(after_help = "Examples:\n  bproxy mcp\n  bproxy mcp --timeout 60000")]
pub(super) struct Mcp {}

impl Mcp {
    pub(super) fn run(self, globals: &Globals) -> Result<Outcome, Error> {
        let session = Some(globals.session().to_owned()).filter(|session| !session.is_empty());
        let (timeout, wait_extension) = (globals.timeout(), globals.wait_extension());
        let home = globals.home.clone();
        mcp::run(Options { home, session, timeout, wait_extension })?;
        Ok(Outcome::Done)
    }
}
