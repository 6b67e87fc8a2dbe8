//! The flags that name an element.

use clap::Args;

use super::Error;
use super::global_args::css;
use crate::protocol::{self, By, Criteria, ElementHandle, FrameName, Int, ShadowRoute};

/// The flags that name an element in one way, and the frame that it is in. A verb that needs an element uses
/// [`RequiredTarget`].
#[derive(Args)]
pub(super) struct Target {
    #[command(flatten)]
    way: Way,

    #[command(flatten)]
    finding: Finding,

    /// The frame that the element is in, from frames or any other read [default: the page itself; for --role, --name and
    /// the like all frames]
    #[arg(long, value_name = "FRAME", conflicts_with = "element")]
    frame: Option<FrameName>,
}

/// At most one flag that names an element by its place or its handle.
#[derive(Args)]
#[group(multiple = false, conflicts_with = FINDING)]
struct Way {
    /// The element that matches this CSS selector
    #[arg(long, value_name = "CSS", allow_hyphen_values = true, value_parser = css)]
    selector: Option<String>,

    /// The element at this route through shadow roots, as {"hosts":[{"selector":CSS}],"target":CSS}
    #[arg(long, value_name = "JSON", value_parser = route)]
    route_json: Option<ShadowRoute>,

    /// The element with this handle, from elements, links, find or snapshot
    #[arg(long, value_name = "HANDLE")]
    element: Option<ElementHandle>,
}

/// The flags that say what a reader knows of an element.
#[derive(Args)]
#[command(group = clap::ArgGroup::new(FINDING).multiple(true).args([
    "role", "name", "has_text", "label", "placeholder", "test_id",
]))]
pub(super) struct Finding {
    /// The visible element with this accessible role, such as button
    #[arg(long, value_name = "ROLE")]
    role: Option<String>,

    /// The visible element with this in its accessible name
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    name: Option<String>,

    /// The visible element that shows this text
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    has_text: Option<String>,

    /// The visible field with this in its label
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    label: Option<String>,

    /// The visible field with this in its placeholder
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    placeholder: Option<String>,

    /// The visible element with this in its test id
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    test_id: Option<String>,

    /// Compare the whole text, and its case
    #[arg(long, requires = FINDING)]
    exact: bool,

    /// Which of several, from 0
    #[arg(long = "index", value_name = "N", requires = FINDING)]
    which: Option<Int<0, { u32::MAX }>>,
}

/// The group of the flags one of which a [`Finding`] has at least.
const FINDING: &str = "what is known of the element";

impl Finding {
    /// What is known; `None` if nothing is.
    pub(super) fn criteria(self) -> Option<Criteria> {
        let Self { role, name, has_text: text, label, placeholder, test_id, exact, which } = self;
        let (exact, nth) = (exact.then_some(true), which);
        let criteria = Criteria { role, name, text, label, placeholder, test_id, exact, nth };
        (!criteria.is_empty()).then_some(criteria)
    }
}

impl Target {
    /// The element named, if one is; otherwise the frame alone.
    pub(super) fn given_or_frame(self) -> (Option<protocol::Target>, Option<FrameName>) {
        let Self { way: Way { selector, route_json, element }, finding, frame } = self;
        let by = None
            .or(selector.map(By::Selector))
            .or(route_json.map(By::Route))
            .or(element.map(By::Handle))
            .or(finding.criteria().map(By::Find));
        match by {
            Some(by) => (Some(protocol::Target { by, frame }), None),
            None => (None, frame),
        }
    }

    /// The element named, if one is.
    ///
    /// # Errors
    /// When a frame is given, and no element in it.
    pub(super) fn given(self) -> Result<Option<protocol::Target>, Error> {
        match self.given_or_frame() {
            (target, None) => Ok(target),
            (_, Some(_)) => {
                let problem =
                    "there is no element in it: add --element, --selector or --role".into();
                Err(Error::Flag { flag: "--frame", problem })
            }
        }
    }
}

/// The flags that name exactly one element.
#[derive(Args)]
#[command(group = clap::ArgGroup::new("required element").multiple(true).required(true).args([
    "selector", "route_json", "element", "role", "name", "has_text", "label", "placeholder", "test_id",
]))]
pub(super) struct RequiredTarget {
    #[command(flatten)]
    target: Target,
}

impl RequiredTarget {
    /// The element named.
    pub(super) fn named(self) -> protocol::Target {
        self.target.given_or_frame().0.expect("the command line requires one")
    }
}

/// The flags that name the element to drop something on, in one way; one is required unless `by` says how far to drag.
#[derive(Args)]
#[command(
    group = clap::ArgGroup::new("where to drop it").multiple(true).required(true).args([
        "to_selector", "to_route_json", "to_element", "by", "to_role", "to_name", "to_has_text",
    ]),
    group = clap::ArgGroup::new(TO_FINDING).multiple(true).args(["to_role", "to_name", "to_has_text"]),
    group = clap::ArgGroup::new(TO_WAY).conflicts_with(TO_FINDING).args(["to_selector", "to_route_json", "to_element", "by"]),
)]
pub(super) struct DropTarget {
    /// Drop it on the element that matches this CSS selector
    #[arg(long, value_name = "CSS", allow_hyphen_values = true, value_parser = css)]
    to_selector: Option<String>,

    /// Drop it on the element at this route, as in --route-json
    #[arg(long, value_name = "JSON", value_parser = route)]
    to_route_json: Option<ShadowRoute>,

    /// Drop it on the element with this handle
    #[arg(long, value_name = "HANDLE")]
    to_element: Option<ElementHandle>,

    /// Drop it on the visible element with this accessible role
    #[arg(long, value_name = "ROLE")]
    to_role: Option<String>,

    /// Drop it on the visible element with this in its accessible name
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    to_name: Option<String>,

    /// Drop it on the visible element that shows this text
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    to_has_text: Option<String>,
}

/// The groups of the flags of a [`DropTarget`]: what is known of the element, and where it is.
const TO_FINDING: &str = "what is known of the drop target";
const TO_WAY: &str = "where the drop target is";

impl DropTarget {
    /// The element named, if one is.
    pub(super) fn given(self) -> Option<protocol::Target> {
        let known = Criteria {
            role: self.to_role,
            name: self.to_name,
            text: self.to_has_text,
            label: None,
            placeholder: None,
            test_id: None,
            exact: None,
            nth: None,
        };
        None.or(self.to_selector.map(By::Selector))
            .or(self.to_route_json.map(By::Route))
            .or(self.to_element.map(By::Handle))
            .or((!known.is_empty()).then_some(By::Find(known)))
            .map(protocol::Target::from)
    }
}

fn route(text: &str) -> Result<ShadowRoute, String> {
    match serde_json::from_str::<ShadowRoute>(text) {
        Ok(route) if route.hosts.is_empty() => {
            Err("`hosts` must name at least one shadow host".into())
        }
        Ok(route) => Ok(route),
        Err(error) => {
            Err(format!("{error}; expected {{\"hosts\":[{{\"selector\":CSS}}],\"target\":CSS}}"))
        }
    }
}
