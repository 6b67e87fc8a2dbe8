//! A tool's arguments: the action's parameters, and those that every tool accepts.

use std::path::PathBuf;
use std::time::Duration;

use rmcp::model::JsonObject;
use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::paths::Paths;
use super::tools::Toolset;
use crate::agent;
use crate::protocol::{Action, Facts, Int, MAX_DEADLINE_MS};

/// The most characters of an answer, unless the call says otherwise: as much as a model reads at once without losing
/// context. Some clients truncate much longer answers, and the model could then not read on.
pub(super) const MAX_CHARS: usize = 25_000;

/// A time limit of a command, in milliseconds.
pub(super) type Timeout = Int<1, { MAX_DEADLINE_MS as u32 }>;

/// The session that a command goes to.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(super) struct InSession {
    /// The session; left out, this connection's own.
    session: Option<String>,
}

/// How long a command may take.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(super) struct InTime {
    /// How long this may take, in milliseconds, its pause included; 30000 if absent, or the server's own limit.
    timeout: Option<Timeout>,
}

/// How much of a long answer to return.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Within {
    /// The most characters to answer; 25000 if absent.
    max_chars: Option<Int<100, 1_000_000>>,
    /// Where to continue in a truncated answer, as that answer says.
    cursor: Option<String>,
}

/// What the arguments of all calls are like.
pub(super) struct Shape {
    /// The tools that they are for: those of the core set name no session.
    pub(super) set: Toolset,
    /// How long a call takes that does not say.
    pub(super) timeout: Duration,
}

/// A call of a tool that runs an action.
pub(super) struct Call {
    pub(super) action: Action,
    /// The session it names; none for the connection's own.
    pub(super) session: Option<String>,
    pub(super) timeout: Duration,
    pub(super) max_chars: usize,
    pub(super) cursor: Option<String>,
    /// The files that it gives to the page.
    pub(super) paths: Vec<PathBuf>,
}

impl Call {
    /// Parses the arguments of a call. The error is for the model to read.
    pub(super) fn parse(
        facts: &Facts,
        mut arguments: JsonObject,
        shape: &Shape,
    ) -> Result<Self, String> {
        let Shape { set, timeout } = *shape;
        let has_session = set == Toolset::All && takes_session(facts);
        let InSession { session } = take(&mut arguments, has_session, &["session"])?;
        let InTime { timeout: own } = take(&mut arguments, takes_timeout(facts), &["timeout"])?;
        let Within { max_chars, cursor } =
            take(&mut arguments, is_paged(facts), &["maxChars", "cursor"])?;
        if has_targets(facts) {
            arguments.entry(TARGETS).or_insert(false.into());
        }
        let paths = match Paths::are_taken(facts) {
            true => Paths::take(&mut arguments)?,
            false => Vec::new(),
        };
        agent::write_out(facts, &mut arguments)?;
        let params = Value::Object(arguments).to_string();
        let action = Action::parse(facts.name, &params).expect("a name of the table")?;
        let timeout = agent::time_limit(&action, own.map(milliseconds), timeout);
        let max_chars = max_chars.map_or(MAX_CHARS, |max| max.get() as usize);
        Ok(Self { action, session, timeout, max_chars, cursor, paths })
    }

    /// The call of an action in the connection's own session.
    pub(super) fn of(action: Action, timeout: Duration) -> Self {
        Self {
            action,
            session: None,
            timeout,
            max_chars: MAX_CHARS,
            cursor: None,
            paths: Vec::new(),
        }
    }
}

/// The parameter that asks for selectors beside handles: what models read has none, unless they ask.
const TARGETS: &str = "targets";

fn has_targets(facts: &Facts) -> bool {
    let schema = (facts.params)();
    schema.get("properties").is_some_and(|properties| properties.get(TARGETS).is_some())
}

/// Whether the tool has a `session` parameter.
pub(super) fn takes_session(facts: &Facts) -> bool {
    facts.runs_in.takes_session()
}

/// Whether the tool has a `timeout` parameter besides the action's own, as `wait` has.
pub(super) fn takes_timeout(facts: &Facts) -> bool {
    facts.runs_in.is_browser() && !facts.waits
}

/// Whether the answer may be long, and is then read in pages.
pub(super) fn is_paged(facts: &Facts) -> bool {
    facts.effect.reads() && !facts.waits
}

/// Milliseconds as a duration.
pub(super) fn milliseconds<const MIN: u32, const MAX: u32>(number: Int<MIN, MAX>) -> Duration {
    Duration::from_millis(number.get().into())
}

/// Removes the arguments called `names` and parses them, if the tool has them. The others are the action's.
fn take<T: Default + DeserializeOwned>(
    arguments: &mut JsonObject,
    has: bool,
    names: &[&str],
) -> Result<T, String> {
    if !has {
        return Ok(T::default());
    }
    parse(names.iter().filter_map(|name| arguments.remove_entry(*name)).collect())
}

/// Parses arguments. The error names the parameter and what is wrong with it.
pub(super) fn parse<T: DeserializeOwned>(arguments: JsonObject) -> Result<T, String> {
    serde_path_to_error::deserialize(Value::Object(arguments))
        .map_err(|error| format!("`params.{}`: {}", error.path(), error.inner()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn call(name: &str, arguments: Value) -> Result<Call, String> {
        let facts = Action::all().find(|facts| facts.name == name).unwrap();
        let Value::Object(arguments) = arguments else { panic!("no object") };
        let shape = Shape { set: Toolset::All, timeout: Duration::from_secs(30) };
        Call::parse(facts, arguments, &shape)
    }

    #[test]
    fn arguments_of_the_call_are_not_passed_to_the_action() {
        let arguments =
            json!({"selector": "main", "session": "m4q7z2", "timeout": 5000, "maxChars": 100});
        let call = call("text", arguments).unwrap();
        assert_eq!(call.action.params(), r#"{"selector":"main"}"#);
        assert_eq!(call.session.as_deref(), Some("m4q7z2"));
        assert_eq!((call.timeout, call.max_chars), (Duration::from_secs(5), 100));
    }

    #[test]
    fn a_wait_outlasts_its_own_time_limit() {
        let wait = |more: Value| {
            let mut arguments = json!({"strategy": "selector", "target": "p"});
            arguments.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            call("wait", arguments).unwrap()
        };
        assert_eq!(wait(json!({})).timeout, Duration::from_secs(32));
        let long = wait(json!({"timeout": 600_000}));
        assert_eq!(long.timeout, Duration::from_secs(600));
        assert!(long.action.params().contains("600000"));
    }

    #[test]
    fn an_error_names_the_parameter() {
        let fault = |name: &str, arguments| call(name, arguments).err().expect("a fault");
        assert!(
            fault("text", json!({"maxChars": 5})).contains("`params.maxChars`: 5 is out of range")
        );
        assert!(fault("text", json!({"session": 5})).contains("`params.session`"));
        assert!(
            fault("click", json!({"target": {"handle": "el1"}, "cursor": "x"}))
                .contains("unknown field `cursor`")
        );
        assert!(fault("navigate", json!({})).contains("missing field `url`"));
        assert!(
            fault("debug.last", json!({"session": "m4q7z2"})).contains("unknown field `session`")
        );
    }
}
