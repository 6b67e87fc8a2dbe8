//! `tab …`: the tabs of a session.

use clap::{Args, Subcommand};

use super::global_args::{Globals, word};
use super::navigate::{UntilArg, Url};
use super::then::Then;
use super::{Error, Outcome, call};
use crate::protocol::{self, InWindow, TabHandle};

/// Tabs of a session
#[derive(Subcommand)]
pub(super) enum Tab {
    /// Open a tab and bind the session to it; without a session, create one
    #[command(
        after_help = "Examples:\n  bproxy tab open https://example.org\n  bproxy tab open https://example.org -s m4q7z2\n  bproxy tab open --element ln3 -s m4q7z2"
    )]
    Open(Open),
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
    Activate(Activate),
}

#[derive(Args)]
pub(super) struct Open {
    #[command(flatten)]
    url: Url,

    /// Where the tab opens: in the background of the person's window, or in a window of the session's own, which opens
    /// without the focus, for pictures and for pages that must be drawn [default: current]
    #[arg(long, value_name = "WINDOW", value_parser = word::<InWindow>(InWindow::WORDS))]
    window: Option<InWindow>,

    #[command(flatten)]
    until: UntilArg,

    #[command(flatten)]
    then: Then,
}

#[derive(Args)]
pub(super) struct Which {
    /// The tab [default: the one that the session is bound to]
    #[arg(long, value_name = "TAB")]
    tab: Option<TabHandle>,
}

#[derive(Args)]
pub(super) struct Activate {
    #[command(flatten)]
    which: Which,

    #[command(flatten)]
    then: Then,
}

impl Tab {
    pub(super) fn run(self, globals: &Globals) -> Result<Outcome, Error> {
        let action = match self {
            Tab::Open(Open { url, window, until, then }) => {
                let (until, then) = (until.until, then.given());
                return url
                    .go(globals, |url| protocol::TabOpen { url, window, until, then }.into());
            }
            Tab::List => protocol::TabList {}.into(),
            Tab::Close(which) => protocol::TabClose { tab: which.tab }.into(),
            Tab::Pin(which) => protocol::TabPin { tab: which.tab }.into(),
            Tab::Unpin(which) => protocol::TabUnpin { tab: which.tab }.into(),
            Tab::Activate(Activate { which, then }) => {
                protocol::TabActivate { tab: which.tab, then: then.given() }.into()
            }
        };
        call::show(globals, &action)
    }
}
