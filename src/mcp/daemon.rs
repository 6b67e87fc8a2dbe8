//! Calls to the daemon, each on a thread of its own so that the event loop goes on meanwhile.

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use crate::agent::{self, SessionWait};
use crate::client::{self, Answer, CancelToken, Client, Error, LocalFile, request_id};
use crate::protocol::{self, Action, Caller, FileHandle};

/// How long listing the sessions may take: the daemon answers from memory.
const LIST_TIMEOUT: Duration = Duration::from_secs(10);

/// The daemon of one state directory. Clones are the same daemon.
#[derive(Clone)]
pub(super) struct Daemon {
    home: Option<Arc<PathBuf>>,
    /// Given: the daemon is called there and not by its socket.
    port: Option<u16>,
    /// What the daemon is told of who asks; known from the first call on.
    caller: Arc<OnceLock<Caller>>,
}

/// Cancels a call when the future that waits for it is dropped, as it is when the client cancels its request.
struct CancelOnDrop(CancelToken);

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

impl Daemon {
    /// The daemon of the state directory `home`, or of this process's.
    pub(super) fn new(home: Option<PathBuf>, port: Option<u16>) -> Daemon {
        Daemon { home: home.map(Arc::new), port, caller: Arc::default() }
    }

    /// The flags that lead the command line to the same daemon.
    pub(super) fn flags(&self) -> Vec<String> {
        let home = self.home.iter().map(|home| format!("--home={}", home.display()));
        home.chain(self.port.iter().map(|port| format!("--port={port}"))).collect()
    }

    /// Says which client this server serves. Its folder is that in which it has started this process.
    pub(super) fn introduce(&self, client: &str) {
        self.caller.get_or_init(|| {
            let folder = std::env::current_dir().ok();
            Caller::new(client, folder.as_deref().and_then(|folder| folder.to_str()))
        });
    }

    /// Sends a command and waits for its answer. The error is for the model to read.
    pub(super) async fn command(
        &self,
        action: Action,
        session: String,
        timeout: Duration,
    ) -> Result<Answer, String> {
        self.command_with_retries(action, session, timeout, Duration::ZERO).await
    }

    /// Like [`Daemon::command`], retried for up to `limit` while no browser is connected.
    pub(super) async fn command_with_retries(
        &self,
        action: Action,
        session: String,
        timeout: Duration,
        limit: Duration,
    ) -> Result<Answer, String> {
        self.call(move |daemon, cancel| {
            let send = || daemon.send(cancel, &action, &session, timeout);
            agent::retry_until_browser(limit, cancel, send, || daemon.connect()?.health())
        })
        .await
    }

    /// Gives files to a session: the names that they have there, or the answer that says why one was not taken. The error
    /// is for the model to read.
    pub(super) async fn give_files(
        &self,
        mut files: Vec<LocalFile>,
        session: String,
        limit: Duration,
    ) -> Result<Result<Vec<FileHandle>, Answer>, String> {
        self.call(move |daemon, cancel| {
            let client = daemon.connect()?;
            let give = |file: &mut LocalFile| client.give_file(cancel, &session, file);
            agent::give_files(&mut files, &session, limit, cancel, give)
        })
        .await
    }

    /// Waits up to `limit` until a session is not paused. The error is for the model to read.
    pub(super) async fn wait_for_session(
        &self,
        session: String,
        limit: Duration,
    ) -> Result<SessionWait, String> {
        self.call(move |daemon, cancel| {
            let list = protocol::SessionList {}.into();
            let list = || daemon.send(cancel, &list, "", LIST_TIMEOUT);
            agent::wait_for_session(&session, Some(limit), cancel, list)
        })
        .await
    }

    /// Runs a blocking call, and cancels it if the caller stops waiting for the result.
    async fn call<T: Send + 'static>(
        &self,
        call: impl FnOnce(&Daemon, &CancelToken) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, String> {
        let (daemon, cancel) = (self.clone(), CancelToken::default());
        let _on_drop = CancelOnDrop(cancel.clone());
        let result = tokio::task::spawn_blocking(move || call(&daemon, &cancel)).await;
        result
            .map_err(|error| format!("the command failed: {error}"))?
            .map_err(|error| error.to_string())
    }

    fn send(
        &self,
        cancel: &CancelToken,
        action: &Action,
        session: &str,
        timeout: Duration,
    ) -> Result<Answer, Error> {
        let id = request_id();
        let send = || self.connect()?.command_cancellable(cancel, &id, action, session, timeout);
        let ask = || self.connect()?.recall(cancel, &id, action, session, timeout);
        agent::send_or_ask(cancel, send, ask)
    }

    /// Finds the daemon. Called for every command, because the daemon may have been restarted.
    fn connect(&self) -> Result<Client, Error> {
        let home = self.home.as_ref().map(|home| home.as_path());
        let client = match self.port {
            Some(port) => client::connect_port(home, port),
            None => client::connect(home),
        };
        Ok(client?.on_behalf_of(self.caller.get().cloned()))
    }
}
