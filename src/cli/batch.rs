//! `batch`: many commands in one process, over one connection. Reads a request per line, writes an answer per line.

use std::io::{self, BufRead, Read};
use std::time::Duration;

use clap::Args;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::global_args::Globals;
use super::{Error, Outcome, call, output, suggest};
use crate::agent;
use crate::client::{self, Answer, request_id};
use crate::protocol::{Action, MAX_BODY_BYTES, MAX_DEADLINE_MS};

/// Run many commands: one request per line on standard input, one answer per line on standard output
///
/// A line is {"action":NAME,"params":{…}}, and may have "session", "id" and "timeout" (milliseconds) in place of -s, a
/// fresh id, and --timeout. docs/protocol.md lists the actions and their parameters. Commands run one after the other:
/// each answer is written before the next line is read. A line that is not a request is answered with BAD_REQUEST. Exit
/// status: 1 if any answer has "ok":false, or shows that a command had no effect ("filled":false).
#[derive(Args)]
#[command(after_help = "Examples:\n  \
    echo '{\"action\":\"text\",\"session\":\"m4q7z2\"}' | bproxy batch\n  \
    bproxy batch --stop-on-error -s m4q7z2")]
pub(super) struct Batch {
    /// Stop after the first command that failed or had no effect
    #[arg(long)]
    stop_on_error: bool,
}

/// A line of input.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BatchRequest<'a> {
    action: String,
    #[serde(borrow)]
    params: Option<&'a RawValue>,
    session: Option<String>,
    id: Option<String>,
    timeout: Option<u64>,
}

/// A parsed line.
struct Command {
    id: String,
    action: Action,
    session: String,
    timeout: Duration,
}

/// A line that is not a request: its id, if it has one, and what is wrong with it.
struct BadRequest {
    id: Option<String>,
    problem: String,
}

impl Batch {
    pub(super) fn run(self, globals: &Globals) -> Result<Outcome, Error> {
        let mut input = io::stdin().lock();
        let client = globals.client()?;
        let mut connection = client.connection();
        let mut outcome = Outcome::Done;
        while let Some(line) = next_line(&mut input).map_err(Error::Input)? {
            let (answer, took_effect) = match command(&line, globals) {
                Ok(Command { id, action, session, timeout }) => {
                    let answered = call::deliver(globals, &client, || {
                        let send = || connection.command(&id, &action, &session, timeout);
                        call::send_or_ask(globals, &id, &action, &session, timeout, send)
                    });
                    let answer = match answered {
                        // The daemon checks more than parsing a line does, such as the length of ids.
                        Err(client::Error::Refused { status: 400, message, .. }) => {
                            bad(BadRequest { id: Some(id), problem: message })
                        }
                        Err(error @ client::Error::TooLarge { .. }) => {
                            bad(BadRequest { id: Some(id), problem: error.to_string() })
                        }
                        answered => answered?,
                    };
                    let took_effect = answer.took_effect(&action);
                    (answer, took_effect)
                }
                Err(line) => (bad(line), false),
            };
            output::line(answer.body)?;
            if !took_effect {
                outcome = Outcome::Refused;
                if self.stop_on_error {
                    break;
                }
            }
        }
        Ok(outcome)
    }
}

/// The next line that is not blank. A line that is too long for the daemon is replaced by one that is not a request.
fn next_line(input: &mut impl BufRead) -> io::Result<Option<Vec<u8>>> {
    loop {
        let mut line = Vec::new();
        let longest = MAX_BODY_BYTES as u64;
        if input.by_ref().take(longest).read_until(b'\n', &mut line)? == 0 {
            return Ok(None);
        }
        if line.len() == MAX_BODY_BYTES && line.last() != Some(&b'\n') {
            input.skip_until(b'\n')?;
            return Ok(Some(Vec::from(b"a line longer than the daemon takes")));
        }
        if !line.trim_ascii().is_empty() {
            return Ok(Some(line));
        }
    }
}

fn command(line: &[u8], globals: &Globals) -> Result<Command, BadRequest> {
    let BatchRequest { action: name, params, session, id, timeout } = serde_json::from_slice(line)
        .map_err(|error| BadRequest {
            id: None,
            problem: format!(
                "the line is not a request such as {{\"action\":\"text\",\"params\":{{}}}}: {error}"
            ),
        })?;
    let bad = |problem| BadRequest { id: id.clone(), problem };
    let params = params.map_or("{}", RawValue::get);
    let action = Action::parse(&name, params)
        .ok_or_else(|| {
            let names: Vec<_> = Action::all().map(|action| action.name).collect();
            let hint = suggest::closest(&name, &names)
                .map_or_else(String::new, |name| format!(", did you mean `{name}`?"));
            bad(format!("`action`: there is no action `{name}`{hint}"))
        })?
        .map_err(bad)?;
    if timeout.is_some_and(|ms| !(1..=MAX_DEADLINE_MS.cast_unsigned()).contains(&ms)) {
        return Err(bad(format!("`timeout`: expected 1 to {MAX_DEADLINE_MS}")));
    }
    let timeout = timeout.map_or(globals.timeout(), Duration::from_millis);
    Ok(Command {
        timeout: agent::time_limit(&action, Some(timeout), timeout),
        session: call::session_for(&action, session.as_deref().unwrap_or(globals.session())).into(),
        action,
        id: id.unwrap_or_else(request_id),
    })
}

/// The daemon's answer to a bad request, with the id added.
fn bad(BadRequest { id, problem }: BadRequest) -> Answer {
    let error = serde_json::json!({"code": "BAD_REQUEST", "message": problem});
    let body = serde_json::json!({"id": id, "ok": false, "error": error});
    Answer { ok: false, body: body.to_string().into_bytes() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_one_by_one_and_blank_ones_are_skipped() {
        let mut input = &b"one\n\n  \ntwo"[..];
        let mut next = || next_line(&mut input).unwrap();
        assert_eq!(next().unwrap(), b"one\n");
        assert_eq!(next().unwrap(), b"two");
        assert_eq!(next(), None);
    }

    #[test]
    fn a_line_that_is_too_long_is_not_a_request_and_the_next_one_is_read() {
        let text = "x".repeat(3 * MAX_BODY_BYTES) + "\nnext\n";
        let mut input = text.as_bytes();
        assert!(next_line(&mut input).unwrap().unwrap().len() < 100);
        assert_eq!(next_line(&mut input).unwrap().unwrap(), b"next\n");
    }
}
