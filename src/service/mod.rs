//! A process's life: lock, log, socket, tokens, readiness, serving, draining, and what is cleaned up in the end.
//!
//! Knows nothing of commands and connections; the daemon module serves those.

pub mod control;
pub mod doctor;
mod idle;
pub mod lifecycle;
mod listener;
mod logging;
pub mod logs;
pub mod manager;
mod notify;
mod ready;
mod reload;
mod shutdown;
pub mod token;

use std::cell::Cell;
use std::io;
use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

use crate::config::{self, Config, LogChoice};
use crate::daemon::{self, Activation, Running};
use crate::home::lock::{self, Lock};
use crate::home::{self, Home};
use crate::secrets::{self, SecretStore};
use listener::ListeningSocket;
use logging::{LevelHandle, Log};
use token::Tokens;

/// How long the threads that do blocking work, such as writing a token, may hold up the end of the process. They take
/// milliseconds; a file system that hangs must not keep the process alive.
const BLOCKING_WORK: Duration = Duration::from_secs(1);

/// The exit status of a bad configuration (`EX_CONFIG` of sysexits.h): starting again will not help.
pub const EXIT_CONFIG: u8 = 78;

/// Why a daemon could not start or go on.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A variable that cannot be followed.
    #[error(transparent)]
    Config(#[from] config::Error),
    /// The state directory cannot be used.
    #[error(transparent)]
    Home(#[from] home::Error),
    /// Another daemon has the state directory.
    #[error(transparent)]
    Lock(#[from] lock::Error),
    /// There is no log.
    #[error(transparent)]
    Log(#[from] logging::Error),
    /// There is no socket.
    #[error(transparent)]
    Listener(#[from] listener::Error),
    /// The tokens cannot be used.
    #[error(transparent)]
    Secrets(#[from] secrets::Error),
    /// The system refuses something that every process needs.
    #[error("cannot {operation}: {source}")]
    System {
        /// What was tried, as a verb.
        operation: &'static str,
        /// The system's reason.
        source: io::Error,
    },
    /// The daemon's pairing code cannot be told.
    #[error(transparent)]
    Lifecycle(#[from] lifecycle::Error),
    /// Serving failed.
    #[error(transparent)]
    Daemon(#[from] daemon::Error),
}

impl Error {
    fn system(operation: &'static str) -> impl FnOnce(io::Error) -> Error {
        move |source| Error::System { operation, source }
    }

    /// The exit status of a daemon that ends with this error.
    pub fn exit_code(&self) -> u8 {
        match self {
            Error::Config(config::Error::Home(error)) | Error::Home(error) => match error {
                home::Error::Layout(_) => EXIT_CONFIG,
                _ => 2,
            },
            Error::Config(_) | Error::Log(logging::Error::Journal(_)) => EXIT_CONFIG,
            Error::Listener(error) if error.is_about_configuration() => EXIT_CONFIG,
            _ => 2,
        }
    }
}

/// How a daemon was started, and so whom it tells that it is ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// By a service manager, which may have handed over a socket and may want to be told.
    Service {
        /// Whether there must be a socket.
        activated: bool,
    },
    /// In a terminal: the person is told on standard output.
    Foreground,
    /// By `service start`, which reads standard output until the daemon is ready and standard error if it never is.
    Detached,
}

/// Runs a daemon until it is told to stop. To be called while the process has one thread.
///
/// # Errors
/// When it cannot start, or cannot go on. All it made is cleaned up then too.
pub fn run(config: &Config, mode: Mode) -> Result<(), Error> {
    let inherited = match mode {
        Mode::Service { activated } => listener::inherit(activated)?,
        Mode::Foreground => None,
        Mode::Detached => {
            // Out of the terminal's session, so that closing it does not end the daemon.
            rustix::process::setsid()
                .map_err(|errno| Error::system("leave the terminal's session")(errno.into()))?;
            None
        }
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(Error::system("start the event loop"))?;
    let shutdown = CancellationToken::new();
    // Before there is anything to clean up: from here on a signal ends the process in good order.
    {
        let _inside = runtime.enter();
        shutdown::on_signal(shutdown.clone(), mode == Mode::Foreground)
            .map_err(Error::system("handle signals"))?;
    }
    let home = Home::open(&config.home)?;
    // Dropped last: the next daemon may start when all else has ended.
    let _lock = Lock::acquire(&home)?;
    let log = match (config.log, mode) {
        // Standard error is closed as soon as the daemon is ready.
        (LogChoice::Stderr | LogChoice::Auto, Mode::Detached) => LogChoice::File,
        (choice, _) => choice,
    };
    let log = Log::start(log, config.log_level, &home)?;
    let result = run_locked(config, mode, &home, inherited, &log.level, runtime, &shutdown);
    match &result {
        Ok(()) => tracing::info!(event = "stop"),
        Err(error) => tracing::error!(event = "failed", message = %error),
    }
    result
}

fn run_locked(
    config: &Config,
    mode: Mode,
    home: &Home,
    inherited: Option<ListeningSocket>,
    level: &LevelHandle,
    runtime: Runtime,
    shutdown: &CancellationToken,
) -> Result<(), Error> {
    home.write_layout()?;
    // What a killed daemon left would mislead clients while this one starts.
    home.remove(&home.port())?;
    let ListeningSocket { listener, activation } = match inherited {
        Some(listening) => listening,
        None => listener::bind(config.port)?,
    };
    let port = listener.local_addr().map_err(Error::system("look at the socket"))?.port();
    home.read_secret(&home.pairing())?;
    home.clear_tmp()?;
    // A keyring may take its time. Meanwhile the event loop takes signals.
    let opened = {
        let (choice, home) = (config.secrets, home.clone());
        runtime.spawn_blocking(move || Tokens::open(choice, &home, activation))
    };
    let opened = runtime.block_on(opened).expect("opening the tokens does not panic");
    // From here on there is something to clean up, and nothing that a person has to look at first.
    let transient = opened.as_ref().ok().map(|tokens| Transient {
        home,
        secrets: tokens.secrets.clone(),
        activation,
    });
    if shutdown.is_cancelled() {
        return Ok(());
    }
    let Tokens { secrets, daemon_token, extension } = opened?;
    secrets.write_runtime_copy(&daemon_token);
    let secrets_to_migrate = secrets.clone();
    let options = daemon::Options {
        home: home.clone(),
        daemon_token,
        extension,
        extension_ids: config.extension_ids.clone(),
        activation,
        secrets,
    };
    let idle_exit = config.idle_exit.filter(|_| activation != Activation::Standalone);
    let result = serve(runtime, shutdown, listener, options, |running| {
        ready::surround(&running, port, config, idle_exit, mode, level, shutdown)?;
        ready::announce(home, port, mode)?;
        notify::ready(&running, port);
        // May wait for the keyring, which nobody else is to wait for.
        std::thread::spawn(move || secrets_to_migrate.migrate());
        Ok(())
    });
    drop(transient);
    result
}

fn serve(
    runtime: Runtime,
    shutdown: &CancellationToken,
    listener: TcpListener,
    options: daemon::Options,
    ready: impl FnOnce(Running) -> Result<(), Error>,
) -> Result<(), Error> {
    let is_ready = Cell::new(Ok(()));
    let served = runtime.block_on(async {
        let ready = |running| {
            is_ready.set(ready(running).inspect_err(|_| shutdown.cancel()));
        };
        daemon::serve(listener, options, ready, shutdown.clone()).await
    });
    runtime.shutdown_timeout(BLOCKING_WORK);
    is_ready.into_inner()?;
    Ok(served?)
}

/// The files that tell of a running daemon, removed when it ends, however that comes.
struct Transient<'a> {
    home: &'a Home,
    secrets: Arc<dyn SecretStore>,
    activation: Activation,
}

impl Drop for Transient<'_> {
    fn drop(&mut self) {
        let _ = self.home.remove(&self.home.port());
        let _ = self.home.remove(&self.home.pairing());
        // The client whose connection makes a service manager start the next daemon has to find a token.
        if self.activation == Activation::Standalone {
            let _ = self.secrets.remove_daemon_token();
        }
        self.secrets.remove_runtime_copy();
    }
}
