//! `batch`: several actions in one call, up to the first that fails.

use rmcp::model::{CallToolResult, ContentBlock, JsonObject};
use schemars::JsonSchema;
use serde::Deserialize;

use super::arguments::parse;
use super::calls::Done;
use super::untrusted::with_provenance;
use crate::agent;
use crate::protocol::{Facts, Provenance};

/// How many steps a batch may have: more than a task needs, and few enough that nobody waits for it for long.
const MAX_STEPS: usize = 50;

/// The arguments.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Batch {
    /// The steps
    #[schemars(length(min = 1))]
    steps: Vec<Step>,
}

/// A call.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Step {
    /// The tool
    action: String,
    /// Its arguments
    #[serde(default)]
    params: JsonObject,
}

impl Batch {
    /// The steps, with the name of the tool and the action of each. The error is for the model to read.
    pub(super) fn steps(
        arguments: JsonObject,
    ) -> Result<Vec<(String, &'static Facts, JsonObject)>, String> {
        let Self { steps } = parse(arguments)?;
        match steps.len() {
            0 => return Err("`params.steps`: expected at least one step".to_owned()),
            count if count > MAX_STEPS => {
                return Err(format!("`params.steps`: expected at most {MAX_STEPS}, got {count}"));
            }
            _ => {}
        }
        let named = |(index, Step { action, params }): (usize, Step)| {
            let facts = agent::action(&action).filter(|facts| facts.is_tool);
            let facts = facts.ok_or_else(|| {
                format!("`params.steps[{index}].action`: there is no action {action:?} in a batch")
            })?;
            Ok((agent::tool_name(facts.name), facts, params))
        };
        steps.into_iter().enumerate().map(named).collect()
    }
}

/// What the steps of a batch came to, step by step.
#[derive(Default)]
pub(super) struct Report {
    text: String,
    attachments: Vec<ContentBlock>,
    done: usize,
}

impl Report {
    /// Adds a step that succeeded.
    pub(super) fn add(&mut self, tool: &str, done: Done) {
        self.done += 1;
        self.text += &format!("[{}] {tool}\n{}\n", self.done, done.text);
        self.attachments.extend(done.attachment);
    }

    /// The result of a batch whose steps were all done.
    pub(super) fn complete(self) -> CallToolResult {
        CallToolResult::success(self.contents())
    }

    /// The result of a batch that ended with this step, `count` of which were to be done.
    pub(super) fn stopped_at(
        self,
        tool: &str,
        failed: CallToolResult,
        count: usize,
    ) -> CallToolResult {
        let step = self.done + 1;
        let mut head = format!("Step {step} of {count} ({tool}) failed.");
        if self.done > 0 {
            head += " The steps before it were done.";
        }
        if step < count {
            head += " The steps after it were not.";
        }
        let mut contents = self.contents();
        contents.insert(0, ContentBlock::text(head));
        contents.extend(failed.content);
        CallToolResult::error(contents)
    }

    fn contents(self) -> Vec<ContentBlock> {
        let mut contents = Vec::new();
        if !self.text.is_empty() {
            let text = with_provenance(self.text.trim_end().to_owned(), Provenance::Page);
            contents.push(ContentBlock::text(text));
        }
        contents.extend(self.attachments);
        contents
    }
}
