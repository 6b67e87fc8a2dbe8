//! `navigate`, `back`, `forward` and `reload`: going to a page.

use clap::Args;

use super::global_args::{Globals, word};
use super::then::Then;
use super::{Error, Outcome, call};
use crate::client::{Answer, request_id};
use crate::protocol::{
    self, Action, By, ElementHandle, ErrorCode, InspectData, Int, ProtocolError, Until,
};

/// An address, given with or without a flag, or as that of a link.
#[derive(Args)]
#[group(required = true, multiple = false)]
pub(super) struct Url {
    /// Where to go
    #[arg(value_name = "URL")]
    address: Option<String>,

    /// Where to go, as a flag
    #[arg(long, value_name = "URL")]
    url: Option<String>,

    /// Where the link with this handle leads: a page's own words never pass through a shell
    #[arg(long, value_name = "HANDLE")]
    element: Option<ElementHandle>,
}

impl Url {
    /// Goes to the address with the action that `make` makes of it.
    pub(super) fn go(
        self,
        globals: &Globals,
        make: impl FnOnce(String) -> Action,
    ) -> Result<Outcome, Error> {
        let url = match (self.element, self.address.or(self.url)) {
            (Some(link), _) => match address_of(globals, link)? {
                Ok(url) => url,
                Err(failure) => return call::show_answer(globals, failure),
            },
            (None, url) => url.expect("the command line requires one"),
        };
        call::show(globals, &make(url))
    }
}

/// Where a link on the session's page leads, or the failed answer.
fn address_of(globals: &Globals, link: ElementHandle) -> Result<Result<String, Answer>, Error> {
    const LINKS: &str = "a[href], area[href]";
    let action = protocol::Inspect {
        selector: LINKS.into(),
        target: Some(By::Handle(link.clone()).into()),
        properties: None,
        limit: Int::try_from(1).ok(),
        frame: None,
    };
    let answer = call::send(globals, &action.into(), globals.timeout())?;
    if !answer.ok {
        return Ok(Err(answer));
    }
    let InspectData { elements, .. } =
        answer.data().map_err(|error| Error::Answer(error.to_string()))?;
    match elements.into_iter().next().and_then(|element| element.href) {
        Some(url) => Ok(Ok(url)),
        None => {
            let (link, session) = (link.as_str(), globals.session());
            let message = format!("{link} is no link, nor is there one in it: click it instead");
            let mut error = ProtocolError::new(ErrorCode::ElementNotActionable, message, session);
            error.suggested_action = Some(format!("bproxy click --element {link} -s {session}"));
            let body = protocol::failure(&request_id(), &error);
            Ok(Err(Answer { ok: false, body }))
        }
    }
}

/// How far a new page has to come.
#[derive(Args)]
pub(super) struct UntilArg {
    /// How far the page has to come before the answer [default: load, for 10 seconds at most]
    #[arg(long, value_name = "STATE", value_parser = word::<Until>(Until::WORDS))]
    pub(super) until: Option<Until>,
}

/// Go to an address in the session's tab
#[derive(Args)]
#[command(
    after_help = "Examples:\n  bproxy navigate https://example.org -s m4q7z2\n  bproxy navigate --element ln3 -s m4q7z2"
)]
pub(super) struct Navigate {
    #[command(flatten)]
    url: Url,

    #[command(flatten)]
    until: UntilArg,

    #[command(flatten)]
    then: Then,
}

impl Navigate {
    pub(super) fn run(self, globals: &Globals) -> Result<Outcome, Error> {
        self.url.go(globals, |url| {
            protocol::Navigate { url, until: self.until.until, then: self.then.given() }.into()
        })
    }
}

/// Go back to the page before this one in the tab's history
#[derive(Args)]
#[command(after_help = "Example:\n  bproxy back -s m4q7z2")]
pub(super) struct Back {
    #[command(flatten)]
    then: Then,
}

impl Back {
    pub(super) fn run(self, globals: &Globals) -> Result<Outcome, Error> {
        call::show(globals, &protocol::Back { then: self.then.given() }.into())
    }
}

/// Go forward again in the tab's history
#[derive(Args)]
#[command(after_help = "Example:\n  bproxy forward -s m4q7z2")]
pub(super) struct Forward {
    #[command(flatten)]
    then: Then,
}

impl Forward {
    pub(super) fn run(self, globals: &Globals) -> Result<Outcome, Error> {
        call::show(globals, &protocol::Forward { then: self.then.given() }.into())
    }
}

/// Load the session's page anew
#[derive(Args)]
#[command(after_help = "Example:\n  bproxy reload -s m4q7z2")]
pub(super) struct Reload {
    #[command(flatten)]
    then: Then,
}

impl Reload {
    pub(super) fn run(self, globals: &Globals) -> Result<Outcome, Error> {
        call::show(globals, &protocol::Reload { then: self.then.given() }.into())
    }
}
