//! The tools: one for each action of the protocol's table that models may use, and `session_wait`.

use std::sync::Arc;

use rmcp::model::{JsonObject, Tool, ToolAnnotations};
use schemars::{JsonSchema, Schema};
use serde_json::Value;

use super::arguments::{InSession, InTime, Within, is_paged, takes_session, takes_timeout};
use super::hints;
use super::session_wait::SessionWait;
use crate::protocol::{Action, Facts, Provenance, schema_of};

/// What a tool does.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    /// An action of the protocol.
    Action(&'static Facts),
    /// Waits until a paused session is resumed.
    SessionWait,
}

/// All tools, with what each does.
pub(super) fn all() -> Vec<(Tool, Kind)> {
    let offered = Action::all().filter(|facts| facts.is_tool);
    let mut tools: Vec<_> = offered.map(|facts| (of_action(facts), Kind::Action(facts))).collect();
    tools.push((session_wait(), Kind::SessionWait));
    tools
}

fn of_action(facts: &Facts) -> Tool {
    let mut schema = (facts.params)();
    if takes_session(facts) {
        merge::<InSession>(&mut schema);
    }
    if takes_timeout(facts) {
        merge::<InTime>(&mut schema);
    }
    if is_paged(facts) {
        merge::<Within>(&mut schema);
    }
    let hints = ToolAnnotations::new()
        .read_only(facts.effect.reads())
        .destructive(facts.effect.loses())
        .idempotent(facts.effect.idempotent())
        .open_world(facts.runs_in.is_browser());
    let tool = Tool::new(hints::tool_name(facts.name), facts.about, object(schema));
    let tool = tool.with_annotations(hints);
    match has_structure(facts) {
        true => tool.with_raw_output_schema(object((facts.data)())),
        false => tool,
    }
}

fn session_wait() -> Tool {
    let about = "Wait until a paused session is resumed, which happens when its person has helped. Use it after \
                 HUMAN_REQUIRED, once you have told the person what to do.";
    let hints = ToolAnnotations::new()
        .read_only(true)
        .destructive(false)
        .idempotent(true)
        .open_world(false);
    Tool::new("session_wait", about, object(schema_of::<SessionWait>())).with_annotations(hints)
}

fn object(schema: Schema) -> Arc<JsonObject> {
    Arc::new(schema.as_object().cloned().unwrap_or_default())
}

/// Adds the properties of `T` to the schema of a tool.
fn merge<T: JsonSchema>(schema: &mut Schema) {
    let more = schema_of::<T>();
    let Some(Value::Object(more)) = more.get("properties") else { return };
    let properties = schema
        .ensure_object()
        .entry("properties")
        .or_insert_with(|| Value::Object(JsonObject::new()));
    if let Value::Object(properties) = properties {
        properties.extend(more.clone());
    }
}

/// Whether the tool has an output schema, and so its answers structured content: their data are the daemon's own words,
/// because clients pass structured content to the model without a fence. A tool whose answers are read in pages has none:
/// a page would not match.
pub(super) fn has_structure(facts: &Facts) -> bool {
    facts.provenance == Provenance::Daemon && !is_paged(facts)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tool(name: &str) -> Tool {
        all().into_iter().map(|(tool, _)| tool).find(|tool| tool.name == name).expect(name)
    }

    fn parameters(name: &str) -> Vec<String> {
        tool(name).input_schema["properties"].as_object().unwrap().keys().cloned().collect()
    }

    #[test]
    fn every_action_but_the_persons_has_a_tool_whose_name_every_client_accepts() {
        let names: Vec<_> = all().into_iter().map(|(tool, _)| tool.name).collect();
        assert_eq!(names.len(), Action::all().count() - 2 + 1);
        assert!(!names.iter().any(|name| name == "session_resume" || name == "pairing_issue"));
        for name in names {
            assert!(name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'), "{name}");
        }
    }

    #[test]
    fn a_tools_own_parameters_depend_on_where_its_action_runs() {
        let sorted = |mut names: Vec<String>| {
            names.sort();
            names.join(" ")
        };
        assert_eq!(
            sorted(parameters("text")),
            "cursor frame hidden maxChars selector session timeout"
        );
        assert_eq!(sorted(parameters("wait")), "frame or session strategy target timeout");
        assert_eq!(
            sorted(parameters("click")),
            "at button count dialog hold modifiers session target then timeout"
        );
        assert_eq!(sorted(parameters("session_list")), "cursor maxChars");
        assert_eq!(sorted(parameters("session_wait")), "session timeout");
        assert_eq!(tool("click").input_schema["required"], serde_json::json!(["target"]));
    }

    #[test]
    fn the_hints_say_what_a_call_does() {
        let hints = |name: &str| {
            let hints = tool(name).annotations.unwrap();
            let hints = [
                hints.read_only_hint,
                hints.destructive_hint,
                hints.idempotent_hint,
                hints.open_world_hint,
            ];
            hints.map(|hint| hint.expect("a hint"))
        };
        assert_eq!(hints("text"), [true, false, true, true]);
        assert_eq!(hints("click"), [false, true, false, true]);
        assert_eq!(hints("fill"), [false, true, true, true]);
        assert_eq!(hints("tab_open"), [false, false, false, true]);
        assert_eq!(hints("session_list"), [true, false, true, false]);
        assert_eq!(hints("session_close"), [false, true, true, false]);
    }
}
