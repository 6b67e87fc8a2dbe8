//! The answer of a daemon that cannot serve: why, and what mends it, to whoever waits on its sockets.
//!
//! A service manager starts a daemon for a connection that waits. One that ended without a word would leave that
//! connection waiting, and be started again at once.

use std::{sync::Arc, time::Duration};

use warp::{
    Filter,
    http::{HeaderMap, StatusCode},
    reply::Response,
};

use super::{
    Error, Listeners,
    door::{Door, Doors},
    gate::{self, TargetAuthority},
    rejection,
    server::Server,
};
use crate::protocol::CANNOT_START;

/// How long to answer those who wait: a request on this machine is there at once.
const ANSWER_TIME: Duration = Duration::from_secs(1);

/// How often to see whether somebody still waits to be accepted.
const TICK: Duration = Duration::from_millis(1);

/// Answers every request of the connections that wait with 503 and `reason`, and returns when none is left. Web pages and
/// other users are told nothing.
///
/// # Errors
/// If a listener cannot be used.
///
/// # Panics
/// Outside a tokio runtime with I/O and time.
pub async fn answer_waiting(listeners: Listeners, reason: &str) -> Result<(), Error> {
    let port = listeners.port.local_addr().map_err(Error::Listen)?.port();
    let doors = Doors::open(listeners.try_clone().map_err(Error::Listen)?)?;
    let server = Server::start(doors, routes(port, reason.into()), || {});
    let accepted = async {
        while listeners.is_waited_on() {
            tokio::time::sleep(TICK).await;
        }
    };
    // Others may come all the time; the next daemon answers those.
    let _ = tokio::time::timeout(ANSWER_TIME, accepted).await;
    server.finish(ANSWER_TIME).await;
    Ok(())
}

fn routes(
    port: u16,
    reason: Arc<str>,
) -> impl Filter<Extract = (Response,), Error = std::convert::Infallible> + Clone {
    let head = warp::ext::get().and(warp::ext::optional()).and(warp::header::headers_cloned());
    head.map(move |door: Door, target: Option<TargetAuthority>, headers: HeaderMap| {
        match gate::check_unserved(port, door, target.as_ref(), &headers) {
            Ok(()) => rejection::refused(StatusCode::SERVICE_UNAVAILABLE, CANNOT_START, &reason),
            Err(refusal) => {
                rejection::refused(StatusCode::UNAUTHORIZED, "UNAUTHORIZED", refusal.message)
            }
        }
    })
    .recover(rejection::recover)
    .unify()
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use tower_service::Service as _;
    use warp::http::Request;

    use super::*;

    const PORT: u16 = 9615;

    /// The status of the answer to a request with these headers.
    async fn status(door: Door, headers: &[(&str, &str)]) -> u16 {
        let mut request = Request::builder().uri("/").extension(door);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(String::new()).expect("a request");
        let mut service = warp::service(routes(PORT, "broken".into()));
        service.call(request).await.expect("an answer").status().as_u16()
    }

    #[tokio::test]
    async fn a_page_and_another_user_are_not_told_why() {
        let port = Door::Port(SocketAddr::from(([127, 0, 0, 1], 1)));
        let host = ("Host", "127.0.0.1:9615");
        assert_eq!(status(port, &[host]).await, 503);
        let extension = ("Origin", "chrome-extension://abcdefghijklmnopabcdefghijklmnop");
        assert_eq!(status(port, &[host, extension]).await, 503);
        assert_eq!(status(Door::Local { own: true }, &[]).await, 503);
        for headers in [
            &[][..],
            &[("Host", "example.org:9615")],
            &[host, ("Origin", "https://example.org")],
            &[host, ("Origin", "null")],
            &[host, ("Sec-Fetch-Site", "cross-site")],
        ] {
            assert_eq!(status(port, headers).await, 401, "{headers:?}");
        }
        assert_eq!(status(Door::Local { own: false }, &[host]).await, 401);
    }
}
