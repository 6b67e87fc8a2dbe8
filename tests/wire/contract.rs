//! Generates `extension/contract.js`, the extension's copy of the tables in `src/protocol`, and fails when the committed
//! file differs. `make contract` writes it.
//!
//! The file holds what the extension needs at run time (parameter schemas, which actions act, limits) and the same as
//! JSDoc types, which `tsc --checkJs` checks the extension's code against.

use std::fmt::Write as _;
use std::path::Path;
use std::{env, fs};

use bproxy::protocol::{
    Action, AnswerHandling, CODE_LIFE_MS, DEFAULT_PORT, Dialog, Effects, ErrorCode, Facts, Field,
    GivenFile, MAX_ANSWER_BYTES, MAX_DEADLINE_MS, MAX_HANDLES_PER_READ, MAX_ID_CHARS, MAX_PENDING,
    OLDEST, Recovery, RunsIn, SUBPROTOCOL, Spot, Target, Then, ThenError, VERSION, data_schema_of,
    schema_of,
};
use serde_json::{Map, Value, json};

const FILE: &str = "extension/contract.js";
const COMMAND: &str = "make contract";

#[test]
fn the_committed_contract_is_what_the_tables_say() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(FILE);
    let wanted = contract();
    if env::var_os("BPROXY_UPDATE_CONTRACT").is_some() {
        fs::write(&path, wanted).expect("the contract is writable");
        return;
    }
    let committed = fs::read_to_string(&path).unwrap_or_default();
    let (mut wanted, mut committed) = (wanted.lines(), committed.lines());
    for number in 1.. {
        let (wanted, committed) = (wanted.next(), committed.next());
        assert_eq!(
            committed, wanted,
            "{FILE} differs from src/protocol in line {number}; generate it again with:\n\n    {COMMAND}\n"
        );
        if wanted.is_none() {
            return;
        }
    }
}

/// The parameters as they are forwarded: with what the daemon knows of files in place of their names.
fn params(facts: &Facts) -> Value {
    let mut params = (facts.params)().to_value();
    if let Some(files) = params.pointer_mut("/properties/files/items") {
        *files = schema_of::<GivenFile>().to_value();
    }
    params
}

/// Whether the action must not run a second time.
fn acts(facts: &Facts) -> bool {
    facts.recovery == Recovery::ReportUnknown
}

/// The schema of the data that the extension answers with; none where the daemon answers with data of its own.
fn data(facts: &Facts) -> Option<Value> {
    match facts.answer? {
        AnswerHandling::Relayed
        | AnswerHandling::MintsHandles(_)
        | AnswerHandling::ReportsEffects
        | AnswerHandling::NamesTabs => Some((facts.data)().to_value()),
        AnswerHandling::ClosesTab | AnswerHandling::PinsTab(_) | AnswerHandling::ActivatesTab => {
            None
        }
    }
}

// ---- The file ----

/// A schema that occurs in several places and has a name of its own.
struct Shared {
    name: &'static str,
    /// The name of its constant, if the extension checks values against it.
    constant: Option<&'static str>,
    about: &'static str,
    schema: Value,
}

fn contract() -> String {
    let shared = [
        Shared {
            name: "Target",
            constant: Some("TARGET"),
            about: "Names one element, in exactly one of these ways. The daemon replaces a handle that stands for a target before it forwards a command.",
            schema: bare(&schema_of::<Target>().to_value()),
        },
        Shared {
            name: "Spot",
            constant: Some("SPOT"),
            about: "A place in an element's box: 0 is its left or top edge, 1 the right or bottom one.",
            schema: bare(&schema_of::<Spot>().to_value()),
        },
        Shared {
            name: "Field",
            constant: Some("FIELD"),
            about: "One field to fill, and how.",
            schema: bare(&schema_of::<Field>().to_value()),
        },
        Shared {
            name: "Dialog",
            constant: Some("DIALOG"),
            about: "How the dialogs that an act calls up are answered.",
            schema: bare(&schema_of::<Dialog>().to_value()),
        },
        Shared {
            name: "Then",
            constant: Some("THEN"),
            about: "A read to bring along, once the page has come to rest.",
            schema: bare(&schema_of::<Then>().to_value()),
        },
        Shared {
            name: "ThenError",
            constant: None,
            about: "Why a read that was brought along failed.",
            schema: bare(&data_schema_of::<ThenError>().to_value()),
        },
        Shared {
            name: "Effects",
            constant: None,
            about: "What came of an act, as far as it was seen.",
            schema: bare(&data_schema_of::<Effects>().to_value()),
        },
    ];
    let actions: Vec<&Facts> = Action::all().filter(|facts| facts.runs_in.is_browser()).collect();
    let mut file = Contract { text: String::new(), shared: &shared };
    file.header();
    file.types(&actions);
    file.values(&actions);
    file.text
}

struct Contract<'a> {
    text: String,
    shared: &'a [Shared],
}

impl Contract<'_> {
    fn line(&mut self, line: impl AsRef<str>) {
        self.text.push_str(line.as_ref());
        self.text.push('\n');
    }

    fn header(&mut self) {
        let versions: Vec<_> = (OLDEST..=VERSION).map(|version| version.to_string()).collect();
        self.line(format!(
            "/**
 * The wire contract as `src/protocol` defines it: generated, do not edit. After a change there run
 *
 *     {COMMAND}
 */

/** The protocol versions that both sides speak, oldest first. */
export const VERSIONS = Object.freeze([{}]);
/** The WebSocket subprotocol, the same in all versions. */
export const SUBPROTOCOL = {};
/** The daemon's port, where no other is set. */
export const DEFAULT_PORT = {DEFAULT_PORT};

/** Bounds that both sides rely on. */
export const LIMITS = Object.freeze({{
  /** The longest id of a command, in characters. */
  idChars: {MAX_ID_CHARS},
  /** How far in the future a command's deadline may lie, in ms. */
  deadlineMs: {MAX_DEADLINE_MS},
  /** How many commands there may be between admission and answer. */
  pending: {MAX_PENDING},
  /** The largest answer, in bytes of UTF-8. */
  answerBytes: {MAX_ANSWER_BYTES},
  /** How many numbers of each kind of handle are reserved for a command. */
  numbers: {MAX_HANDLES_PER_READ},
  /** How long a pairing code is valid, in ms. */
  pairingCodeMs: {CODE_LIFE_MS},
}});
",
            versions.join(", "),
            quoted(SUBPROTOCOL),
        ));
    }

    fn types(&mut self, actions: &[&Facts]) {
        let codes = ErrorCode::ALL.iter().map(|code| quoted(code.name()));
        self.union("The codes that a failure may have.", "ErrorCode", codes);
        for shared in self.shared {
            let expanded = self.expanded(&shared.schema);
            self.line(format!(
                "\n/**\n * {}\n * @typedef {{{expanded}}} {}\n */",
                shared.about, shared.name
            ));
        }
        for facts in actions {
            self.object("Params", facts, &params(facts));
            if let Some(data) = data(facts) {
                self.object("Data", facts, &data);
            }
        }
        self.map("The parameters of each action.", "ParamsOf", "Params", actions);
        let answered: Vec<_> = actions.iter().copied().filter(|it| data(it).is_some()).collect();
        self.map("The data of each answer that clients get as it is.", "DataOf", "Data", &answered);
        self.line(
            "\n/** @typedef {keyof ParamsOf} ActionName an action that the extension carries out */\n",
        );
        let repeatable =
            actions.iter().filter(|facts| !acts(facts)).map(|facts| quoted(facts.name));
        self.union(
            "The actions that may run again when the browser stopped the extension in the middle of them.",
            "RepeatableAction",
            repeatable,
        );
    }

    /// A typedef of a union, one alternative a line.
    fn union(&mut self, about: &str, name: &str, words: impl Iterator<Item = String>) {
        let words: Vec<_> = words.collect();
        let words = words.join("\n *   | ");
        self.line(format!("/**\n * {about}\n * @typedef {{{words}}} {name}\n */"));
    }

    /// A typedef that maps each action to its type of this kind.
    fn map(&mut self, about: &str, name: &str, kind: &str, actions: &[&Facts]) {
        self.line(format!("\n/**\n * {about}\n * @typedef {{{{"));
        for facts in actions {
            self.line(format!(" *   {}: {}{kind},", key(facts.name), pascal(facts.name)));
        }
        self.line(format!(" * }}}} {name}\n */"));
    }

    /// The typedef of an action's parameters or data, with a line for each member.
    fn object(&mut self, kind: &str, facts: &Facts, schema: &Value) {
        let name = format!("{}{kind}", pascal(facts.name));
        let action = facts.name;
        let members = schema["properties"].as_object();
        let Some(members) = members.filter(|_| self.name_of(schema).is_none()) else {
            let alias = self.type_of(schema);
            self.line(format!("\n/** @typedef {{{alias}}} {name} `{action}` */"));
            return;
        };
        self.line(format!("\n/**\n * @typedef {{object}} {name} `{action}`"));
        for (member, schema_of_member) in members {
            let described = schema_of_member["description"].as_str().unwrap_or_default();
            let typed = self.type_of(schema_of_member);
            let named =
                if requires(schema, member) { member.clone() } else { format!("[{member}]") };
            let line = format!(" * @property {{{typed}}} {named} {}", in_comment(described));
            self.line(line.trim_end());
        }
        self.line(" */");
    }

    fn values(&mut self, actions: &[&Facts]) {
        self.text.push('\n');
        for (number, shared) in self.shared.iter().enumerate() {
            let Some(constant) = shared.constant else { continue };
            check_subset(&shared.schema, shared.name);
            // What comes before it may occur in it.
            let before = Contract { text: String::new(), shared: &self.shared[..number] };
            let value = before.value(&shared.schema, 0);
            self.line(format!(
                "/** @type {{import('./schema.js').Schema}} */\nconst {constant} = {value};"
            ));
        }
        self.line(
            "
/**
 * Every action that the extension carries out. `acts`: it must not run a second time, should the browser stop the
 * extension in the middle of it; `needsTab`: its command names a tab; `reportsEffects`: its answer says what came of it;
 * `params`: the schema of its parameters.
 * @type {{ readonly [Name in ActionName]: {
 *   acts: boolean, needsTab: boolean, reportsEffects: boolean, params: import('./schema.js').Schema } }}
 */
export const ACTIONS = Object.freeze({",
        );
        for facts in actions {
            let schema = bare(&params(facts));
            check_subset(&schema, facts.name);
            let (acts, needs_tab) = (acts(facts), facts.runs_in == RunsIn::Tab);
            let forwarded = self.value(&schema, 4);
            self.line(format!("  {}: {{", key(facts.name)));
            let reports = facts.answer == Some(AnswerHandling::ReportsEffects);
            self.line(format!("    acts: {acts},\n    needsTab: {needs_tab},"));
            self.line(format!("    reportsEffects: {reports},"));
            self.line(format!("    params: {forwarded},\n  }},"));
        }
        self.line("});");
    }

    /// The shared name of a schema.
    fn name_of(&self, schema: &Value) -> Option<&Shared> {
        let schema = bare(schema);
        self.shared.iter().find(|shared| shared.schema == schema)
    }

    /// The type of a schema: by its shared name if it has one.
    fn type_of(&self, schema: &Value) -> String {
        self.name_of(schema).map_or_else(|| self.expanded(schema), |shared| shared.name.to_owned())
    }

    fn expanded(&self, schema: &Value) -> String {
        let union = |types: &mut dyn Iterator<Item = String>| types.collect::<Vec<_>>().join(" | ");
        if let Some(words) = schema["enum"].as_array() {
            return union(&mut words.iter().map(literal));
        }
        if let Some(value) = schema.get("const") {
            return literal(value);
        }
        if let Some(choices) = schema["oneOf"].as_array().or(schema["anyOf"].as_array()) {
            return union(&mut choices.iter().map(|choice| self.type_of(choice)));
        }
        if let Some(types) = schema["type"].as_array() {
            return union(&mut types.iter().map(|name| {
                let mut one = schema.clone();
                one["type"] = name.clone();
                self.type_of(&one)
            }));
        }
        match schema["type"].as_str() {
            Some("string") => "string".to_owned(),
            Some("boolean") => "boolean".to_owned(),
            Some("integer" | "number") => "number".to_owned(),
            Some("null") => "null".to_owned(),
            Some("array") => match self.type_of(&schema["items"]) {
                item if item.contains(" | ") && !item.starts_with('{') => format!("({item})[]"),
                item => format!("{item}[]"),
            },
            Some("object") => self.object_type(schema),
            None => "unknown".to_owned(),
            Some(other) => panic!("a type that this generator does not know: {other}"),
        }
    }

    fn object_type(&self, schema: &Value) -> String {
        let Some(members) = schema["properties"].as_object() else {
            return match &schema["additionalProperties"] {
                Value::Bool(false) => "Record<string, never>".to_owned(),
                values @ Value::Object(_) => format!("Record<string, {}>", self.type_of(values)),
                _ => "Record<string, unknown>".to_owned(),
            };
        };
        let members: Vec<_> = members
            .iter()
            .map(|(name, member)| {
                let mark = if requires(schema, name) { "" } else { "?" };
                format!("{}{mark}: {}", key(name), self.type_of(member))
            })
            .collect();
        format!("{{ {} }}", members.join(", "))
    }

    /// A value as JavaScript, on one line if that is short enough.
    fn value(&self, value: &Value, indent: usize) -> String {
        let shared = self.shared.iter().find(|shared| shared.schema == *value);
        if let Some(constant) = shared.and_then(|shared| shared.constant) {
            return constant.to_owned();
        }
        let (open, close, parts) = match value {
            Value::Array(items) => {
                let parts: Vec<_> = items.iter().map(|item| self.value(item, indent + 2)).collect();
                ("[", "]", parts)
            }
            Value::Object(members) => {
                let member = |(name, member): (&String, &Value)| {
                    format!("{}: {}", key(name), self.value(member, indent + 2))
                };
                // What a schema is about goes first.
                let (first, rest): (Vec<_>, Vec<_>) =
                    members.iter().partition(|(name, value)| *name == "type" && value.is_string());
                let parts = first.into_iter().chain(rest).map(member).collect();
                (if members.is_empty() { "{" } else { "{ " }, " }", parts)
            }
            literal_value => return literal(literal_value),
        };
        let line = parts.join(", ");
        if line.len() + indent <= 100 && !line.contains('\n') {
            let close = if parts.is_empty() { close.trim() } else { close };
            return format!("{open}{line}{close}");
        }
        let mut text = format!("{}\n", open.trim());
        for part in parts {
            let _ = writeln!(text, "{:width$}{part},", "", width = indent + 2);
        }
        let _ = write!(text, "{:indent$}{}", "", close.trim());
        text
    }
}

/// Whether an object must have this member.
fn requires(schema: &Value, member: &str) -> bool {
    schema["required"].as_array().is_some_and(|names| names.iter().any(|name| name == member))
}

/// The schema without its descriptions, which check nothing.
fn bare(schema: &Value) -> Value {
    match schema {
        Value::Object(members) => Value::Object(
            members
                .iter()
                .filter(|(name, value)| *name != "description" || !value.is_string())
                .map(|(name, value)| (name.clone(), bare(value)))
                .collect::<Map<_, _>>(),
        ),
        Value::Array(items) => items.iter().map(bare).collect(),
        other => other.clone(),
    }
}

/// Fails for a schema that says more than `extension/schema.js` checks.
fn check_subset(schema: &Value, at: &str) {
    const TYPES: &[&str] = &["object", "array", "string", "integer", "number", "boolean"];
    const KEYWORDS: &[&str] = &[
        "type",
        "properties",
        "required",
        "additionalProperties",
        "items",
        "minItems",
        "maxItems",
        "minimum",
        "maximum",
        "minLength",
        "maxLength",
        "pattern",
        "enum",
    ];
    let members = schema.as_object().unwrap_or_else(|| panic!("{at}: {schema} is no object"));
    if let Some(choices) = schema["oneOf"].as_array() {
        assert_eq!(members.len(), 1, "{at}: extension/schema.js takes `oneOf` alone");
        for choice in choices {
            let names = choice["required"].as_array().map_or(0, Vec::len);
            assert_eq!(names, 1, "{at}: extension/schema.js tells choices apart by one member");
            check_subset(choice, at);
        }
        return;
    }
    for keyword in members.keys() {
        assert!(
            KEYWORDS.contains(&keyword.as_str()),
            "{at}: extension/schema.js does not check `{keyword}`: add it there, then here"
        );
    }
    let kind = schema["type"].as_str().unwrap_or_default();
    assert!(
        TYPES.contains(&kind),
        "{at}: extension/schema.js does not check the type {}",
        schema["type"]
    );
    // An open one holds the parameters of another action, which are checked as those.
    if kind == "object" && schema.get("properties").is_some() {
        assert_eq!(
            schema["additionalProperties"], false,
            "{at}: extension/schema.js takes closed objects"
        );
    }
    for (name, member) in schema["properties"].as_object().into_iter().flatten() {
        check_subset(member, &format!("{at}.{name}"));
    }
    if kind == "array" {
        check_subset(&schema["items"], &format!("{at}[]"));
    }
}

/// `fill-form` as `FillForm`, `tab.open` as `TabOpen`.
fn pascal(name: &str) -> String {
    name.split(['.', '-']).map(|word| word[..1].to_uppercase() + &word[1..]).collect()
}

/// A member's name as JavaScript writes it.
fn key(name: &str) -> String {
    let plain = name.bytes().all(|letter| letter.is_ascii_alphanumeric() || letter == b'_');
    if plain { name.to_owned() } else { quoted(name) }
}

fn literal(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), quoted)
}

fn quoted(text: &str) -> String {
    let plain = text.bytes().all(|letter| letter >= b' ' && letter != b'\'' && letter != b'\\');
    if plain { format!("'{text}'") } else { json!(text).to_string() }
}

/// Text that does not end the comment it stands in.
fn in_comment(text: &str) -> String {
    text.replace("*/", "*\\/")
}
