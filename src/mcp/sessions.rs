//! The sessions of one MCP connection: the current one, which commands go to unless they name another, and all those to
//! close at its end.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use serde::Deserialize;
use tokio::sync::Mutex;

use super::daemon::Daemon;
use super::keeper::Keeper;
use crate::client::Answer;
use crate::protocol::{self, Label, MAX_LABEL_CHARS, SessionCreate};

/// How long the daemon may take to create a session, which it does in memory.
const CREATE_TIMEOUT: Duration = Duration::from_secs(10);

/// How long closing may wait for the browser. The daemon removes the sessions at once; some clients kill a server that is
/// still running two seconds after they disconnected.
const CLOSE_TIMEOUT: Duration = Duration::from_millis(1500);

/// The sessions of one connection. Clones are the same sessions.
#[derive(Clone)]
pub(super) struct Sessions(Arc<Mutex<State>>);

struct State {
    /// The session of commands that do not name one.
    current: Option<String>,
    /// The sessions that this connection has created and has to close, each with what closes it if this process is killed.
    created: Vec<(String, Option<Keeper>)>,
    /// Whether the connection has ended.
    ended: bool,
}

impl Sessions {
    /// Commands go to the session `given`, which this connection does not own, or to one created when it is needed.
    pub(super) fn new(given: Option<String>) -> Self {
        Self(Arc::new(Mutex::new(State { current: given, created: Vec::new(), ended: false })))
    }

    /// The session that commands go to. If there is none yet, creates one with the client's name as its label.
    pub(super) async fn current(&self, daemon: &Daemon, client: &str) -> Result<String, String> {
        let label: String = client.chars().take(MAX_LABEL_CHARS).collect();
        let create = SessionCreate { label: Label::try_from(label).ok() };
        let (sessions, daemon) = (self.clone(), daemon.clone());
        run_to_completion(async move {
            // Held while the session is created, so that concurrent calls share one.
            let mut state = sessions.0.lock().await;
            if let Some(session) = &state.current {
                return Ok(session.clone());
            }
            let answer = state.create(&daemon, create).await?;
            let session = id_in(&answer).ok_or_else(|| {
                format!("no session could be created: {}", String::from_utf8_lossy(&answer.body))
            })?;
            state.current = Some(session.clone());
            Ok(session)
        })
        .await
    }

    /// The session that commands go to, if there is one.
    pub(super) async fn existing(&self) -> Option<String> {
        self.0.lock().await.current.clone()
    }

    /// Creates another session, which is closed with the connection as well.
    pub(super) async fn create(
        &self,
        daemon: &Daemon,
        create: SessionCreate,
    ) -> Result<Answer, String> {
        let (sessions, daemon) = (self.clone(), daemon.clone());
        run_to_completion(async move { sessions.0.lock().await.create(&daemon, create).await })
            .await
    }

    /// Forgets a session that the daemon has closed. The next command creates another.
    pub(super) async fn forget(&self, session: &str) {
        let mut state = self.0.lock().await;
        let count = state.created.len();
        state.created.retain(|(created, _)| created != session);
        // A given session is not replaced: the person who gave it has to know.
        if state.created.len() < count && state.current.as_deref() == Some(session) {
            state.current = None;
        }
    }

    /// Closes the sessions that this connection has created.
    pub(super) async fn end(&self, daemon: &Daemon) {
        let created = {
            let mut state = self.0.lock().await;
            state.ended = true;
            state.current = None;
            std::mem::take(&mut state.created)
        };
        // Errors are ignored: a session that cannot be found is closed.
        join_all(created.iter().map(|(session, _)| {
            daemon.command(protocol::SessionClose {}.into(), session.clone(), CLOSE_TIMEOUT)
        }))
        .await;
    }
}

impl State {
    /// Creates a session and remembers to close it.
    async fn create(&mut self, daemon: &Daemon, create: SessionCreate) -> Result<Answer, String> {
        if self.ended {
            return Err("the connection is closing".to_owned());
        }
        let create = create.into();
        let answer = daemon.command(create, String::new(), CREATE_TIMEOUT).await?;
        let keep = |session: String| {
            let keeper = Keeper::start(&session, &daemon.flags());
            (session, keeper)
        };
        self.created.extend(id_in(&answer).map(keep));
        Ok(answer)
    }
}

/// Runs `creation` to its end even if its caller is cancelled: a session that is not remembered is never closed.
async fn run_to_completion<T: Send + 'static>(
    creation: impl Future<Output = Result<T, String>> + Send + 'static,
) -> Result<T, String> {
    tokio::spawn(creation).await.map_err(|error| error.to_string())?
}

/// The session in an answer to `session.create`.
fn id_in(answer: &Answer) -> Option<String> {
    /// The one member that is needed to close it again.
    #[derive(Deserialize)]
    struct Created {
        session: String,
    }
    answer.data().ok().map(|Created { session }| session)
}
