//! A read that an act, an open or a navigation brings along, so that a step of an agent is one command.

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
        /// `table`
        Table = "table",
    }
}

params! {
    /// A read to do once the page has come to rest: under the same id, in the same turn and before the same deadline.
    Then {
        /// The read.
        action: ThenAction,
        ;
        /// Its parameters.
        params: Map<String, Value>,
    }
}

impl Then {
    /// The read with its parameters.
    ///
    /// # Errors
    ///
    /// What is wrong with the parameters.
    pub(super) fn read(&self) -> Result<Action, String> {
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
