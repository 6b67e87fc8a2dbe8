//! A Model Context Protocol server on standard input and output: a few tools for most tasks, or one for every action.
//!
//! It is a client of the daemon, as the command line is. Its only state is the sessions that it created and the long
//! answers that are read in pages. [`protocol`](crate::protocol) defines the actions; the files here turn that table into
//! tools, arguments into commands, and answers into text for a model.

mod answer;
mod arguments;
mod batch;
mod calls;
mod core;
mod daemon;
mod downloaded;
mod hand_off;
mod hints;
mod keeper;
mod pagination;
mod paths;
mod progress;
mod prompts;
mod reader;
mod resources;
mod server;
mod session_wait;
mod sessions;
mod suggested;
mod tabs;
mod tools;
mod untrusted;
mod writer;

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use rmcp::service::ServerInitializeError;
use rmcp::{ServiceExt, transport};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;
use tokio::time::timeout;

use server::Server;
pub use tools::Toolset;

/// How many calls may wait at once, each on a thread: as many as the daemon accepts, and some that it refuses or that
/// wait for a browser or a person.
const THREADS: usize = 128;

/// How many answers to lines that nobody understood may wait to be written: the client's next line waits with them.
const MAX_REFUSALS: usize = 4;

/// How long a client that has ended its side has to take the answers that are already written.
const LAST_ANSWERS: Duration = Duration::from_secs(1);

/// Why the server could not start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The system does not provide what the server needs.
    #[error("cannot start the MCP server: {0}")]
    Start(#[from] io::Error),
    /// Standard input does not open an MCP connection.
    #[error(
        "no MCP client on standard input and output ({0}): this command is for a client to run, see `bproxy mcp --help`"
    )]
    Handshake(#[source] Box<ServerInitializeError>),
}

/// How the server talks to the daemon.
pub struct Options {
    /// The state directory of the daemon; none for that of this process.
    pub home: Option<PathBuf>,
    /// The port to call it on; none to call it by its socket, if it has one.
    pub port: Option<u16>,
    /// The session to act in; none for one of the connection's own.
    pub session: Option<String>,
    /// Which tools there are.
    pub tools: Toolset,
    /// How long a command without a timeout of its own may take.
    pub timeout: Duration,
    /// How long to wait for a browser that is not connected.
    pub wait_extension: Duration,
}

/// Serves the client on standard input and output until it disconnects, then closes the sessions created for it.
///
/// # Errors
/// When no client connects, or the event loop cannot start.
pub fn run(options: Options) -> Result<(), Error> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(THREADS)
        .build()?;
    let served = runtime.block_on(serve(options));
    // Nobody reads the answers of calls that still wait.
    runtime.shutdown_background();
    served
}

async fn serve(options: Options) -> Result<(), Error> {
    let server = Server::new(options);
    let mut termination = [SignalKind::terminate(), SignalKind::interrupt(), SignalKind::hangup()]
        .map(signal)
        .into_iter()
        .collect::<io::Result<Vec<_>>>()?;
    let signals = futures_util::future::select_all(
        termination.iter_mut().map(|signal| Box::pin(signal.recv())),
    );
    let (input, output) = transport::stdio_pipes();
    let (refusals, refused) = mpsc::channel(MAX_REFUSALS);
    let (input, read) = reader::reader(input, refusals);
    let (output, written) = writer::writer(output, refused);
    let (_read, written) = (tokio::spawn(read), tokio::spawn(written));
    let connection = async {
        let running = server.clone().serve((input, output)).await;
        // Why the connection ended does not matter.
        running.map_err(|error| Error::Handshake(Box::new(error)))?.waiting().await.ok();
        let _ = timeout(LAST_ANSWERS, written).await;
        Ok(())
    };
    let served = tokio::select! {
        served = connection => served,
        _ = signals => Ok(()),
    };
    server.end().await;
    served
}
