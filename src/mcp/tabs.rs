//! `tabs`: the core tool that lists a session's tabs, after it has gone to one of them or closed one.

use rmcp::model::JsonObject;
use schemars::JsonSchema;
use serde::Deserialize;

use super::arguments::parse;
use crate::protocol::{Action, SessionBind, TabClose, TabHandle, TabList};

/// The arguments.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Tabs {
    /// The tab to go to, or to close: `t2`
    tab: Option<TabHandle>,
    /// Close it, or the current one
    close: Option<bool>,
}

impl Tabs {
    /// The actions, the last of which lists the tabs. The error is for the model to read.
    pub(super) fn actions(arguments: JsonObject) -> Result<Vec<Action>, String> {
        let Self { tab, close } = parse(arguments)?;
        let first = match (tab, close) {
            (tab, Some(true)) => Some(TabClose { tab }.into()),
            (Some(tab), _) => Some(SessionBind { tab: Some(tab), pacing: None }.into()),
            (None, _) => None,
        };
        Ok(first.into_iter().chain([TabList {}.into()]).collect())
    }
}
