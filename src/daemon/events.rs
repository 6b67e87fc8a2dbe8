//! `GET /events`: what happens, as it happens, a line of JSON for each event (protocol §11).

use std::{convert::Infallible, sync::Arc};

use bytes::Bytes;
use futures_util::{Stream, stream};
use serde_json::json;
use tokio::sync::broadcast::{Receiver, error::RecvError};
use tokio_util::sync::CancellationToken;
use warp::{
    Reply as _,
    http::{HeaderValue, StatusCode, header::CONTENT_TYPE},
    reply::Response,
};

use super::{Context, connection_limit::Connection, rejection};
use crate::state::MAX_SUBSCRIBERS;

/// Answers with the events from now on, until the client hangs up or the daemon shuts down.
pub(super) fn answer(context: Arc<Context>, connection: Connection) -> Response {
    if context.subscribers.is_cancelled() {
        return rejection::reply(rejection::shutting_down());
    }
    let Some(events) = context.state.subscribe() else {
        let message = format!("there are {MAX_SUBSCRIBERS} subscribers already: end one of them");
        return rejection::refusal(StatusCode::SERVICE_UNAVAILABLE, "OVERLOADED", &message);
    };
    let end = context.subscribers.clone();
    let lines = lines(events, end, SubscriptionGuard { context, connection });
    let mut response = warp::reply::stream(lines).into_response();
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/x-ndjson"));
    response
}

/// Lives as long as a subscription; then its connection is idle again, and maybe the daemon.
struct SubscriptionGuard {
    context: Arc<Context>,
    connection: Connection,
}

impl Drop for SubscriptionGuard {
    fn drop(&mut self) {
        self.connection.mark_idle();
        // Wakes the idle detection.
        self.context.activity.touch();
    }
}

/// A line for each event, and one that counts those that were lost because the client read too slowly. `kept` is dropped
/// after `events`.
fn lines<Kept: Send + Sync + 'static>(
    events: Receiver<Bytes>,
    end: CancellationToken,
    kept: Kept,
) -> impl Stream<Item = Result<Bytes, Infallible>> + Send + Sync {
    stream::unfold((events, end, kept), |(mut events, end, kept)| async {
        let received = end.run_until_cancelled(events.recv()).await?;
        let line = match received {
            Ok(line) => line,
            Err(RecvError::Lagged(count)) => {
                format!("{}\n", json!({"event": "lost", "count": count})).into()
            }
            Err(RecvError::Closed) => return None,
        };
        Some((Ok(line), (events, end, kept)))
    })
}

#[cfg(test)]
mod tests {
    use futures_util::StreamExt as _;
    use tokio::sync::broadcast;

    use super::*;

    #[tokio::test]
    async fn a_client_that_reads_too_slowly_learns_how_many_events_it_lost() {
        let (sender, events) = broadcast::channel(4);
        let mut lines = Box::pin(lines(events, CancellationToken::new(), ()));
        for number in 0..10 {
            sender.send(format!("{number}\n").into()).expect("a receiver");
        }
        drop(sender);
        let mut text = String::new();
        while let Some(Ok(line)) = lines.next().await {
            text += std::str::from_utf8(&line).expect("text");
        }
        assert_eq!(text, "{\"count\":6,\"event\":\"lost\"}\n6\n7\n8\n9\n");
    }

    #[tokio::test]
    async fn the_end_is_the_end_of_the_lines() {
        let (_sender, events) = broadcast::channel(4);
        let end = CancellationToken::new();
        let mut lines = Box::pin(lines(events, end.clone(), ()));
        end.cancel();
        assert!(lines.next().await.is_none());
    }
}
