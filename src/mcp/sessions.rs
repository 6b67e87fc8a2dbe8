//! The sessions of one MCP connection: the one that commands go to unless they name another, and all that end with it.

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::Value;
use tokio::sync::Mutex;

use super::daemon::Daemon;
use crate::protocol::{Action, Label, NoParams, SessionCreate};

/// How long the daemon may take to create a session: it is done in memory.
const CREATE_WAIT: Duration = Duration::from_secs(10);

/// How long closing may wait for the browser. The sessions are gone at once; some clients kill a server that is still
/// there two seconds after they hung up.
const CLOSE_WAIT: Duration = Duration::from_millis(1500);

/// What a label may hold.
const LABEL_CHARS: usize = 64;

/// See the module.
pub(super) struct Sessions(Mutex<State>);

struct State {
    /// Where commands go that name no session.
    current: Option<String>,
    /// What this connection has made and has to close.
    made: Vec<String>,
    /// Whether the connection has ended.
    ended: bool,
}

impl Sessions {
    /// Commands go to the session `given`, which belongs to somebody else, or to one that is made when it is needed.
    pub(super) fn new(given: Option<String>) -> Self {
        Self(Mutex::new(State { current: given, made: Vec::new(), ended: false }))
    }

    /// The session that commands go to. Where there is none yet, it is made, with the client's name for a label.
    pub(super) async fn current(&self, daemon: &Daemon, client: &str) -> Result<String, String> {
        // Held while the session is made, so that calls which come together share one.
        let mut state = self.0.lock().await;
        if let Some(session) = &state.current {
            return Ok(session.clone());
        }
        if state.ended {
            return Err("the connection is closing".to_owned());
        }
        let label: String = client.chars().take(LABEL_CHARS).collect();
        let create = Action::SessionCreate(SessionCreate { label: Label::try_from(label).ok() });
        let answer = daemon.command(create, String::new(), CREATE_WAIT).await?;
        let body: Value =
            serde_json::from_slice(&answer.body).map_err(|error| error.to_string())?;
        match body["data"]["session"].as_str() {
            Some(session) => {
                state.made.push(session.to_owned());
                state.current = Some(session.to_owned());
                Ok(session.to_owned())
            }
            None => Err(format!("no session could be made: {}", body["error"]["message"])),
        }
    }

    /// Takes over a session that a command has made. One that comes too late is closed.
    pub(super) async fn adopt(&self, daemon: &Daemon, session: &str) {
        let mut state = self.0.lock().await;
        if state.ended {
            drop(state);
            close(daemon, session.to_owned()).await;
        } else {
            state.made.push(session.to_owned());
        }
    }

    /// Forgets a session that the daemon does not have any more. The next command makes another.
    pub(super) async fn forget(&self, session: &str) {
        let mut state = self.0.lock().await;
        let made = state.made.len();
        state.made.retain(|made| made != session);
        // One that was given is not replaced: the person who gave it has to know.
        if state.made.len() < made && state.current.as_deref() == Some(session) {
            state.current = None;
        }
    }

    /// Closes what this connection has made.
    pub(super) async fn end(&self, daemon: &Daemon) {
        let made = {
            let mut state = self.0.lock().await;
            state.ended = true;
            state.current = None;
            std::mem::take(&mut state.made)
        };
        join_all(made.into_iter().map(|session| close(daemon, session))).await;
    }
}

/// Closes a session. It may be gone, or the daemon may: then there is nothing to close.
async fn close(daemon: &Daemon, session: String) {
    let _ = daemon.command(Action::SessionClose(NoParams {}), session, CLOSE_WAIT).await;
}
