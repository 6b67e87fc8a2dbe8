//! The daemon proper: HTTP and WebSocket in, replies and messages out.
//!
//! It turns requests into calls of [`crate::state`], and the state's decisions into messages. Where the listener comes from
//! and what surrounds the process is the service layer's business.

mod activity;
mod allocator;
mod challenge;
mod command;
mod connection_limit;
mod door;
mod events;
mod files;
mod gate;
mod health;
mod keyring;
mod lingering_close;
mod pair;
mod rejection;
mod routes;
mod server;
mod socket;
mod transfer;
mod unable;

pub use activity::Running;
pub use door::Listeners;
pub use gate::{Gate, Passed, Refusal};
pub use health::open_sources;
pub use unable::answer_waiting;

use std::{io, sync::Arc, time::Duration};

use futures_util::FutureExt as _;

use tokio::{task::JoinHandle, time::Instant};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    config::Resume,
    home::{self, Found, Home},
    protocol::DRAIN,
    secrets::{ExtensionCredential, Secret, SecretStore},
    state::{CloseReason, Event, Kept, Now, Process, State},
};
use door::Doors;
use files::Files;
use server::Server;

/// How long connections may take to deliver their last answer and to close.
const CLOSE_TIME: Duration = Duration::from_secs(1);

/// How long a stopping, socket-activated daemon serves the connections that it has accepted. Later ones wait in the
/// socket for the next daemon.
const ACCEPTED_TIME: Duration = Duration::from_millis(500);

/// Who made the listening socket.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Activation {
    /// systemd handed it over.
    Systemd,
    /// launchd handed it over.
    Launchd,
    /// This process bound it.
    Standalone,
}

impl Activation {
    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Systemd => "systemd",
            Self::Launchd => "launchd",
            Self::Standalone => "standalone",
        }
    }
}

/// What a daemon serves with.
pub struct Options {
    /// The state directory.
    pub home: Home,
    /// The token that clients send.
    pub daemon_token: Secret,
    /// The extension's credential, from an earlier pairing.
    pub extension: Option<ExtensionCredential>,
    /// The only extensions that may claim or connect; any if none are named.
    pub extension_ids: Option<Vec<String>>,
    /// Who may resume a paused session.
    pub resume: Resume,
    /// Who made the listening socket.
    pub activation: Activation,
    /// Where the extension's token is kept.
    pub secrets: Arc<dyn SecretStore>,
}

/// Why a daemon cannot serve.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A socket is not usable.
    #[error("cannot listen: {0}")]
    Listen(#[source] io::Error),
    /// The pairing code cannot be written.
    #[error(transparent)]
    Home(#[from] home::Error),
    /// A task that nothing works without has ended, by a panic. Whoever manages the daemon starts another one.
    #[error("the daemon's {0} has ended by a bug; what was in progress is lost")]
    Ended(&'static str),
}

/// What every route has access to.
struct Context {
    state: State,
    port: u16,
    started: Instant,
    options: Options,
    gate: Gate,
    activity: activity::Activity,
    last_look: keyring::LastLook,
    /// Blocking work that must be finished before the process ends.
    tasks: TaskTracker,
    /// Browsers' connections end when this is cancelled.
    browsers: CancellationToken,
    /// Subscriptions to events end when this is cancelled.
    subscribers: CancellationToken,
}

/// Serves until `shutdown` is cancelled, then drains: commands in flight have five seconds, then browsers are
/// disconnected and `pairing.json` is removed (protocol §12). A socket that a service manager keeps is left to the next
/// daemon at once, with the connections that wait in it.
///
/// `ready` is called once, when requests are accepted and `pairing.json` is there.
///
/// # Errors
///
/// If the listener cannot be used, or `pairing.json` cannot be written.
///
/// # Panics
///
/// Outside a tokio runtime with I/O and time.
pub async fn serve(
    listeners: Listeners,
    mut options: Options,
    ready: impl FnOnce(Running),
    shutdown: CancellationToken,
) -> Result<(), Error> {
    allocator::keep();
    let port = listeners.port.local_addr().map_err(Error::Listen)?.port();
    let doors = Doors::open(listeners)?;

    let started = Instant::now();
    let process = Process { pid: std::process::id(), port, started: started.into_std() };
    let files = Files::new(options.home.clone());
    let state = State::new(process, options.extension.take(), Box::new(files.clone()));
    let kept = match files.load() {
        Found::Nothing => Kept::default(),
        Found::Sessions(kept) => kept,
        Found::Lost(problem) => {
            state.emit(&Event::SessionsLost { problem: &problem }, now());
            Kept::default()
        }
    };
    state.restore(kept, now())?;
    state.set_resume(options.resume);
    state.set_unreadable_pairing(options.secrets.unreadable());
    let ids = options.extension_ids.take();
    let gate = Gate::new(port, options.daemon_token.clone(), ids, state.clone());
    let context = Arc::new(Context {
        state: state.clone(),
        port,
        started,
        gate,
        activity: activity::Activity::new(),
        last_look: keyring::LastLook::default(),
        options,
        tasks: TaskTracker::new(),
        browsers: CancellationToken::new(),
        subscribers: CancellationToken::new(),
    });
    state.issue_code(now())?;

    let stop_timer = CancellationToken::new();
    let spawn = |task| tokio::spawn(stop_timer.clone().run_until_cancelled_owned(task));
    let mut timer = spawn(run_timer(state.clone()).boxed());
    let mut syncing = spawn(files.clone().keep_synced().boxed());
    let activity = context.activity.clone();
    let routes = routes::all(context.clone());
    let mut server = Server::start(doors, routes, move || activity.touch());
    ready(Running(context.clone()));
    // Ends with the runtime.
    tokio::spawn(shutdown.clone().run_until_cancelled_owned(keyring::watch(context.clone())));

    let tasks =
        [("timer", &mut timer), ("file", &mut syncing), ("listener", &mut server.accepting)];
    serve_until(&shutdown, tasks).await?;
    context.subscribers.cancel();
    if context.options.activation != Activation::Standalone {
        server.finish(ACCEPTED_TIME).await;
    }
    state.drain();
    if tokio::time::timeout(DRAIN, state.drained()).await.is_err() {
        state.abort_all(&rejection::shutting_down());
    }
    server.finish(CLOSE_TIME).await;
    state.close_all(CloseReason::ShuttingDown);
    context.browsers.cancel();
    context.tasks.close();
    if tokio::time::timeout(CLOSE_TIME, context.tasks.wait()).await.is_err() {
        tracing::warn!(event = "shutdown_unfinished", tasks = context.tasks.len() as u64);
    }
    stop_timer.cancel();
    // They can only fail by a panic, which has been logged.
    let _ = (timer.await, syncing.await);
    // Twice, so that the file and the one before it are on the disk, and both are the latest.
    files.sync(CLOSE_TIME).await;
    state.save(now());
    files.sync(CLOSE_TIME).await;
    if let Err(error) = context.options.home.remove(&context.options.home.pairing()) {
        tracing::warn!(event = "pairing_file_failed", problem = %error);
    }
    Ok(())
}

/// Waits for the end that is asked for.
///
/// # Errors
/// If one of these tasks ends before.
async fn serve_until<const N: usize>(
    shutdown: &CancellationToken,
    tasks: [(&'static str, &mut JoinHandle<Option<()>>); N],
) -> Result<(), Error> {
    let ends = tasks.map(|(name, task)| {
        Box::pin(async move {
            // A panic has been logged.
            let _ = task.await;
            name
        })
    });
    tokio::select! {
        () = shutdown.cancelled() => Ok(()),
        (name, ..) = futures_util::future::select_all(ends) => Err(Error::Ended(name)),
    }
}

/// Runs the state's agenda: one timer for everything that is due.
async fn run_timer(state: State) {
    let earlier = state.timer();
    loop {
        let due = state.arm();
        let wait = async {
            match due {
                Some(due) => tokio::time::sleep_until(due.into()).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = wait => state.tick(now()),
            () = earlier.notified() => {}
        }
    }
}

/// The current time on both clocks.
fn now() -> Now {
    let unix =
        std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    Now { instant: Instant::now().into_std(), unix_ms: unix.as_millis() as i64 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_daemon_whose_timer_panics_ends_with_an_error_that_names_it() {
        let mut timer = tokio::spawn(async { panic!("as a bug would") });
        let mut other = tokio::spawn(std::future::pending::<Option<()>>());
        let shutdown = CancellationToken::new();
        let ended = serve_until(&shutdown, [("timer", &mut timer), ("other", &mut other)]).await;
        assert!(ended.unwrap_err().to_string().contains("timer"));
    }

    #[tokio::test]
    async fn a_daemon_whose_tasks_go_on_serves_until_it_is_told_to_stop() {
        let mut task = tokio::spawn(std::future::pending::<Option<()>>());
        let shutdown = CancellationToken::new();
        shutdown.cancel();
        serve_until(&shutdown, [("task", &mut task)]).await.unwrap();
    }
}
