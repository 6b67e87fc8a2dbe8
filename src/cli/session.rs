//! `session …`: sessions, and the tab that each is bound to.

use std::io;

use clap::Subcommand;

use super::global_args::{Globals, checked, word};
use super::session_wait::SessionWait;
use super::{Error, Outcome, call};
use crate::protocol::{self, Label, Pacing, TabHandle};

/// Sessions: an agent's tabs, pace and pauses
#[derive(Subcommand)]
pub(super) enum Session {
    /// Create a session and print its id
    #[command(after_help = "Example:\n  bproxy session create --label research")]
    Create {
        /// Its name for people, at most 64 characters
        #[arg(long, value_name = "TEXT", value_parser = checked::<Label>)]
        label: Option<Label>,
    },
    /// List the sessions
    #[command(after_help = "Example:\n  bproxy session list")]
    List,
    /// Bind a session to one of its tabs, or set its pace
    #[command(
        after_help = "Examples:\n  bproxy session bind -s m4q7z2 --tab t2\n  bproxy session bind -s m4q7z2 --pacing fast",
        group = clap::ArgGroup::new("change").args(["tab", "pacing"]).required(true).multiple(true)
    )]
    Bind {
        /// The tab that further commands act on
        #[arg(long, value_name = "TAB")]
        tab: Option<TabHandle>,
        /// How fast commands may follow each other
        #[arg(long, value_name = "PACE", value_parser = word::<Pacing>(Pacing::WORDS))]
        pacing: Option<Pacing>,
    },
    /// Release a session's tab; a pause stays
    #[command(after_help = "Example:\n  bproxy session unbind -s m4q7z2")]
    Unbind,
    /// Resume a paused session that no person can resume in a browser
    ///
    /// The person resumes a session in the extension's popup. With BPROXY_RESUME=anyone this command may do it too.
    #[command(after_help = "Example:\n  bproxy session resume -s m4q7z2")]
    Resume,
    Wait(SessionWait),
    /// Close a session and its tabs
    #[command(after_help = "Example:\n  bproxy session close -s m4q7z2")]
    Close {
        /// Wait until standard input ends: with the program that the session is for, however that ends
        #[arg(long, hide = true)]
        after_input: bool,
    },
}

impl Session {
    pub(super) fn run(self, globals: &Globals) -> Result<Outcome, Error> {
        let action = match self {
            Session::Wait(wait) => return wait.run(globals),
            Session::Create { label } => protocol::SessionCreate { label }.into(),
            Session::List => protocol::SessionList {}.into(),
            Session::Bind { tab, pacing } => protocol::SessionBind { tab, pacing }.into(),
            Session::Unbind => protocol::SessionUnbind {}.into(),
            Session::Resume => protocol::SessionResume {}.into(),
            Session::Close { after_input } => {
                if after_input {
                    io::copy(&mut io::stdin(), &mut io::sink()).map_err(Error::Input)?;
                }
                protocol::SessionClose {}.into()
            }
        };
        call::show(globals, &action)
    }
}
