//! Accepting connections and speaking HTTP/1.1 on them.
//!
//! warp's own server would do, but for what a daemon on a person's machine needs besides: it must
//! survive running out of descriptors, bound its connections and their heads, and know when all of
//! them are done.

use std::{convert::Infallible, io, sync::Arc, time::Duration};

use hyper::body::Incoming;
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
        let (activity, ended) = (context.activity.clone(), stop.clone());
        let routes = warp::service(routes::all(context));
        let serve = move |stream, peer| {
            serve(stream, peer, routes.clone(), activity.clone(), ended.clone())
        };
        connections.spawn(accept(listener, connections.clone(), stop.clone(), serve));
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

/// Accepts connections and has each served in a task of its own, until it is told to stop.
async fn accept<F, S>(
    listener: TcpListener,
    connections: TaskTracker,
    stop: CancellationToken,
    serve: F,
) where
    F: Fn(TcpStream, Peer) -> S,
    S: Future<Output = ()> + Send + 'static,
{
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
                let serving = serve(stream, Peer(peer.to_string()));
                connections.spawn(async move {
                    serving.await;
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

/// Speaks HTTP/1.1 on a connection until either side ends it.
async fn serve<R>(
    stream: TcpStream,
    peer: Peer,
    routes: R,
    activity: Activity,
    stop: CancellationToken,
) where
    R: tower_service::Service<
            Request<Incoming>,
            Response = warp::reply::Response,
            Error = Infallible,
        > + Clone,
{
    // Answers are written in one go, so there is nothing to gather.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(event = "connection_failed", problem = %error);
        return;
    }
    let service = TowerToHyperService::new(routes);
    let begun = CancellationToken::new();
    let begin = begun.clone();
    let service = hyper::service::service_fn(move |mut request: Request<Incoming>| {
        if let Some(authority) = Uri::authority(request.uri()).cloned() {
            request.extensions_mut().insert(TargetAuthority(authority));
        }
        request.extensions_mut().insert(peer.clone());
        begin.cancel();
        let (answer, activity) =
            (hyper::service::Service::call(&service, request), activity.clone());
        async move {
            let answer = answer.await;
            // Whoever is refused has nothing to do with the daemon, and does not keep it from ending.
            if answer.as_ref().is_ok_and(|answer| !answer.status().is_client_error()) {
                activity.now();
            }
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

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use warp::{Filter as _, Reply as _};

    use super::*;

    async fn answer(address: std::net::SocketAddr, path: &str) -> String {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        // A connection that a panic has ended may be reset.
        let _ = stream.read_to_string(&mut answer).await;
        answer
    }

    #[tokio::test]
    async fn a_panic_ends_its_own_connection_and_no_other() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let faulty = warp::path("faulty").map(|| -> &str { panic!("on purpose") });
        let sound = warp::any().map(|| "sound");
        let routes = faulty.or(sound).unify().map(|text: &str| text.to_owned().into_response());
        let (connections, stop) = (TaskTracker::new(), CancellationToken::new());
        let (routes, ended) = (warp::service(routes), stop.clone());
        let activity = Activity::new();
        let serve =
            move |stream, peer| serve(stream, peer, routes, activity.clone(), ended.clone());
        let accepting = tokio::spawn(accept(listener, connections, stop.clone(), serve));
        assert_eq!(answer(address, "/faulty").await, "");
        assert!(answer(address, "/").await.ends_with("sound"));
        stop.cancel();
        accepting.await.unwrap();
    }
}
