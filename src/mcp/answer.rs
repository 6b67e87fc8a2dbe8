//! What a model reads: a command's answer as text or picture, or why there is none.

use std::fmt::Write;

use rmcp::model::{CallToolResult, ContentBlock};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::hints;
use super::untrusted::fenced;
use crate::protocol::{Action, ErrorCode};

/// The daemon's envelope.
#[derive(Deserialize)]
pub(super) struct Envelope {
    ok: bool,
    #[serde(default)]
    data: Map<String, Value>,
    #[serde(default)]
    page: Map<String, Value>,
    error: Option<Failure>,
}

/// Why a command has failed.
#[derive(Deserialize)]
pub(super) struct Failure {
    pub(super) code: String,
    message: String,
    #[serde(rename = "suggestedAction")]
    suggested: Option<String>,
    details: Option<Value>,
}

impl Envelope {
    /// The envelope in a body.
    pub(super) fn parse(body: &[u8]) -> Result<Self, String> {
        serde_json::from_slice(body).map_err(|error| {
            format!("the daemon's answer cannot be used ({error}): is it of another version? Run `bproxy service restart`")
        })
    }

    /// The data of a success, or the failure.
    pub(super) fn outcome(self) -> Result<Success, Failure> {
        match (self.ok, self.error) {
            (false, Some(failure)) => Err(failure),
            _ => Ok(Success { data: self.data, page: self.page }),
        }
    }
}

/// What a command has brought.
pub(super) struct Success {
    pub(super) data: Map<String, Value>,
    page: Map<String, Value>,
}

impl Success {
    /// The picture of a screenshot: its bytes in base64, and their type.
    pub(super) fn picture(&mut self) -> Option<ContentBlock> {
        let Some(Value::String(base64)) = self.data.remove("base64") else { return None };
        let format = self.data.get("format").and_then(Value::as_str).unwrap_or("png");
        Some(ContentBlock::image(base64, format!("image/{format}")))
    }

    /// The answer as text: where the page is, then short facts, then lists with an entry on each line, then what was
    /// read as it is.
    pub(super) fn text(&self) -> String {
        // Writing to a string has no way to fail.
        let (mut facts, mut lists, mut read) = (Map::new(), String::new(), String::new());
        for (name, value) in &self.data {
            match value {
                Value::String(text) if READ.contains(&name.as_str()) => {
                    let _ = write!(read, "{name}:\n{text}\n");
                }
                Value::Array(entries) if !entries.is_empty() => {
                    let _ = writeln!(lists, "{name}:");
                    for entry in entries {
                        let _ = writeln!(lists, "{entry}");
                    }
                }
                value => _ = facts.insert(name.clone(), value.clone()),
            }
        }
        let mut text = String::new();
        let is_page =
            self.page.get("url").and_then(Value::as_str).is_some_and(|url| !url.is_empty());
        if is_page {
            let _ = writeln!(text, "page: {}", Value::Object(self.page.clone()));
        }
        if !facts.is_empty() || (lists.is_empty() && read.is_empty()) {
            let _ = writeln!(text, "{}", Value::Object(facts));
        }
        text + &lists + read.trim_end()
    }
}

/// The members that hold what was read, and are easier to read without JSON's quotes.
const READ: [&str; 3] = ["text", "html", "tree"];

/// A failure of the command in words, with what to do next.
pub(super) fn failure(action: &Action, failure: &Failure) -> CallToolResult {
    let Failure { code, message, suggested, details } = failure;
    let mut said = message.clone();
    if let Some(details) = details {
        let _ = write!(said, "\ndetails: {details}");
    }
    let known = ErrorCode::from_name(code);
    // The extension describes what is on the page, in the page's words.
    let said = if may_quote_page(known) { fenced(&said) } else { said };
    let mut text = format!("{} failed: {code}: {said}", hints::tool_name(action.name()));
    if let Some(next) = known.map(hints::step).or(suggested.as_deref()) {
        let _ = write!(text, "\nNext: {next}");
    }
    error(text)
}

/// A failure that the model reads.
pub(super) fn error(text: impl Into<String>) -> CallToolResult {
    CallToolResult::error(vec![ContentBlock::text(text.into())])
}

fn may_quote_page(code: Option<ErrorCode>) -> bool {
    use ErrorCode::{
        ElementNotActionable, ElementNotFound, HumanRequired, NavigationFailed, ScriptError,
        SelectorAmbiguous,
    };
    match code {
        Some(
            ElementNotFound | ElementNotActionable | SelectorAmbiguous | ScriptError
            | NavigationFailed | HumanRequired,
        )
        | None => true,
        Some(_) => false,
    }
}
