//! The daemon's process, from start to end: lock, log, socket, tokens, readiness, shutdown, clean-up. Also what controls
//! it from outside: service manager, start and stop, doctor, reading the log.
//!
//! Requests and connections are the `daemon` module's.

mod background;
pub mod control;
mod descriptors;
pub mod doctor;
mod idle;
mod listener;
mod logging;
pub mod logs;
pub mod manager;
mod notify;
mod readiness;
mod reload;
mod sandbox;
mod shutdown;
pub mod status;
pub mod token;
mod unable;

use std::cell::Cell;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

use crate::config::{self, Config, LogChoice, SecretsChoice};
use crate::daemon::{self, Activation, Running};
use crate::home::lock::{self, Lock};
use crate::home::{self, Home};
use crate::secrets::{self, SecretStore};
use listener::Listeners;
use logging::{LevelHandle, Log};
use token::Tokens;

/// How long shutdown waits for threads with blocking work, such as writing a token. They take milliseconds; a file
/// system that hangs must not keep the process alive.
const BLOCKING_WORK_DEADLINE: Duration = Duration::from_secs(1);

/// The exit status for an invalid configuration (`EX_CONFIG` of sysexits.h): a restart will not help.
pub const EXIT_CONFIG: u8 = 78;

/// Why a daemon could not start or continue.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The configuration is invalid.
    #[error(transparent)]
    Config(#[from] config::Error),
    /// The state directory cannot be used.
    #[error(transparent)]
    Home(#[from] home::Error),
    /// Another daemon holds the state directory's lock.
    #[error(transparent)]
    Lock(#[from] lock::Error),
    /// The log cannot be opened.
    #[error(transparent)]
    Log(#[from] logging::Error),
    /// There is no listening socket.
    #[error(transparent)]
    Listener(#[from] listener::Error),
    /// The tokens cannot be used.
    #[error(transparent)]
    Secrets(#[from] secrets::Error),
    /// A system call failed that normally does not.
    #[error("cannot {operation}: {source}")]
    System {
        /// The operation, as a verb.
        operation: &'static str,
        /// The system's reason.
        source: io::Error,
    },
    /// The process may open too few files.
    #[error(transparent)]
    Descriptors(#[from] descriptors::TooFew),
    /// The daemon's pairing code cannot be read.
    #[error(transparent)]
    Status(#[from] status::Error),
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
            Error::Config(_) | Error::Log(logging::Error::Journal(_)) | Error::Descriptors(_) => {
                EXIT_CONFIG
            }
            Error::Listener(error) if error.is_about_configuration() => EXIT_CONFIG,
            _ => 2,
        }
    }
}

/// How a daemon was started, which decides where it announces that it is ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// By a service manager, which may pass a socket and may want notifications.
    Service {
        /// Whether a passed socket is required.
        activated: bool,
    },
    /// In a terminal: the readiness message goes to standard output.
    Foreground,
    /// By `service start`, which reads standard output for the readiness message, and standard error if the start fails.
    Detached,
}

/// Runs a daemon until it is told to stop. Call this while the process has one thread.
///
/// # Errors
/// When it cannot start or continue. It cleans up in that case too, and a daemon that a service manager started answers
/// those who wait for it.
pub fn run(
    read_config: impl FnOnce() -> Result<Config, config::Error>,
    mode: Mode,
) -> Result<(), Error> {
    let inherited = match mode {
        Mode::Service { activated } => {
            listener::inherit(activated).inspect_err(|_| unable::hold_up())?
        }
        Mode::Foreground | Mode::Detached => None,
    };
    unable::answering(inherited, |inherited| {
        descriptors::ensure()?;
        start(&read_config()?, mode, inherited)
    })
}

fn start(config: &Config, mode: Mode, inherited: Option<Listeners>) -> Result<(), Error> {
    if mode == Mode::Detached {
        // Leaves the terminal's session, so that closing the terminal does not end the daemon.
        rustix::process::setsid()
            .map_err(|errno| Error::system("leave the terminal's session")(errno.into()))?;
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(Error::system("start the event loop"))?;
    let shutdown = CancellationToken::new();
    // Installed before there is anything to clean up, so that a signal always leads to an orderly shutdown.
    {
        let _guard = runtime.enter();
        shutdown::on_signal(shutdown.clone(), mode == Mode::Foreground)
            .map_err(Error::system("handle signals"))?;
    }
    let home = Home::open(&config.home)?;
    // Dropped last, so that the next daemon starts only after everything else has ended.
    let _lock = Lock::acquire(&home)?;
    // A killed daemon may have left its port file. Whoever holds the lock is taken for the daemon that listens there, so the
    // file goes before anything that takes time.
    home.remove(&home.port())?;
    // Bound before the process may not do so any more; what is wrong with it is told once there is a log.
    let listeners = match inherited {
        Some(listeners) => Ok(listeners),
        None => listener::bind(config.port),
    };
    let listeners = listeners.map(|mut listeners| {
        let own_socket = OwnSocket::bind(&mut listeners, &home);
        (listeners, own_socket)
    });
    let enforced = restrict(config, &home);
    let log = match (config.log, mode) {
        // A detached daemon closes standard error once it is ready.
        (LogChoice::Stderr | LogChoice::Auto, Mode::Detached) => LogChoice::File,
        (choice, _) => choice,
    };
    let log = Log::start(log, config.log_level, &home)?;
    tracing::info!(event = "sandbox", landlock = enforced.landlock, seccomp = enforced.seccomp);
    let result = listeners.map_err(Error::from).and_then(|(listeners, own_socket)| {
        if let Err(problem) = &own_socket {
            tracing::warn!(event = "socket_unavailable", %problem);
        }
        run_locked(config, mode, &home, listeners, &log.level, runtime, &shutdown)
    });
    match &result {
        Ok(()) => tracing::info!(event = "stop"),
        Err(error) => tracing::error!(event = "failed", message = %error),
    }
    result
}

/// Restricts the process to what a daemon needs.
fn restrict(config: &Config, home: &Home) -> sandbox::Enforced {
    daemon::open_sources();
    let mut own = vec![home.path().to_owned()];
    if config.secrets != SecretsChoice::File {
        own.extend(secrets::runtime_directory());
    }
    sandbox::enter(&own)
}

fn run_locked(
    config: &Config,
    mode: Mode,
    home: &Home,
    listeners: Listeners,
    level: &LevelHandle,
    runtime: Runtime,
    shutdown: &CancellationToken,
) -> Result<(), Error> {
    home.write_layout()?;
    let activation = listeners.activation;
    let port = listeners.sockets.port.local_addr();
    let port = port.map_err(Error::system("read the socket's address"))?.port();
    home.read_secret(&home.pairing())?;
    // On another thread, so that the event loop handles signals while a keyring is slow.
    let opened = {
        let (choice, home) = (config.secrets, home.clone());
        runtime.spawn_blocking(move || Tokens::open(choice, &home, activation))
    };
    let opened = runtime.block_on(opened).expect("opening the tokens does not panic");
    // Cleans up from here on. Not earlier: the files of a start that failed above are left for the person to inspect.
    let transient = opened.as_ref().ok().map(|tokens| TransientFiles {
        home,
        secrets: tokens.secrets.clone(),
        activation,
    });
    if shutdown.is_cancelled() {
        return Ok(());
    }
    let Tokens { secrets, daemon_token, extension } = opened?;
    secrets.write_runtime_copy(&daemon_token);
    let options = daemon::Options {
        home: home.clone(),
        daemon_token,
        extension,
        extension_ids: config.extension_ids.clone(),
        resume: config.resume,
        activation,
        secrets,
    };
    let idle_exit = config.idle_exit.filter(|_| activation != Activation::Standalone);
    let result = serve(runtime, shutdown, listeners.sockets, options, |running| {
        background::spawn_tasks(&running, port, config, idle_exit, mode, level, shutdown)?;
        readiness::announce(home, port, mode)?;
        notify::ready(&running, port);
        Ok(())
    });
    drop(transient);
    result
}

fn serve(
    runtime: Runtime,
    shutdown: &CancellationToken,
    listeners: daemon::Listeners,
    options: daemon::Options,
    on_ready: impl FnOnce(Running) -> Result<(), Error>,
) -> Result<(), Error> {
    let on_ready_result = Cell::new(Ok(()));
    let served = runtime.block_on(async {
        let on_ready = |running| {
            on_ready_result.set(on_ready(running).inspect_err(|_| shutdown.cancel()));
        };
        daemon::serve(listeners, options, on_ready, shutdown.clone()).await
    });
    runtime.shutdown_timeout(BLOCKING_WORK_DEADLINE);
    on_ready_result.into_inner()?;
    Ok(served?)
}

/// The Unix socket that the daemon itself has bound. Dropping this removes it.
struct OwnSocket(PathBuf);

impl OwnSocket {
    /// Binds it in the state directory, unless a service manager passed one. The port serves without it too.
    fn bind(
        listeners: &mut Listeners,
        home: &Home,
    ) -> Result<Option<OwnSocket>, listener::local::Error> {
        Ok(listeners.bind_local(&home.socket())?.then(|| OwnSocket(home.socket())))
    }
}

impl Drop for OwnSocket {
    fn drop(&mut self) {
        let _ = listener::local::remove(&self.0);
    }
}

/// The files that exist only while a daemon runs. Dropping this removes them, however the daemon ends.
struct TransientFiles<'a> {
    home: &'a Home,
    secrets: Arc<dyn SecretStore>,
    activation: Activation,
}

impl Drop for TransientFiles<'_> {
    fn drop(&mut self) {
        let _ = self.home.remove(&self.home.port());
        let _ = self.home.remove(&self.home.pairing());
        // With a service manager the token stays: the client whose connection starts the next daemon has to find it.
        if self.activation == Activation::Standalone {
            let _ = self.secrets.remove_daemon_token();
        }
        self.secrets.remove_runtime_copy();
    }
}
