//! The core tools: what most tasks need, in few words. A target is one text, and so is a read to bring along; what is
//! seldom needed is left out, and reached through `batch`, which takes every action.
//!
//! Names, types and limits are those of the actions, so that only what is said differs.

use rmcp::model::{JsonObject, Tool};
use serde_json::{Value, json};

use super::paths::Paths;
use crate::agent;
use crate::protocol::Facts;

/// A core tool.
pub(super) struct Entry {
    /// The action.
    pub(super) action: &'static str,
    /// What people see of it.
    title: &'static str,
    /// What models choose it by.
    about: &'static str,
    /// Its parameters, with what is said of them.
    params: &'static [(&'static str, &'static str)],
}

const TARGET: &str = "A handle (`el12`), a CSS selector, or `role=button name=Save`";
const THEN: &str = "A read to bring along: `snapshot`, `text`, `table`, `find role=link name=Docs`";
const DIALOG: &str = "`accept`, `dismiss` (as without), or `accept TEXT`";
const CURSOR: &str = "Where a cut answer goes on";

/// The core tools that are actions, in the order in which they are listed.
pub(super) const ENTRIES: &[Entry] = &[
    Entry {
        action: "tab.open",
        title: "Open a page",
        about: "Open an address in a new tab, in the background; what follows goes to it. Start here.",
        params: &[("url", ""), ("then", THEN)],
    },
    Entry {
        action: "navigate",
        title: "Go to an address",
        about: "Go to an address in this tab.",
        params: &[("url", ""), ("then", THEN)],
    },
    Entry {
        action: "snapshot",
        title: "Read the page",
        about: "Read the page as a tree of roles, names and handles to act on.",
        params: &[
            ("interactiveOnly", "Only what can be acted on"),
            ("contains", "Only lines with this text"),
            ("selector", "Only this part"),
            ("since", "An earlier `mark`: only what has changed"),
        ],
    },
    Entry {
        action: "text",
        title: "Read the text",
        about: "Read the page's text, as a person sees it.",
        params: &[("selector", "Only this part")],
    },
    Entry {
        action: "table",
        title: "Read tables",
        about: "Read tables, grids and lists of like items as rows.",
        params: &[("target", TARGET), ("limit", "Rows; 500"), ("offset", "")],
    },
    Entry {
        action: "click",
        title: "Click",
        about: "Click an element. Says what came of it.",
        params: &[
            ("target", TARGET),
            ("button", ""),
            ("count", "2 for a double click"),
            ("modifiers", ""),
            ("dialog", DIALOG),
            ("then", THEN),
        ],
    },
    Entry {
        action: "fill-form",
        title: "Fill in fields",
        about: "Fill one or more fields, editors, checkboxes (`true`) or lists (the option's text), and check what they \
                hold.",
        params: &[("fields", ""), ("then", THEN)],
    },
    Entry {
        action: "select",
        title: "Choose an option",
        about: "Choose an option of a list that opens on a click.",
        params: &[("trigger", TARGET), ("optionText", ""), ("then", THEN)],
    },
    Entry {
        action: "press",
        title: "Press keys",
        about: "Press keys: `Enter`, `Tab`, `Control+a`.",
        params: &[("keys", ""), ("target", "Focused first"), ("dialog", DIALOG), ("then", THEN)],
    },
    Entry {
        action: "wait",
        title: "Wait for the page",
        about: "Wait for an element, a text or an address. Acts wait for the page to come to rest by themselves.",
        params: &[
            ("strategy", ""),
            ("target", "The selector, text or address"),
            ("timeout", "Milliseconds; 30000"),
        ],
    },
    Entry {
        action: "screenshot",
        title: "Take a picture",
        about: "Take a picture of the tab, for layout and charts; `text` is cheaper for words.",
        params: &[
            ("activate", "Bring the tab to the front, if it is not"),
            ("target", TARGET),
            ("fullPage", ""),
            ("marks", "Draw handles"),
        ],
    },
    Entry {
        action: "upload",
        title: "Upload files",
        about: "Give files to a field for files, a drop zone, or the button that asks for them.",
        params: &[("target", TARGET), ("paths", "Below the working directory"), ("then", THEN)],
    },
    Entry {
        action: "download",
        title: "Download a file",
        about: "Click what gives a file, or fetch an address as the person's browser does, and wait for the file.",
        params: &[("target", TARGET), ("url", "Instead of a target"), ("then", THEN)],
    },
    Entry {
        action: "require-human",
        title: "Ask the person",
        about: "Hand over to the person for what is theirs: signing in, a code, a captcha, a decision. Ends when they have \
                resumed the session.",
        params: &[("reason", "What they are asked to do")],
    },
];

/// Whether an action is a core tool.
pub(super) fn has(action: &str) -> bool {
    ENTRIES.iter().any(|entry| entry.action == action)
}

/// The tool of a core action: its schema has the parameters that are listed.
pub(super) fn tool(entry: &Entry, facts: &Facts, is_paged: bool) -> Tool {
    let mut schema = (facts.params)();
    Paths::in_place(&mut schema);
    let whole = schema.to_value();
    let mut properties = JsonObject::new();
    for (name, about) in entry.params {
        let mut property = short(&whole["properties"][name]);
        if !about.is_empty() {
            property["description"] = (*about).into();
        }
        properties.insert((*name).to_owned(), property);
    }
    if is_paged {
        properties.insert("cursor".to_owned(), json!({"type": "string", "description": CURSOR}));
    }
    let mut schema = JsonObject::new();
    schema.insert("type".to_owned(), "object".into());
    schema.insert("properties".to_owned(), properties.into());
    if let Some(required) = whole.get("required") {
        schema.insert("required".to_owned(), required.clone());
    }
    Tool::new(agent::tool_name(facts.name), entry.about, schema).with_title(entry.title)
}

/// A schema with the types alone, in which everything that can be said in one text is one.
fn short(schema: &Value) -> Value {
    let has = |member: &str| schema["properties"].get(member).is_some();
    if schema.get("oneOf").is_some() || has("answer") || (has("action") && has("params")) {
        return json!({"type": "string"});
    }
    let mut said = JsonObject::new();
    for keyword in ["type", "enum", "required"] {
        if let Some(value) = schema.get(keyword) {
            said.insert(keyword.to_owned(), value.clone());
        }
    }
    if let Some(items) = schema.get("items") {
        said.insert("items".to_owned(), short(items));
    }
    if let Some(required) = schema.get("required").and_then(Value::as_array) {
        let member = |name: &Value| {
            let name = name.as_str().unwrap_or_default();
            (name.to_owned(), short(&schema["properties"][name]))
        };
        said.insert(
            "properties".to_owned(),
            required.iter().map(member).collect::<JsonObject>().into(),
        );
    }
    // A word is a text.
    if said.contains_key("enum") {
        said.remove("type");
    }
    said.into()
}
