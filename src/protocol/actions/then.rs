//! A read that an act, an open or a navigation brings along, so that a step of an agent is one command.

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, de::Error as _};
use serde_json::{Map, Value};

use super::{Action, Mints, Route};
use crate::protocol::values::{data, params, words};

words! {
    /// The reads that can be brought along.
    ThenAction {
        /// `snapshot`
        Snapshot = "snapshot",
        /// `text`
        Text = "text",
        /// `find`
        Find = "find",
        /// `elements`
        Elements = "elements",
        /// `links`
        Links = "links",
    }
}

/// A read to do once the page has come to rest: under the same id, in the same turn and before the same deadline.
#[derive(Clone, PartialEq, Debug, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Then {
    /// The read.
    pub action: ThenAction,
    /// Its parameters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub params: Option<Map<String, Value>>,
}

impl Then {
    /// The read with its parameters.
    ///
    /// # Errors
    ///
    /// What is wrong with the parameters.
    fn read(&self) -> Result<Action, String> {
        let params = self.params.clone().unwrap_or_default();
        let action = self.action.as_str();
        Action::parse(action, &Value::Object(params).to_string())
            .unwrap_or_else(|| Err(format!("there is no action {action}")))
    }

    /// Where its data name elements that get handles, if they may name any.
    pub(super) fn mints(&self) -> Option<Mints> {
        match self.read().ok()?.route() {
            Route::Tab(_, handling) => handling.mints(),
            Route::Daemon(_) | Route::Session(_) | Route::NewTab(_) => None,
        }
    }
}

impl TryFrom<Action> for Then {
    type Error = String;

    fn try_from(read: Action) -> Result<Self, String> {
        let action = read
            .name()
            .parse()
            .map_err(|problem| format!("this read cannot be brought along: {problem}"))?;
        let params: Map<String, Value> = serde_json::from_str(&read.params()).unwrap_or_default();
        Ok(Self { action, params: Some(params).filter(|params| !params.is_empty()) })
    }
}

impl<'de> Deserialize<'de> for Then {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        params! {
            /// What is given.
            #[allow(unreachable_pub)] // parameters are public everywhere else
            Given {
                /// See [`Then::action`].
                action: ThenAction,
                ;
                /// See [`Then::params`].
                params: Map<String, Value>,
            }
        }

        let Given { action, params } = Deserialize::deserialize(deserializer)?;
        let then = Self { action, params };
        then.read().map_err(D::Error::custom)?;
        Ok(then)
    }
}

data! {
    /// Why a read that an act brought along failed. The act itself did not.
    ThenError {
        /// The code, as of any failure.
        code: String,
        /// What happened, and what to do next.
        message: String,
        ;
        /// A command to run next.
        suggested_action: String,
    }
}
