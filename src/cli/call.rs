//! Sending one action to the daemon and printing its answer.

use std::time::{Duration, Instant};

use super::global_args::Globals;
use super::spinner::Spinner;
use super::{Error, Outcome, missing_session};
use crate::agent;
use crate::client::{self, Answer, CancelToken, Client, request_id};
use crate::protocol::Action;

/// Sends an action and shows the answer as it is.
pub(super) fn show(globals: &Globals, action: &Action) -> Result<Outcome, Error> {
    show_effect(globals, action, send(globals, action, globals.timeout())?)
}

/// Shows the answer to an action as it is. One without effect counts as refused.
pub(super) fn show_effect(
    globals: &Globals,
    action: &Action,
    answer: Answer,
) -> Result<Outcome, Error> {
    let took_effect = answer.took_effect(action);
    Ok(match show_answer(globals, answer)? {
        Outcome::Done if !took_effect => Outcome::Refused,
        outcome => outcome,
    })
}

/// Shows an answer as it is, but for what helps where the session is missing.
pub(super) fn show_answer(globals: &Globals, answer: Answer) -> Result<Outcome, Error> {
    let answer = missing_session::helped(globals, answer);
    globals.print(answer.body)?;
    Ok(if answer.ok { Outcome::Done } else { Outcome::Refused })
}

/// Sends an action, and changes a successful answer before it is shown.
pub(super) fn show_changed(
    globals: &Globals,
    action: &Action,
    change: impl FnOnce(&[u8]) -> Result<Vec<u8>, Error>,
) -> Result<Outcome, Error> {
    let mut answer = send(globals, action, globals.timeout())?;
    if answer.ok {
        answer.body = change(&answer.body)?;
    }
    show_answer(globals, answer)
}

/// Sends an action and waits for its answer.
pub(super) fn send(globals: &Globals, action: &Action, timeout: Duration) -> Result<Answer, Error> {
    send_to(&globals.client()?, globals, action, timeout)
}

/// Sends an action to a daemon that has been found already, and waits for its answer.
pub(super) fn send_to(
    client: &Client,
    globals: &Globals,
    action: &Action,
    timeout: Duration,
) -> Result<Answer, Error> {
    let session = session_for(action, globals.session());
    Ok(deliver(globals, client, || {
        let id = request_id();
        globals.verbose(|| format!("{} as {id} to {}", action.name(), client.address()));
        let send = || client.command(&id, action, session, timeout);
        send_or_ask(globals, &id, action, session, timeout, send)
    })?)
}

/// Sends a command; if its daemon ends before it answers, asks the next one what came of it.
pub(super) fn send_or_ask(
    globals: &Globals,
    id: &str,
    action: &Action,
    session: &str,
    timeout: Duration,
    send: impl FnOnce() -> Result<Answer, client::Error>,
) -> Result<Answer, client::Error> {
    let ask = || {
        globals.verbose(|| format!("asking what came of {id}"));
        globals.connect()?.recall(&CancelToken::default(), id, action, session, timeout)
    };
    agent::send_or_ask(Spinner::new(), send, ask)
}

/// The session to send with an action: empty if the action needs none, so that a stale session does not make it fail.
pub(super) fn session_for<'a>(action: &Action, session: &'a str) -> &'a str {
    if action.facts().runs_in.takes_session() { session } else { "" }
}

/// Calls `send`, and retries it for up to --wait-extension while no browser is connected.
pub(super) fn deliver(
    globals: &Globals,
    client: &Client,
    send: impl FnMut() -> Result<Answer, client::Error>,
) -> Result<Answer, client::Error> {
    let start = Instant::now();
    let health = || client.health();
    let answer =
        agent::retry_until_browser(globals.wait_extension(), Spinner::new(), send, health)?;
    globals.verbose(|| {
        let verdict = if answer.ok { "done" } else { "refused" };
        format!("{verdict} after {} ms, {} bytes", start.elapsed().as_millis(), answer.body.len())
    });
    Ok(answer)
}
