//! `POST /`: a command from its body to its reply.

use std::sync::Arc;

use bytes::{Buf, Bytes, BytesMut};
use futures_util::{Stream, StreamExt as _};
use warp::{http::StatusCode, reply::Response};

use super::{Context, now, rejection};
use crate::{
    protocol::{BODY_TIME, MAX_BODY_BYTES, Request},
    state::Admission,
};

/// Answers a command.
pub(super) async fn answer<S, B>(
    context: Arc<Context>,
    content_type: Option<String>,
    body: S,
) -> Response
where
    S: Stream<Item = Result<B, warp::Error>>,
    B: Buf,
{
    let body = match read_json(content_type.as_deref(), body, MAX_BODY_BYTES).await {
        Ok(body) => body,
        Err(response) => return response,
    };
    let mut request = match Request::parse(&body) {
        Ok(request) => request,
        Err(error) => {
            return rejection::refusal(StatusCode::BAD_REQUEST, "BAD_REQUEST", &error.to_string());
        }
    };
    let reply = match context.state.admit(&mut request, now()) {
        Admission::Answered(reply) => return rejection::reply(reply),
        Admission::Pending(reply) => reply,
        Admission::Draining => return rejection::reply(rejection::shutting_down()),
    };
    // The request is parsed and forwarded, so its body is not needed while waiting for the answer.
    drop(request);
    drop(body);
    let lost = || {
        let message = "the command failed because of an internal error in the daemon: its log has the details";
        rejection::refusal(StatusCode::INTERNAL_SERVER_ERROR, "INTERNAL", message)
    };
    reply.await.map_or_else(lost, rejection::reply)
}

/// The body of a request that must be JSON, of at most `most` bytes.
///
/// # Errors
///
/// The refusal: not JSON, too large, or too slow.
pub(super) async fn read_json<S, B>(
    content_type: Option<&str>,
    body: S,
    most: usize,
) -> Result<Bytes, Response>
where
    S: Stream<Item = Result<B, warp::Error>>,
    B: Buf,
{
    let kind = content_type.map(|value| value.split(';').next().unwrap_or_default().trim());
    if !kind.is_some_and(|kind| kind.eq_ignore_ascii_case("application/json")) {
        let message = "the body must be JSON: send `Content-Type: application/json`";
        return Err(rejection::refused(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "UNSUPPORTED_MEDIA_TYPE",
            message,
        ));
    }
    let read = tokio::time::timeout(BODY_TIME, collect(body, most)).await;
    read.unwrap_or_else(|_| {
        let message = "the body did not arrive in time: send it right after the head";
        Err(rejection::refused(StatusCode::BAD_REQUEST, "BAD_REQUEST", message))
    })
}

async fn collect<S, B>(body: S, most: usize) -> Result<Bytes, Response>
where
    S: Stream<Item = Result<B, warp::Error>>,
    B: Buf,
{
    let mut body = std::pin::pin!(body);
    let mut first = Bytes::new();
    let mut rest = BytesMut::new();
    let mut length = 0;
    while let Some(part) = body.next().await {
        let Ok(mut part) = part else {
            let message = "the body ended before it was complete";
            return Err(rejection::refused(StatusCode::BAD_REQUEST, "BAD_REQUEST", message));
        };
        length += part.remaining();
        if length > most {
            // The rest of the body is discarded while the connection closes.
            let message = format!("the body is larger than {most} bytes");
            let status = StatusCode::PAYLOAD_TOO_LARGE;
            return Err(rejection::refused(status, "PAYLOAD_TOO_LARGE", &message));
        }
        if first.is_empty() {
            // Most bodies arrive in one chunk, which is used without a copy.
            first = part.copy_to_bytes(part.remaining());
        } else {
            rest.extend_from_slice(if rest.is_empty() { &first } else { &[] });
            while part.has_remaining() {
                let chunk = part.chunk();
                rest.extend_from_slice(chunk);
                let read = chunk.len();
                part.advance(read);
            }
        }
    }
    Ok(if rest.is_empty() { first } else { rest.freeze() })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use futures_util::stream;

    use super::*;

    /// Reads a body whose last chunk arrives after `wait`; returns the status of the refusal.
    async fn read_after(wait: Duration) -> Result<Bytes, StatusCode> {
        let last = async move {
            tokio::time::sleep(wait).await;
            Ok::<_, warp::Error>(Bytes::from_static(b"}"))
        };
        let first = std::future::ready(Ok(Bytes::from_static(b"{")));
        let body = stream::once(first).chain(stream::once(last));
        read_json(Some("application/json"), body, MAX_BODY_BYTES)
            .await
            .map_err(|response| response.status())
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_has_its_time_and_no_more() {
        let tick = Duration::from_millis(1);
        assert_eq!(read_after(BODY_TIME - tick).await, Ok(Bytes::from_static(b"{}")));
        assert_eq!(read_after(BODY_TIME + tick).await, Err(StatusCode::BAD_REQUEST));
    }
}
