//! HTTP answers: the state's replies, and refusals without a protocol envelope, each with its status.

use std::{convert::Infallible, sync::Mutex};

use serde_json::json;
use warp::{
    http::{
        HeaderValue, StatusCode,
        header::{CONNECTION, CONTENT_TYPE},
    },
    path::FullPath,
    reject::Reject,
    reply::Response,
};

use crate::protocol::SHUTTING_DOWN;
use crate::state::{Reply, ReplyKind};

/// A rejection that carries its response.
#[derive(Debug)]
pub(super) struct Answered(Mutex<Option<Response>>);

impl Answered {
    pub(super) fn new(response: Response) -> Self {
        Self(Mutex::new(Some(response)))
    }
}

impl Reject for Answered {}

/// A JSON body with a status.
pub(super) fn json(status: StatusCode, body: impl Into<bytes::Bytes>) -> Response {
    let mut response = Response::new(body.into().into());
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// A refusal that leaves the connection open: `{"ok":false,"error":{"code","message"}}`.
pub(super) fn refusal(status: StatusCode, code: &str, message: &str) -> Response {
    json(status, json!({"ok": false, "error": {"code": code, "message": message}}).to_string())
}

/// The answer where there is nothing.
pub(super) fn not_found(path: &FullPath) -> Response {
    let message = format!("there is nothing at {}: commands go to POST /", path.as_str());
    refusal(StatusCode::NOT_FOUND, "NOT_FOUND", &message)
}

/// A refusal that closes the connection; what the client still sends is discarded.
pub(super) fn refused(status: StatusCode, code: &str, message: &str) -> Response {
    let mut response = refusal(status, code, message);
    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    response
}

/// The answer to commands that come, or still wait, while the daemon shuts down.
pub(super) fn shutting_down() -> Reply {
    let message = "the daemon is shutting down: run the command again once it is up";
    let body = json!({"ok": false, "error": {"code": SHUTTING_DOWN, "message": message}});
    Reply { kind: ReplyKind::ShuttingDown, body: body.to_string().into() }
}

/// The state's reply as a response.
pub(super) fn reply(reply: Reply) -> Response {
    let status = match reply.kind {
        ReplyKind::Answered => StatusCode::OK,
        ReplyKind::NoBrowser => StatusCode::BAD_GATEWAY,
        ReplyKind::ShuttingDown => StatusCode::SERVICE_UNAVAILABLE,
    };
    json(status, reply.body)
}

/// The answer to a rejection: its own, or what the framework found wrong with the request's head.
pub(super) async fn recover(rejection: warp::Rejection) -> Result<Response, Infallible> {
    let answer = rejection.find::<Answered>().and_then(|answered| answered.0.lock().ok()?.take());
    Ok(answer.unwrap_or_else(|| {
        tracing::debug!(event = "rejected", problem = ?rejection);
        refused(
            StatusCode::BAD_REQUEST,
            "BAD_REQUEST",
            "the request's head is not valid HTTP for this route",
        )
    }))
}
