//! `tab …`: the tabs of a session.

use clap::{Args, Subcommand};

use super::global_args::Globals;
use super::navigate::Url;
use super::{Error, Outcome, call};
use crate::protocol::{self, TabHandle};

/// Tabs of a session
#[derive(Subcommand)]
pub(super) enum Tab {
    /// Open a tab and bind the session to it; without a session, create one
    #[command(
        after_help = "Examples:\n  bproxy tab open https://example.org\n  bproxy tab open https://example.org -s m4q7z2\n  bproxy tab open --element ln3 -s m4q7z2"
    )]
    Open(Url),
    /// List the session's tabs
    #[command(after_help = "Example:\n  bproxy tab list -s m4q7z2")]
    List,
    /// Close a tab
    #[command(after_help = "Example:\n  bproxy tab close --tab t2 -s m4q7z2")]
    Close(Which),
    /// Pin a tab
    #[command(after_help = "Example:\n  bproxy tab pin -s m4q7z2")]
    Pin(Which),
    /// Unpin a tab
    #[command(after_help = "Example:\n  bproxy tab unpin -s m4q7z2")]
    Unpin(Which),
    /// Bring a tab to the front
    #[command(after_help = "Example:\n  bproxy tab activate -s m4q7z2")]
    Activate(Which),
}

#[derive(Args)]
pub(super) struct Which {
    /// The tab [default: the one that the session is bound to]
    #[arg(long, value_name = "TAB")]
    tab: Option<TabHandle>,
}

impl Tab {
    pub(super) fn run(self, globals: &Globals) -> Result<Outcome, Error> {
        let action = match self {
            Tab::Open(url) => return url.go(globals, |url| protocol::TabOpen { url }.into()),
            Tab::List => protocol::TabList {}.into(),
            Tab::Close(which) => protocol::TabClose { tab: which.tab }.into(),
            Tab::Pin(which) => protocol::TabPin { tab: which.tab }.into(),
            Tab::Unpin(which) => protocol::TabUnpin { tab: which.tab }.into(),
            Tab::Activate(which) => protocol::TabActivate { tab: which.tab }.into(),
        };
        call::show(globals, &action)
    }
}
