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

use super::{Context, rejection};
use crate::state::MAX_SUBSCRIBERS;

/// Answers with the events from now on, until the client hangs up or the daemon shuts down.
pub(super) fn answer(context: Arc<Context>) -> Response {
    if context.subscribers.is_cancelled() {
        return rejection::reply(rejection::shutting_down());
    }
    let Some(events) = context.state.subscribe() else {
        let message = format!("{MAX_SUBSCRIBERS} clients read events already: end one of them");
        return rejection::refusal(StatusCode::SERVICE_UNAVAILABLE, "OVERLOADED", &message);
    };
    let lines = lines(events, context.subscribers.clone());
    let mut response = warp::reply::stream(lines).into_response();
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/x-ndjson"));
    response
}

/// A line for each event, and one that counts those that were lost because the client read too slowly.
fn lines(
    events: Receiver<Bytes>,
    end: CancellationToken,
) -> impl Stream<Item = Result<Bytes, Infallible>> + Send + Sync {
    stream::unfold((events, end), |(mut events, end)| async {
        let received = end.run_until_cancelled(events.recv()).await?;
        let line = match received {
            Ok(line) => line,
            Err(RecvError::Lagged(count)) => {
                format!("{}\n", json!({"event": "lost", "count": count})).into()
            }
            Err(RecvError::Closed) => return None,
        };
        Some((Ok(line), (events, end)))
    })
}
