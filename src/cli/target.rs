//! The flags that name an element.

use clap::Args;

use crate::protocol::{self, ElementHandle, ShadowRoute};

/// At most one flag that names an element. A verb that needs one requires the group [`TARGET`].
#[derive(Args)]
#[group(id = TARGET, multiple = false)]
pub(super) struct Target {
    /// The element that matches this CSS selector
    #[arg(long, value_name = "CSS", allow_hyphen_values = true)]
    selector: Option<String>,

    /// The element at this route through open shadow roots, as {"hosts":[{"selector":CSS}],"target":CSS}
    #[arg(long, value_name = "JSON", value_parser = route)]
    route_json: Option<ShadowRoute>,

    /// The element with this handle, from elements, links or snapshot
    #[arg(long, value_name = "HANDLE")]
    element: Option<ElementHandle>,
}

/// The name of the group.
pub(super) const TARGET: &str = "element to act on";

impl Target {
    /// The element named, if one is.
    pub(super) fn given(self) -> Option<protocol::Target> {
        None.or(self.selector.map(protocol::Target::Selector))
            .or(self.route_json.map(protocol::Target::Route))
            .or(self.element.map(protocol::Target::Handle))
    }
}

/// Exactly one flag that names an element.
#[derive(Args)]
#[command(group = clap::ArgGroup::new("required element").args(["selector", "route_json", "element"]).required(true))]
pub(super) struct RequiredTarget {
    #[command(flatten)]
    target: Target,
}

impl RequiredTarget {
    /// The element named.
    pub(super) fn named(self) -> protocol::Target {
        self.target.given().expect("the command line requires one")
    }
}

/// At most one flag that names the element to drop something on; one is required unless `by` says how far to drag.
#[derive(Args)]
#[command(group = clap::ArgGroup::new("where to drop it").args(["to_selector", "to_route_json", "to_element", "by"]).required(true))]
pub(super) struct DropTarget {
    /// Drop it on the element that matches this CSS selector
    #[arg(long, value_name = "CSS", allow_hyphen_values = true)]
    to_selector: Option<String>,

    /// Drop it on the element at this route, as in --route-json
    #[arg(long, value_name = "JSON", value_parser = route)]
    to_route_json: Option<ShadowRoute>,

    /// Drop it on the element with this handle
    #[arg(long, value_name = "HANDLE")]
    to_element: Option<ElementHandle>,
}

impl DropTarget {
    /// The element named, if one is.
    pub(super) fn given(self) -> Option<protocol::Target> {
        None.or(self.to_selector.map(protocol::Target::Selector))
            .or(self.to_route_json.map(protocol::Target::Route))
            .or(self.to_element.map(protocol::Target::Handle))
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
