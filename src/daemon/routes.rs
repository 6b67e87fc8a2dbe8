//! The routes: filters in, replies out. Every path goes through the gate first.

use std::sync::Arc;

use warp::{
    Filter, Reply,
    http::{
        HeaderValue, Method, StatusCode,
        header::{ALLOW, CONTENT_TYPE},
    },
    reply::Response,
};

use super::{
    Context, challenge, command, events, gate::file_at, health, pair, rejection, socket, transfer,
};

/// All routes of the daemon (protocol §1).
pub(super) fn all(
    context: Arc<Context>,
) -> impl Filter<Extract = (impl Reply,), Error = std::convert::Infallible> + Clone {
    let with = warp::any().map(move || context.clone());
    let query = warp::query::raw().or(warp::any().map(String::new)).unify();
    let gate = with
        .clone()
        .and(warp::method())
        .and(warp::path::full().and(query).map(|path, query| (path, query)))
        .and(warp::ext::optional())
        .and(warp::header::headers_cloned())
        .and(warp::ext::get())
        .and(warp::ext::get())
        .and_then(Context::check)
        .untuple_one();
    let body = warp::header::optional::<String>(CONTENT_TYPE.as_str()).and(warp::body::stream());

    let command = at("/").and(warp::post()).and(with.clone()).and(body).then(command::answer);
    let claim = at("/pair/claim")
        .and(warp::post())
        .and(with.clone())
        .and(warp::header::header("origin"))
        .and(warp::ext::get())
        .and(body)
        .then(pair::answer);
    let socket = at("/ws")
        .and(warp::get())
        .and(with.clone())
        .and(warp::header::headers_cloned())
        .and(warp::ext::optional())
        .and(warp::ext::optional())
        .map(socket::upgrade);
    let events =
        at("/events").and(warp::get()).and(with.clone()).and(warp::ext::get()).map(events::answer);
    let take = at("/files")
        .and(warp::post())
        .and(with.clone())
        .and(query)
        .and(warp::header::headers_cloned())
        .and(warp::body::stream())
        .then(transfer::take);
    let give = warp::get()
        .and(with.clone())
        .and(file())
        .and(query)
        .and(warp::ext::get())
        .then(transfer::give);
    let challenge =
        at("/challenge").and(warp::get()).and(with.clone()).and(query).then(challenge::answer);
    let health = at("/health")
        .and(warp::get())
        .and(with)
        .and(warp::ext::get())
        .and(warp::header::headers_cloned())
        .map(health::answer);
    let nothing = warp::method().and(warp::path::full()).map(nothing);

    let routes = command.or(claim).unify().or(socket).unify().or(events).unify();
    let routes = routes.or(take).unify().or(give).unify();
    let routes = routes.or(challenge).unify().or(health).unify();
    gate.and(routes.or(nothing).unify()).recover(rejection::recover).unify()
}

/// Matches exactly this path, as the gate does: warp's own path filters let `/ws/` pass for `/ws`.
fn at(path: &'static str) -> impl Filter<Extract = (), Error = warp::Rejection> + Copy {
    let is_here = move |full: warp::path::FullPath| {
        std::future::ready(if full.as_str() == path {
            Ok(())
        } else {
            Err(warp::reject::not_found())
        })
    };
    warp::path::full().and_then(is_here).untuple_one()
}

/// The name of the file that is asked for.
fn file() -> impl Filter<Extract = (String,), Error = warp::Rejection> + Copy {
    warp::path::full().and_then(|full: warp::path::FullPath| {
        std::future::ready(
            file_at(full.as_str()).map(str::to_owned).ok_or_else(warp::reject::not_found),
        )
    })
}

/// The answer to unknown paths, and to known ones with another method.
fn nothing(method: Method, path: warp::path::FullPath) -> Response {
    let allowed = match path.as_str() {
        "/" | "/pair/claim" | "/files" => "POST",
        path if file_at(path).is_some() => "GET",
        "/ws" | "/challenge" | "/health" | "/events" => "GET",
        _ => return rejection::not_found(&path),
    };
    let message = format!("{method} is not allowed here: use {allowed}");
    let mut response =
        rejection::refusal(StatusCode::METHOD_NOT_ALLOWED, "METHOD_NOT_ALLOWED", &message);
    response.headers_mut().insert(ALLOW, HeaderValue::from_static(allowed));
    response
}
