//! `tab …`: the tabs of a session.

use clap::{Args, Subcommand};

use super::global_args::Globals;
use super::navigate::Url;
use super::{Error, Outcome, call};
use crate::protocol::{Action, NoParams, TabHandle, TabOpen, TabRef};

/// Tabs of a session
#[derive(Subcommand)]
pub(super) enum Tab {
    /// Open a tab and bind the session to it; without a session, create one
    #[command(
        after_help = "Examples:\n  bproxy tab open https://example.org\n  bproxy tab open https://example.org -s m4q7z2"
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

impl From<Which> for TabRef {
    fn from(which: Which) -> TabRef {
        TabRef { tab: which.tab }
    }
}

impl Tab {
    pub(super) fn run(self, globals: &Globals) -> Result<Outcome, Error> {
        let action = match self {
            Tab::Open(url) => Action::TabOpen(TabOpen { url: url.given() }),
            Tab::List => Action::TabList(NoParams {}),
            Tab::Close(which) => Action::TabClose(which.into()),
            Tab::Pin(which) => Action::TabPin(which.into()),
            Tab::Unpin(which) => Action::TabUnpin(which.into()),
            Tab::Activate(which) => Action::TabActivate(which.into()),
        };
        call::show(globals, &action)
    }
}
