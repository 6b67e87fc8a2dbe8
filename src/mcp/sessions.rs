//! The sessions of one MCP connection: the one that commands go to unless they name another, and all that end with it.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use serde::Deserialize;
use tokio::sync::Mutex;

use super::daemon::Daemon;
use crate::client::Answer;
use crate::protocol::{self, Label, MAX_LABEL_CHARS, SessionCreate};

/// How long the daemon may take to create a session: it is done in memory.
const CREATE_WAIT: Duration = Duration::from_secs(10);

/// How long closing may wait for the browser. The sessions are gone at once; some clients kill a server that is still
/// there two seconds after they hung up.
const CLOSE_WAIT: Duration = Duration::from_millis(1500);

/// See the module. Clones are the same sessions.
#[derive(Clone)]
pub(super) struct Sessions(Arc<Mutex<State>>);

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
        Self(Arc::new(Mutex::new(State { current: given, made: Vec::new(), ended: false })))
    }

    /// The session that commands go to. Where there is none yet, it is made, with the client's name for a label.
    pub(super) async fn current(&self, daemon: &Daemon, client: &str) -> Result<String, String> {
        let label: String = client.chars().take(MAX_LABEL_CHARS).collect();
        let create = SessionCreate { label: Label::try_from(label).ok() };
        let (sessions, daemon) = (self.clone(), daemon.clone());
        to_the_end(async move {
            // Held while the session is made, so that calls which come together share one.
            let mut state = sessions.0.lock().await;
            if let Some(session) = &state.current {
                return Ok(session.clone());
            }
            let answer = state.create(&daemon, create).await?;
            let session = id_in(&answer).ok_or_else(|| {
                format!("no session could be made: {}", String::from_utf8_lossy(&answer.body))
            })?;
            state.current = Some(session.clone());
            Ok(session)
        })
        .await
    }

    /// Makes another session, which ends with the connection as well.
    pub(super) async fn create(
        &self,
        daemon: &Daemon,
        create: SessionCreate,
    ) -> Result<Answer, String> {
        let (sessions, daemon) = (self.clone(), daemon.clone());
        to_the_end(async move { sessions.0.lock().await.create(&daemon, create).await }).await
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
        // One that is gone already, with the daemon or without it, needs no closing.
        join_all(
            made.into_iter().map(|session| {
                daemon.command(protocol::SessionClose {}.into(), session, CLOSE_WAIT)
            }),
        )
        .await;
    }
}

impl State {
    /// Makes a session and takes note of it.
    async fn create(&mut self, daemon: &Daemon, create: SessionCreate) -> Result<Answer, String> {
        if self.ended {
            return Err("the connection is closing".to_owned());
        }
        let create = create.into();
        let answer = daemon.command(create, String::new(), CREATE_WAIT).await?;
        self.made.extend(id_in(&answer));
        Ok(answer)
    }
}

/// Runs `making` to its end even if nobody waits for it any more: a session that nobody knows is never closed.
async fn to_the_end<T: Send + 'static>(
    making: impl Future<Output = Result<T, String>> + Send + 'static,
) -> Result<T, String> {
    tokio::spawn(making).await.map_err(|error| error.to_string())?
}

/// The session in an answer to `session.create`.
fn id_in(answer: &Answer) -> Option<String> {
    #[derive(Deserialize)]
    struct Created {
        session: String,
    }
    answer.data().ok().map(|Created { session }| session)
}
