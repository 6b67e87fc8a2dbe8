//! Accepting connections and speaking HTTP/1.1 on them.
//!
//! warp's own server would do, but for what a daemon on a person's machine needs besides: it must
//! survive running out of descriptors, bound its connections and their heads, and know when all of
//! them are done.

use std::{io, sync::Arc, time::Duration};

use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Semaphore,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use warp::http::{Request, uri::Uri};

use super::{
    Context, gate::TargetAuthority, linger::Lingering, routes, running::Activity, socket::Peer,
};

/// How many connections there may be at once; more wait in the kernel's backlog. Far more than
/// clients on one machine open, few enough for the default limit of descriptors.
const MAX_CONNECTIONS: usize = 900;
/// How long a request's head may take to arrive, and how long a connection may be idle between two.
const HEAD_TIME: Duration = Duration::from_secs(30);
/// The largest head, in bytes.
const MAX_HEAD_BYTES: usize = 64 * 1024;
/// How long to wait for descriptors when there are none.
const EXHAUSTED: Duration = Duration::from_millis(50);

/// How long a connection that has been accepted when the server stops may take to say its first
/// request: on this machine that is on its way already.
const FIRST_REQUEST: Duration = Duration::from_millis(250);

/// The running server.
pub(super) struct Server {
    /// One task each, and one that accepts.
    connections: TaskTracker,
    stop: CancellationToken,
}

impl Server {
    /// Starts to accept.
    pub(super) fn start(listener: TcpListener, context: Arc<Context>) -> Self {
        let (connections, stop) = (TaskTracker::new(), CancellationToken::new());
        connections.spawn(accept(listener, context, connections.clone(), stop.clone()));
        Self { connections, stop }
    }

    /// Accepts no more, and waits for the connections to be done with the request that they are
    /// at, at most `wait`.
    pub(super) async fn finish(&self, wait: Duration) {
        self.stop.cancel();
        self.connections.close();
        if tokio::time::timeout(wait, self.connections.wait()).await.is_err() {
            tracing::debug!(
                event = "connections_unfinished",
                connections = self.connections.len() as u64
            );
        }
    }
}

async fn accept(
    listener: TcpListener,
    context: Arc<Context>,
    connections: TaskTracker,
    stop: CancellationToken,
) {
    let activity = context.activity.clone();
    let service = warp::service(routes::all(context));
    let room = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let mut exhausted = false;
    loop {
        let next = async {
            // The semaphore is never closed.
            let permit = room.clone().acquire_owned().await.ok();
            (permit, listener.accept().await)
        };
        let Some((permit, accepted)) = stop.run_until_cancelled(next).await else { return };
        match accepted {
            Ok((stream, peer)) => {
                exhausted = false;
                let (service, activity, stop) = (service.clone(), activity.clone(), stop.clone());
                connections.spawn(async move {
                    serve(stream, Peer(peer.to_string()), service, activity, stop).await;
                    drop(permit);
                });
            }
            Err(error) if is_about_the_peer(&error) => {}
            Err(error) => {
                // Said once: this repeats until something else lets go of descriptors.
                if !exhausted {
                    tracing::error!(event = "accept_failed", problem = %error);
                }
                exhausted = true;
                tokio::time::sleep(EXHAUSTED).await;
            }
        }
    }
}

/// Whether the connection was over before it was accepted, which concerns nobody else.
fn is_about_the_peer(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

async fn serve<F>(
    stream: TcpStream,
    peer: Peer,
    service: F,
    activity: Activity,
    stop: CancellationToken,
) where
    F: tower_service::Service<
            Request<hyper::body::Incoming>,
            Response = warp::reply::Response,
            Error = std::convert::Infallible,
        > + Clone,
{
    // Answers are written in one go, so there is nothing to gather.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(event = "connection_failed", problem = %error);
        return;
    }
    let service = TowerToHyperService::new(service);
    let begun = CancellationToken::new();
    let begin = begun.clone();
    let service = hyper::service::service_fn(move |mut request: Request<hyper::body::Incoming>| {
        if let Some(authority) = Uri::authority(request.uri()).cloned() {
            request.extensions_mut().insert(TargetAuthority(authority));
        }
        request.extensions_mut().insert(peer.clone());
        begin.cancel();
        let (answer, activity) =
            (hyper::service::Service::call(&service, request), activity.clone());
        async move {
            let answer = answer.await;
            activity.now();
            answer
        }
    });
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIME)
        .max_buf_size(MAX_HEAD_BYTES)
        .serve_connection(TokioIo::new(Lingering::new(stream)), service)
        .with_upgrades();
    let mut connection = std::pin::pin!(connection);
    // A connection without a request yet would be closed by a shutdown, however graceful.
    let stopped = async {
        stop.cancelled().await;
        let _ = tokio::time::timeout(FIRST_REQUEST, begun.cancelled()).await;
    };
    let served = tokio::select! {
        served = connection.as_mut() => served,
        () = stopped => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = served {
        tracing::debug!(event = "connection_failed", problem = %error);
    }
}
