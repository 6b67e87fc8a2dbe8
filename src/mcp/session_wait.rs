//! `session_wait`: until a person has helped and the session goes on.

use std::time::Duration;

use rmcp::model::{CallToolResult, ContentBlock};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;
use tokio::time::Instant;

use super::answer::{self, Envelope};
use super::arguments::{Timeout, milliseconds};
use super::daemon::Daemon;
use crate::protocol;

/// How often the daemon is asked. A person takes longer, and every question is a record in its log.
const ASK_EVERY: Duration = Duration::from_secs(1);

/// How long one question may take: it is answered from memory.
const ASK_WAIT: Duration = Duration::from_secs(10);

/// How long to wait unless told: many clients give up after a minute.
const WAIT: Duration = Duration::from_secs(50);

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
    pub(super) async fn wait(&self, daemon: &Daemon, session: &str) -> CallToolResult {
        let wait = self.timeout.map_or(WAIT, milliseconds);
        let end = Instant::now() + wait;
        loop {
            let reason = match paused(daemon, session).await {
                Ok(Some(reason)) => reason,
                Ok(None) => {
                    let text =
                        "The session is not paused (any more): go on, and read the page first.";
                    return CallToolResult::success(vec![ContentBlock::text(text)]);
                }
                Err(problem) => return answer::error(problem),
            };
            if Instant::now() + ASK_EVERY > end {
                return answer::error(format!(
                    "The session is still paused ({reason}).\nNext: remind the person, then call session_wait again."
                ));
            }
            tokio::time::sleep(ASK_EVERY).await;
        }
    }
}

/// Why the session is paused; none if it is not.
async fn paused(daemon: &Daemon, session: &str) -> Result<Option<String>, String> {
    let list = protocol::SessionList {}.into();
    let answer = daemon.command(list, String::new(), ASK_WAIT).await?;
    let Ok(success) = Envelope::parse(&answer.body)?.outcome() else {
        return Err("the daemon does not list its sessions".to_owned());
    };
    let sessions = success.data.get("sessions").and_then(Value::as_array);
    let found = sessions.and_then(|sessions| sessions.iter().find(|it| it["id"] == session));
    match found {
        Some(found) if found["paused"] == true => {
            Ok(Some(found["pauseReason"].as_str().unwrap_or("no reason given").to_owned()))
        }
        Some(_) => Ok(None),
        None => Err(format!(
            "SESSION_NOT_FOUND: there is no session {session}: it was closed, or the daemon was restarted.\n\
             Next: ask the person whether to go on, and start again with tab_open."
        )),
    }
}
