//! The tools: those of the core set, or one for each action of the protocol's table that models may use; and those that
//! are no action.

use std::sync::Arc;

use rmcp::model::{JsonObject, Tool, ToolAnnotations};
use schemars::{JsonSchema, Schema};
use serde_json::Value;

use super::arguments::{InSession, InTime, Within, is_paged, takes_session, takes_timeout};
use super::batch::Batch;
use super::core;
use super::hand_off::HandedOff;
use super::paths::Paths;
use super::session_wait::SessionWait;
use super::tabs::Tabs;
use crate::agent;
use crate::protocol::{Action, Facts, Provenance, RequireHuman, Spec, schema_of};

/// Which tools there are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Toolset {
    /// What most tasks need, in few words.
    Core,
    /// One for each action, with all its parameters.
    All,
}

impl Toolset {
    /// Their names.
    pub const NAMES: &[&str] = &["core", "all"];
}

impl std::str::FromStr for Toolset {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "core" => Ok(Self::Core),
            "all" => Ok(Self::All),
            _ => Err(format!("`{text}` is not one of {}", Self::NAMES.join(", "))),
        }
    }
}

/// What a tool does.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    /// An action of the protocol.
    Action(&'static Facts),
    /// The action that hands over to the person, and the wait for them.
    HandOff(&'static Facts),
    /// Several actions.
    Batch,
    /// Lists the tabs, changes to one, or closes one.
    Tabs,
    /// Waits until a paused session is resumed.
    SessionWait,
}

/// The tools of a set, with what each does.
pub(super) fn of(set: Toolset) -> Vec<(Tool, Kind)> {
    let mut tools: Vec<_> = match set {
        Toolset::Core => {
            let of_entry = |entry: &core::Entry| {
                let facts = agent::action(entry.action).expect("an action of the table");
                let tool = core::tool(entry, facts, is_paged(facts));
                (tool.with_annotations(hints_of(facts)), kind(facts))
            };
            core::ENTRIES.iter().map(of_entry).collect()
        }
        Toolset::All => {
            let offered = Action::all().filter(|facts| facts.is_tool);
            offered.map(|facts| (of_action(facts), kind(facts))).collect()
        }
    };
    match set {
        Toolset::Core => tools.push((tabs(), Kind::Tabs)),
        Toolset::All => tools.push((session_wait(), Kind::SessionWait)),
    }
    tools.push((batch(set), Kind::Batch));
    for (tool, _) in tools.iter_mut().filter(|(_, kind)| matches!(kind, Kind::HandOff(_))) {
        tool.output_schema = Some(object(schema_of::<HandedOff>()));
    }
    tools
}

fn kind(facts: &'static Facts) -> Kind {
    if facts.name == RequireHuman::ROW.name { Kind::HandOff(facts) } else { Kind::Action(facts) }
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
    Paths::in_place(&mut schema);
    let tool = Tool::new(agent::tool_name(facts.name), facts.about, object(schema));
    let tool = tool.with_title(title(facts.name)).with_annotations(hints_of(facts));
    match has_structure(facts) {
        true => tool.with_raw_output_schema(object((facts.data)())),
        false => tool,
    }
}

/// The name of an action as people read it: `tab.open` is "Tab open".
fn title(action: &str) -> String {
    let words = action.replace(['.', '-'], " ");
    words[..1].to_uppercase() + &words[1..]
}

fn hints_of(facts: &Facts) -> ToolAnnotations {
    hints(
        [facts.effect.reads(), facts.effect.loses(), facts.effect.idempotent()],
        facts.runs_in.is_browser(),
    )
}

fn hints([reads, loses, is_idempotent]: [bool; 3], is_open: bool) -> ToolAnnotations {
    ToolAnnotations::new()
        .read_only(reads)
        .destructive(loses)
        .idempotent(is_idempotent)
        .open_world(is_open)
}

fn session_wait() -> Tool {
    let about = "Wait until a paused session is resumed, which happens when its person has helped. Use it after \
                 HUMAN_REQUIRED, once you have told the person what to do.";
    Tool::new("session_wait", about, object(schema_of::<SessionWait>()))
        .with_title("Session wait")
        .with_annotations(hints([true, false, true], false))
}

fn tabs() -> Tool {
    let about = "List the tabs of this session; with `tab`, go to it first, or close it.";
    Tool::new("tabs", about, short(object(schema_of::<Tabs>())))
        .with_title("Tabs")
        .with_annotations(hints([false, true, true], true))
}

fn batch(set: Toolset) -> Tool {
    let about = match set {
        Toolset::Core => {
            "Run several tools in one call; stops at the first that fails. Takes other actions too: find {role, name}, \
             elements {form}, links {contains}, fill, type {text}, hover, drag {from, to}, scroll {by}, back, forward, \
             reload, tab_activate, frames, outline, images, inspect, dom."
        }
        Toolset::All => {
            "Run several actions in one call, in this order; it stops at the first that fails, and says which. Saves \
             turns where no answer decides what comes next."
        }
    };
    let schema = object(schema_of::<Batch>());
    let schema = if set == Toolset::Core { short(schema) } else { schema };
    Tool::new("batch", about, schema)
        .with_title("Several steps")
        .with_annotations(hints([false, true, false], true))
}

/// A schema without what a model need not be told.
fn short(mut schema: Arc<JsonObject>) -> Arc<JsonObject> {
    Arc::make_mut(&mut schema).remove("additionalProperties");
    schema
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
        let all = of(Toolset::All).into_iter();
        all.map(|(tool, _)| tool).find(|tool| tool.name == name).expect(name)
    }

    fn parameters(name: &str) -> Vec<String> {
        tool(name).input_schema["properties"].as_object().unwrap().keys().cloned().collect()
    }

    #[test]
    fn every_action_but_the_persons_has_a_tool_whose_name_every_client_accepts() {
        let names: Vec<_> = of(Toolset::All).into_iter().map(|(tool, _)| tool.name).collect();
        assert_eq!(names.len(), Action::all().count() - 3 + 2);
        for none in ["session_resume", "pairing_issue", "save"] {
            assert!(!names.iter().any(|name| name == none), "{none}");
        }
        for name in names {
            assert!(name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'), "{name}");
        }
    }

    #[test]
    fn a_core_tool_takes_what_its_action_takes_and_targets_as_texts() {
        let tools = of(Toolset::Core);
        assert!(tools.len() <= 16, "{}", tools.len());
        for (tool, kind) in &tools {
            let properties = tool.input_schema["properties"].as_object().expect("parameters");
            assert!(!properties.contains_key("session"), "{}", tool.name);
            assert!(tool.title.is_some(), "{}", tool.name);
            let Kind::Action(facts) = kind else { continue };
            let mut whole = (facts.params)();
            Paths::in_place(&mut whole);
            let whole = whole.to_value();
            for (name, property) in properties {
                let is_known = whole["properties"].get(name).is_some() || name == "cursor";
                assert!(is_known, "{}: {name}", tool.name);
                let is_target = whole["properties"][name].get("oneOf").is_some();
                assert!(!is_target || property["type"] == "string", "{}: {name}", tool.name);
                assert!(property.get("type").or(property.get("enum")).is_some(), "{}", tool.name);
            }
        }
        let click = tools.iter().find(|(tool, _)| tool.name == "click").expect("click");
        assert_eq!(click.0.input_schema["required"], serde_json::json!(["target"]));
        let form = tools.iter().find(|(tool, _)| tool.name == "fill_form").expect("fill_form");
        let field = &form.0.input_schema["properties"]["fields"]["items"];
        assert_eq!(field["properties"]["target"], serde_json::json!({"type": "string"}));
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
