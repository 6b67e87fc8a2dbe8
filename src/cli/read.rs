//! The verbs that read a page.

use std::borrow::Cow;

use clap::{Args, Subcommand};
use serde::{Deserialize, Serialize};

use super::global_args::{Globals, css};
use super::table::Table;
use super::target::Finding;
use super::{Error, Outcome, call, output};
use crate::protocol::{self, Action, By, Criteria, ElementHandle, FrameName, Int, Target, UpTo};

/// Verbs that read the page. A new one needs a variant here and its arguments below; nothing else in the command line
/// changes.
#[derive(Subcommand)]
pub(super) enum Read {
    Text(Text),
    Links(Links),
    Images(Images),
    Elements(Elements),
    Outline(Outline),
    Dom(Dom),
    Inspect(Inspect),
    Snapshot(Snapshot),
    Frames(Frames),
    Find(Find),
    Table(Table),
}

impl Read {
    pub(super) fn run(self, globals: &Globals) -> Result<Outcome, Error> {
        match self {
            Read::Text(verb) => verb.run(globals),
            Read::Table(verb) => verb.run(globals),
            verb => call::show(globals, &verb.action()?),
        }
    }

    /// The action that is asked for. What is made of its answer here is not in it.
    pub(super) fn action(self) -> Result<Action, Error> {
        Ok(match self {
            Read::Text(verb) => verb.action(),
            Read::Links(verb) => verb.action(),
            Read::Images(verb) => verb.action(),
            Read::Elements(verb) => verb.action(),
            Read::Outline(verb) => verb.action(),
            Read::Dom(verb) => verb.action(),
            Read::Inspect(verb) => verb.action()?,
            Read::Snapshot(verb) => verb.action(),
            Read::Frames(verb) => verb.action(),
            Read::Find(verb) => verb.action(),
            Read::Table(verb) => verb.action(),
        })
    }

    /// Whether something is made of its answer here.
    pub(super) fn changes_answer(&self) -> bool {
        matches!(self, Read::Text(Text { after, limit_chars, .. }) if after.is_some() || limit_chars.is_some())
    }
}

/// Read the text that the page shows
#[derive(Args)]
#[command(
    after_help = "Examples:\n  bproxy text -s m4q7z2\n  bproxy text --selector main --after Results --limit-chars 2000 -s m4q7z2"
)]
pub(super) struct Text {
    /// The part of the page to read
    #[arg(long, value_name = "CSS", allow_hyphen_values = true, value_parser = css)]
    selector: Option<String>,

    /// Print only the text after the first occurrence of this marker
    #[arg(long, value_name = "MARKER", allow_hyphen_values = true)]
    after: Option<String>,

    /// Print at most this many characters; "truncated":true in the data says that there are more
    #[arg(long, value_name = "N")]
    limit_chars: Option<usize>,

    /// Also what a person cannot see
    #[arg(long)]
    hidden: bool,

    /// Only this frame, by its name from frames or any other read
    #[arg(long, value_name = "FRAME")]
    frame: Option<FrameName>,
}

#[derive(Deserialize)]
struct WholeText<'a> {
    #[serde(borrow)]
    text: Cow<'a, str>,
}

#[derive(Serialize)]
struct Excerpt<'a> {
    text: &'a str,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    truncated: bool,
}

impl Text {
    fn action(self) -> Action {
        let hidden = self.hidden.then_some(true);
        protocol::Text { selector: self.selector, hidden, frame: self.frame }.into()
    }

    fn run(mut self, globals: &Globals) -> Result<Outcome, Error> {
        let (after, limit_chars) = (self.after.take(), self.limit_chars);
        let action = self.action();
        if after.is_none() && limit_chars.is_none() {
            return call::show(globals, &action);
        }
        call::show_changed(globals, &action, |body| {
            output::change_data(body, |WholeText { text }: WholeText<'_>| {
                let (text, truncated) = excerpt(&text, after.as_deref(), limit_chars)?;
                // Serialized here, because the text is borrowed from the answer.
                Ok(serde_json::to_value(Excerpt { text, truncated }).expect("texts become JSON"))
            })
        })
    }
}

fn excerpt<'a>(
    text: &'a str,
    after: Option<&str>,
    limit: Option<usize>,
) -> Result<(&'a str, bool), Error> {
    let text = match after {
        None => text,
        Some(marker) => {
            text.split_once(marker).map(|(_, rest)| rest).ok_or_else(|| Error::Flag {
                flag: "--after",
                problem: format!(
                    "{marker:?} is not in the text that was read; leave it out to see what is"
                ),
            })?
        }
    };
    let end = limit.and_then(|limit| text.char_indices().nth(limit)).map(|(at, _)| at);
    Ok((&text[..end.unwrap_or(text.len())], end.is_some()))
}

/// List the links of the page, with handles to click
#[derive(Args)]
#[command(
    after_help = "Examples:\n  bproxy links -s m4q7z2\n  bproxy links --contains guide --href-contains /docs/ --limit 20 --output text -s m4q7z2"
)]
pub(super) struct Links {
    /// The part of the page to read
    #[arg(long, value_name = "CSS", allow_hyphen_values = true, value_parser = css)]
    selector: Option<String>,

    /// Leave out invisible links
    #[arg(long)]
    visible_only: bool,

    /// The most links to list, 1 to 5000
    #[arg(long, value_name = "N")]
    limit: Option<Int<1, 5000>>,

    /// Only links whose address contains this
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    href_contains: Option<String>,

    /// Only links whose text contains this, whatever its case
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    contains: Option<String>,

    /// How many links to skip first
    #[arg(long, value_name = "N")]
    offset: Option<Int<0, { u32::MAX }>>,

    /// Give selectors beside handles
    #[arg(long)]
    targets: bool,

    /// Only this frame, by its name from frames or any other read
    #[arg(long, value_name = "FRAME")]
    frame: Option<FrameName>,
}

impl Links {
    fn action(self) -> Action {
        let Links { selector, limit, href_contains, contains, offset, frame, .. } = self;
        protocol::Links {
            selector,
            visible_only: self.visible_only.then_some(true),
            limit,
            href_contains,
            contains,
            offset,
            targets: (!self.targets).then_some(false),
            frame,
        }
        .into()
    }
}

/// List the images of the page
#[derive(Args)]
#[command(after_help = "Example:\n  bproxy images --selector article -s m4q7z2")]
pub(super) struct Images {
    /// The part of the page to read
    #[arg(long, value_name = "CSS", allow_hyphen_values = true, value_parser = css)]
    selector: Option<String>,

    /// Only this frame, by its name from frames or any other read
    #[arg(long, value_name = "FRAME")]
    frame: Option<FrameName>,
}

impl Images {
    fn action(self) -> Action {
        let Images { selector, frame } = self;
        protocol::Images { selector, frame }.into()
    }
}

/// List the controls of the page, with handles to act on
#[derive(Args)]
#[command(
    after_help = "Examples:\n  bproxy elements --form -s m4q7z2\n  bproxy elements --role button --contains save --output text -s m4q7z2"
)]
pub(super) struct Elements {
    /// Only the controls of forms
    #[arg(long)]
    form: bool,

    /// Only controls whose label, value or placeholder contains this, whatever its case
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    contains: Option<String>,

    /// Only controls of this accessible role, such as button
    #[arg(long, value_name = "ROLE")]
    role: Option<String>,

    /// The most controls to list, 1 to 5000
    #[arg(long, value_name = "N")]
    limit: Option<Int<1, 5000>>,

    /// How many controls to skip first
    #[arg(long, value_name = "N")]
    offset: Option<Int<0, { u32::MAX }>>,

    /// Give selectors beside handles
    #[arg(long)]
    targets: bool,

    /// Also what a person cannot see
    #[arg(long)]
    hidden: bool,

    /// Only this frame, by its name from frames or any other read
    #[arg(long, value_name = "FRAME")]
    frame: Option<FrameName>,
}

impl Elements {
    fn action(self) -> Action {
        let Elements { contains, role, limit, offset, frame, .. } = self;
        protocol::Elements {
            form: self.form.then_some(true),
            contains,
            role,
            limit,
            offset,
            targets: (!self.targets).then_some(false),
            hidden: self.hidden.then_some(true),
            frame,
        }
        .into()
    }
}

/// Show the landmarks and headings of the page
#[derive(Args)]
#[command(after_help = "Example:\n  bproxy outline -s m4q7z2")]
pub(super) struct Outline {
    /// Only this frame, by its name from frames or any other read
    #[arg(long, value_name = "FRAME")]
    frame: Option<FrameName>,
}

impl Outline {
    fn action(self) -> Action {
        protocol::Outline { frame: self.frame }.into()
    }
}

/// Print the HTML of the page
#[derive(Args)]
#[command(after_help = "Example:\n  bproxy dom --selector form --depth 3 -s m4q7z2")]
pub(super) struct Dom {
    /// The part of the page to read
    #[arg(long, value_name = "CSS", allow_hyphen_values = true, value_parser = css)]
    selector: Option<String>,

    /// How many levels deep, 1 to 50
    #[arg(long, value_name = "N")]
    depth: Option<Int<1, 50>>,

    /// Only this frame, by its name from frames or any other read
    #[arg(long, value_name = "FRAME")]
    frame: Option<FrameName>,
}

impl Dom {
    fn action(self) -> Action {
        let Dom { selector, depth, frame } = self;
        protocol::Dom { selector, depth, frame }.into()
    }
}

/// Show an element's attributes, position and styles
#[derive(Args)]
#[command(
    after_help = "Examples:\n  bproxy inspect --selector 'button.buy' --properties color,display -s m4q7z2\n  bproxy inspect --element el3 -s m4q7z2"
)]
pub(super) struct Inspect {
    /// The elements to inspect [default: all in --element]
    #[arg(
        long,
        value_name = "CSS",
        allow_hyphen_values = true,
        value_parser = css,
        required_unless_present = "element"
    )]
    selector: Option<String>,

    /// Only this element and what is in it, by its handle from the last elements or links
    #[arg(long, value_name = "HANDLE")]
    element: Option<ElementHandle>,

    /// The properties to report, at most 50, separated by commas
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    properties: Option<Vec<String>>,

    /// The most elements to report, 1 to 50
    #[arg(long, value_name = "N")]
    limit: Option<Int<1, 50>>,

    /// Only this frame, by its name from frames or any other read
    #[arg(long, value_name = "FRAME", conflicts_with = "element")]
    frame: Option<FrameName>,
}

impl Inspect {
    fn action(self) -> Result<Action, Error> {
        let Inspect { selector, element, properties, limit, frame } = self;
        let selector = selector.unwrap_or_else(|| "*".into());
        let target = element.map(|handle| Target::from(By::Handle(handle)));
        let properties = properties
            .map(UpTo::try_from)
            .transpose()
            .map_err(|problem| Error::Flag { flag: "--properties", problem })?;
        Ok(protocol::Inspect { selector, target, properties, limit, frame }.into())
    }
}

/// Show the page as a tree to see and act from, with handles
#[derive(Args)]
#[command(
    after_help = "Examples:\n  bproxy snapshot --interactive-only --output text -s m4q7z2\n  bproxy snapshot --contains invoice --limit-chars 4000 -s m4q7z2\n  bproxy snapshot --since k3x9q2 -s m4q7z2"
)]
pub(super) struct Snapshot {
    /// The part of the page to read
    #[arg(long, value_name = "CSS", allow_hyphen_values = true, value_parser = css)]
    selector: Option<String>,

    /// How many levels deep; all of them without it
    #[arg(long, value_name = "N")]
    max_depth: Option<Int<1, { u32::MAX }>>,

    /// Only what can be acted on
    #[arg(long)]
    interactive_only: bool,

    /// Only lines whose name or value contains this, and what they stand in
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    contains: Option<String>,

    /// Only what has changed since the snapshot with this mark, which was taken with the same flags
    #[arg(long, value_name = "MARK")]
    since: Option<String>,

    /// The most characters of the tree, 500 to 200000; what is left out is counted where it stands
    #[arg(long, value_name = "N")]
    limit_chars: Option<Int<500, 200_000>>,

    /// Also what a person cannot see
    #[arg(long)]
    hidden: bool,

    /// Only this frame, by its name from frames or any other read
    #[arg(long, value_name = "FRAME")]
    frame: Option<FrameName>,
}

impl Snapshot {
    fn action(self) -> Action {
        let Snapshot { selector, max_depth, contains, since, limit_chars, frame, .. } = self;
        protocol::Snapshot {
            selector,
            max_depth,
            interactive_only: self.interactive_only.then_some(true),
            contains,
            since,
            limit_chars,
            hidden: self.hidden.then_some(true),
            frame,
        }
        .into()
    }
}

/// List the frames of the page
#[derive(Args)]
#[command(after_help = "Example:\n  bproxy frames -s m4q7z2")]
pub(super) struct Frames {}

impl Frames {
    fn action(self) -> Action {
        protocol::Frames {}.into()
    }
}

/// Find visible elements by what a reader knows of them, with handles to act on
#[derive(Args)]
#[command(
    group = clap::ArgGroup::new("something known").multiple(true).required(true).args([
        "role", "name", "has_text", "label", "placeholder", "test_id",
    ]),
    after_help = "Examples:\n  bproxy find --role button --name Save -s m4q7z2\n  bproxy find --label 'Card number' --frame f2 -s m4q7z2"
)]
pub(super) struct Find {
    #[command(flatten)]
    finding: Finding,

    /// Only this frame, by its name from frames or any other read
    #[arg(long, value_name = "FRAME")]
    frame: Option<FrameName>,

    /// The most elements to list, 1 to 50
    #[arg(long, value_name = "N")]
    limit: Option<Int<1, 50>>,
}

impl Find {
    fn action(self) -> Action {
        let Find { finding, frame, limit } = self;
        let criteria = finding.criteria().expect("the command line requires something known");
        let Criteria { role, name, text, label, placeholder, test_id, exact, nth } = criteria;
        protocol::Find { role, name, text, label, placeholder, test_id, exact, nth, frame, limit }
            .into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_excerpt_begins_after_the_marker_and_ends_at_the_limit() {
        let cut = |after, limit| excerpt("one – two – three", after, limit).unwrap();
        assert_eq!(cut(None, None), ("one – two – three", false));
        assert_eq!(cut(Some("– "), None), ("two – three", false));
        assert_eq!(cut(Some("– "), Some(5)), ("two –", true));
        assert_eq!(cut(None, Some(17)), ("one – two – three", false));
        assert_eq!(cut(None, Some(0)), ("", true));
    }

    #[test]
    fn a_marker_that_is_not_there_is_an_error_that_names_it() {
        let message = excerpt("one", Some("two"), None).unwrap_err().to_string();
        assert!(message.contains("--after") && message.contains("\"two\""), "{message}");
    }
}
