//! Accepting connections and speaking HTTP/1.1 on them.
//!
//! This replaces warp's own server, which fails when descriptors run out, limits neither connections nor heads, and
//! does not report when all connections have ended.

use std::{convert::Infallible, io, time::Duration};

use hyper::body::{Body as _, Incoming};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::task::JoinHandle;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use warp::{
    Filter, Reply,
    http::{HeaderValue, Request, StatusCode, header::CONNECTION, uri::Uri},
};

use super::{
    connection_limit::{Connection, ConnectionLimit, IdleConnections},
    door::{Doors, Stream},
    gate::TargetAuthority,
    lingering_close::Lingering,
    socket::Peer,
};
use crate::protocol::{HEAD_TIME, MAX_HEAD_BYTES, MAX_HEADERS};

/// How long a connection that was accepted before the server stops may take to send its first request: on this machine
/// that is on its way already.
const FIRST_REQUEST: Duration = Duration::from_millis(250);

/// The running server.
pub(super) struct Server {
    /// One task each, and one that accepts.
    connections: TaskTracker,
    stop: CancellationToken,
    /// The task that accepts.
    pub(super) accepting: JoinHandle<Option<()>>,
}

impl Server {
    /// Starts to accept; `answered` is called after every answer that is no refusal.
    pub(super) fn start<F>(
        doors: Doors,
        routes: F,
        answered: impl Fn() + Clone + Send + 'static,
    ) -> Self
    where
        F: Filter<Error = Infallible> + Clone + Send + Sync + 'static,
        F::Extract: Reply,
    {
        let (connections, stop) = (TaskTracker::new(), CancellationToken::new());
        let (routes, ended) = (warp::service(routes), stop.clone());
        let idle = IdleConnections::default();
        let limit = ConnectionLimit::new(idle.clone());
        let serve = move |stream, peer| {
            let (routes, answered) = (routes.clone(), answered.clone());
            serve(stream, peer, routes, answered, idle.clone(), ended.clone())
        };
        let accept = accept(doors, connections.clone(), limit, serve);
        let accepting = connections.spawn(stop.clone().run_until_cancelled_owned(accept));
        Self { connections, stop, accepting }
    }

    /// Stops accepting, and waits at most `wait` for the connections to finish their current requests.
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

/// Accepts connections and serves each in a task of its own. At the limit, the longest-idle one is evicted for the next.
async fn accept<F, S>(doors: Doors, connections: TaskTracker, mut limit: ConnectionLimit, serve: F)
where
    F: Fn(Stream, Peer) -> S,
    S: Future<Output = ()> + Send + 'static,
{
    loop {
        match doors.accept().await {
            Ok((stream, door)) => {
                let peer = Peer::new(door, limit.acquire().await);
                connections.spawn(serve(stream, peer));
            }
            Err(error) if is_about_the_peer(&error) => {}
            Err(error) => {
                limit.log(&error.to_string());
                limit.evict().await;
            }
        }
    }
}

/// Whether the connection ended before it was accepted, which says nothing about the listener.
fn is_about_the_peer(error: &io::Error) -> bool {
    use io::ErrorKind::{
        ConnectionAborted, ConnectionRefused, ConnectionReset, InvalidInput, NotConnected,
    };
    // Setting an option of a connection that ended fails with the last, or on macOS with `InvalidInput`.
    matches!(
        error.kind(),
        ConnectionAborted | ConnectionRefused | ConnectionReset | NotConnected | InvalidInput
    )
}

/// Speaks HTTP/1.1 on a connection until either side ends it.
async fn serve<R>(
    stream: Stream,
    peer: Peer,
    routes: R,
    answered: impl Fn() + Clone,
    idle: IdleConnections,
    stop: CancellationToken,
) where
    R: tower_service::Service<
            Request<Incoming>,
            Response = warp::reply::Response,
            Error = Infallible,
        > + Clone,
{
    let service = TowerToHyperService::new(routes);
    let (begun, connection_state) = (CancellationToken::new(), Connection::new(idle));
    let (begin, tracked) = (begun.clone(), connection_state.clone());
    let service = hyper::service::service_fn(move |mut request: Request<Incoming>| {
        if let Some(authority) = Uri::authority(request.uri()).cloned() {
            request.extensions_mut().insert(TargetAuthority(authority));
        }
        if request.uri().path_and_query().is_none() {
            // A target may be an authority alone, as for a tunnel, and warp's filters panic without a path.
            *request.uri_mut() = Uri::from_static("/");
        }
        request.extensions_mut().insert(peer.door());
        request.extensions_mut().insert(peer.clone());
        request.extensions_mut().insert(tracked.clone());
        begin.cancel();
        let is_too_long = head_bytes(&request) > MAX_HEAD_BYTES;
        let answer = (!is_too_long).then(|| hyper::service::Service::call(&service, request));
        let (answered, tracked) = (answered.clone(), tracked.clone());
        async move {
            let answer = match answer {
                Some(answer) => answer.await,
                None => Ok(head_too_long()),
            };
            // The connection of a browser or of a subscriber to events stays busy until that ends.
            if answer.as_ref().is_ok_and(|answer| !is_upgrade(answer) && !is_stream(answer)) {
                tracked.mark_idle();
            }
            // A refused request does not keep an idle daemon from ending.
            if answer.as_ref().is_ok_and(|answer| !answer.status().is_client_error()) {
                answered();
            }
            answer
        }
    });
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIME)
        .max_buf_size(MAX_HEAD_BYTES)
        .max_headers(MAX_HEADERS)
        .serve_connection(TokioIo::new(Lingering::new(stream)), service)
        .with_upgrades();
    let mut connection = std::pin::pin!(connection);
    // Even a graceful shutdown closes a connection that has not sent a request yet.
    let stopped = async {
        stop.cancelled().await;
        let _ = tokio::time::timeout(FIRST_REQUEST, begun.cancelled()).await;
    };
    let served = tokio::select! {
        // What has arrived is read before the connection is evicted.
        biased;
        served = connection.as_mut() => served,
        () = connection_state.evicted() => return tracing::debug!(event = "connection_evicted"),
        () = stopped => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = served {
        tracing::debug!(event = "connection_failed", problem = %error);
    }
}

/// The bytes of a request's head, without white space that has no meaning. The parser refuses a longer head only where
/// it has not arrived in full when it is looked at first.
fn head_bytes(request: &Request<Incoming>) -> usize {
    let (method, uri) = (request.method().as_str(), request.uri());
    let line = method.len()
        + 1
        + uri.scheme_str().map_or(0, |scheme| scheme.len() + "://".len())
        + uri.authority().map_or(0, |authority| authority.as_str().len())
        + uri.path_and_query().map_or(0, |path| path.as_str().len());
    let headers = request.headers().iter();
    let headers = headers.map(|(name, value)| name.as_str().len() + ": \r\n".len() + value.len());
    line + " HTTP/1.1\r\n\r\n".len() + headers.sum::<usize>()
}

/// The answer to a head that is too long, as the parser gives it.
fn head_too_long() -> warp::reply::Response {
    let mut response = warp::reply::Response::default();
    *response.status_mut() = StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE;
    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    response
}

fn is_upgrade(answer: &warp::reply::Response) -> bool {
    answer.status() == StatusCode::SWITCHING_PROTOCOLS
}

/// Whether the length of the answer is unknown until it ends.
fn is_stream(answer: &warp::reply::Response) -> bool {
    answer.body().size_hint().exact().is_none()
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        net::TcpStream,
        time::Instant,
    };

    use super::{super::door::Listeners, *};

    /// A server that answers everything with `sound`, but panics at `/faulty`.
    struct Rig {
        address: SocketAddr,
        stop: CancellationToken,
    }

    impl Rig {
        async fn new() -> Self {
            let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
            let address = port.local_addr().unwrap();
            let doors = Doors::open(Listeners { port, local: None }).unwrap();
            let faulty = warp::path("faulty").map(|| -> &str { panic!("on purpose") });
            let sound = warp::any().map(|| "sound");
            let routes = faulty.or(sound).unify().map(|text: &str| text.to_owned().into_response());
            Self { address, stop: Server::start(doors, routes, || {}).stop }
        }

        async fn connect(&self) -> TcpStream {
            TcpStream::connect(self.address).await.unwrap()
        }

        async fn answer(&self, path: &str) -> String {
            let mut stream = self.connect().await;
            stream.write_all(head(path).as_bytes()).await.unwrap();
            rest(&mut stream).await
        }
    }

    impl Drop for Rig {
        fn drop(&mut self) {
            self.stop.cancel();
        }
    }

    fn head(path: &str) -> String {
        format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    }

    /// What still comes; a connection that a panic has ended may be reset.
    async fn rest(stream: &mut TcpStream) -> String {
        let mut answer = String::new();
        let _ = stream.read_to_string(&mut answer).await;
        answer
    }

    #[tokio::test]
    async fn a_panic_ends_its_own_connection_and_no_other() {
        let rig = Rig::new().await;
        assert_eq!(rig.answer("/faulty").await, "");
        assert!(rig.answer("/").await.ends_with("sound"));
    }

    #[tokio::test(start_paused = true)]
    async fn a_head_has_its_time_and_no_more() {
        let rig = Rig::new().await;
        let head = head("/");
        let (first, second) = head.split_at(20);
        for (wait, in_time) in [
            (HEAD_TIME - Duration::from_millis(100), true),
            (HEAD_TIME + Duration::from_millis(100), false),
        ] {
            let mut stream = rig.connect().await;
            stream.write_all(first.as_bytes()).await.unwrap();
            // Once another is answered, this one has been read so far.
            assert!(rig.answer("/").await.ends_with("sound"));
            tokio::time::sleep(wait).await;
            // It may be closed already.
            let _ = stream.write_all(second.as_bytes()).await;
            let answer = rest(&mut stream).await;
            assert_eq!(answer.ends_with("sound"), in_time, "after {wait:?}: {answer:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_that_says_nothing_ends_when_the_time_of_a_head_is_over() {
        let rig = Rig::new().await;
        let mut silent = rig.connect().await;
        assert!(rig.answer("/").await.ends_with("sound"));
        let since = Instant::now();
        assert_eq!(rest(&mut silent).await, "");
        assert!(since.elapsed() <= HEAD_TIME + Duration::from_millis(100), "{:?}", since.elapsed());
        assert!(rig.answer("/").await.ends_with("sound"));
    }
}
