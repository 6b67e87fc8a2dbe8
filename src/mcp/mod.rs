//! A Model Context Protocol server on standard input and output: every action is a tool.
//!
//! It is a client of the daemon, as the command line is, and keeps nothing but the sessions that it made and the rests
//! of long answers. What an action is stands in [`protocol`](crate::protocol); the files here turn that table into
//! tools, arguments into commands, and answers into what a model reads.

mod answer;
mod arguments;
mod daemon;
mod hints;
mod pagination;
mod progress;
mod server;
mod session_wait;
mod sessions;
mod tools;
mod untrusted;

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use rmcp::service::ServerInitializeError;
use rmcp::{ServiceExt, transport};
use tokio::signal::unix::{SignalKind, signal};

use server::Server;

/// How many calls may wait for the daemon at once: as many as it takes, and some that it refuses.
const THREADS: usize = 128;

/// Why there is no server.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The system refuses what the server needs.
    #[error("cannot start the MCP server: {0}")]
    Start(#[from] io::Error),
    /// What came on standard input does not open an MCP connection.
    #[error(
        "no MCP client on standard input and output ({0}): this command is for a client to run, see `bproxy mcp --help`"
    )]
    Handshake(#[source] Box<ServerInitializeError>),
}

/// How the server talks to the daemon.
pub struct Options {
    /// The state directory of the daemon; none for that of this process.
    pub home: Option<PathBuf>,
    /// The session to act in; none for one that is the connection's own.
    pub session: Option<String>,
    /// How long a command may take that does not say so itself.
    pub timeout: Duration,
    /// How long a browser that is not connected is waited for.
    pub wait_extension: Duration,
}

/// Serves the client on standard input and output until it goes, then closes the sessions that were made for it.
///
/// # Errors
/// When there is no client, or no event loop.
pub fn run(options: Options) -> Result<(), Error> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(THREADS)
        .build()?;
    let served = runtime.block_on(serve(options));
    // A call that still waits for the daemon is of no use to anyone now.
    runtime.shutdown_background();
    served
}

async fn serve(options: Options) -> Result<(), Error> {
    let server = Server::new(options);
    let mut told_to_end = [SignalKind::terminate(), SignalKind::interrupt(), SignalKind::hangup()]
        .map(signal)
        .into_iter()
        .collect::<io::Result<Vec<_>>>()?;
    let signals = futures_util::future::select_all(
        told_to_end.iter_mut().map(|signal| Box::pin(signal.recv())),
    );
    let connection = async {
        let running = server.clone().serve(transport::stdio_pipes()).await;
        // Whatever ends the connection, it has ended.
        running.map_err(|error| Error::Handshake(Box::new(error)))?.waiting().await.ok();
        Ok(())
    };
    let served = tokio::select! {
        served = connection => served,
        _ = signals => Ok(()),
    };
    server.end().await;
    served
}
