//! `session_wait`: the tool that waits until a person has resumed a paused session.

use std::time::Duration;

use rmcp::model::{CallToolResult, ContentBlock};
use schemars::JsonSchema;
use serde::Deserialize;

use super::answer;
use super::arguments::{Timeout, milliseconds};
use super::daemon::Daemon;
use super::tools::Toolset;
use super::untrusted::with_provenance;
use crate::agent::SessionWait as Ended;
use crate::protocol::ErrorCode;

/// How long to wait unless the call says otherwise: many clients give up after a minute.
const DEFAULT_LIMIT: Duration = Duration::from_secs(50);

/// The arguments.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct SessionWait {
    /// The session; left out, this connection's own.
    pub(super) session: Option<String>,
    /// How long to wait, in milliseconds; 50000 if absent.
    timeout: Option<Timeout>,
}

impl SessionWait {
    /// Waits until `session` is not paused.
    pub(super) async fn wait(
        &self,
        daemon: &Daemon,
        session: &str,
    ) -> Result<CallToolResult, String> {
        let limit = self.timeout.map_or(DEFAULT_LIMIT, milliseconds);
        Ok(match daemon.wait_for_session(session.to_owned(), limit).await? {
            Ended::Running { .. } => {
                let text = "The session is not paused (any more): go on, and read the page first.";
                CallToolResult::success(vec![ContentBlock::text(text)])
            }
            other => unfinished(other, session, Toolset::All),
        })
    }
}

/// What the model reads of a wait that did not end with a session that goes on.
pub(super) fn unfinished(ended: Ended, session: &str, set: Toolset) -> CallToolResult {
    let again = match set {
        Toolset::Core => "require_human",
        Toolset::All => "session_wait",
    };
    match ended {
        Ended::Paused { reason } => {
            let reason = with_provenance(reason, ErrorCode::HumanRequired.provenance());
            answer::error(format!(
                "The session is still paused: {reason}\nNext: remind the person, then call {again} again."
            ))
        }
        Ended::Failed(_, error) => {
            answer::error(format!("the daemon does not list its sessions: {error}"))
        }
        Ended::NotFound | Ended::Running { .. } => answer::error(format!(
            "SESSION_NOT_FOUND: there is no session {session}: it was closed, or nobody used it for too long.\n\
             Next: ask the person whether to go on, and start again with tab_open."
        )),
    }
}
