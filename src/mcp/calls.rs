//! The calls of one connection: from a tool and its arguments to what its model reads.

use std::path::PathBuf;
use std::time::Duration;

use rmcp::model::{CallToolResult, ContentBlock, JsonObject};
use serde_json::Value;

use super::answer;
use super::arguments::{Call, Shape, parse, takes_session};
use super::batch::{Batch, Report};
use super::daemon::Daemon;
use super::downloaded;
use super::pagination::Pages;
use super::paths::Folders;
use super::resources::Pictures;
use super::session_wait::SessionWait;
use super::sessions::Sessions;
use super::tabs::Tabs;
use super::tools::{self, Kind, Toolset};
use super::untrusted::with_provenance;
use crate::client::Answer;
use crate::protocol::{Action, ErrorCode, Facts, Provenance, SessionClose, SessionCreate};

/// What calls share.
pub(super) struct Calls {
    pub(super) daemon: Daemon,
    pub(super) sessions: Sessions,
    pub(super) pages: Pages,
    pub(super) folders: Folders,
    pub(super) pictures: Pictures,
    pub(super) set: Toolset,
    pub(super) timeout: Duration,
    pub(super) wait_extension: Duration,
}

/// What came of a command that succeeded.
pub(super) struct Done {
    /// What it said, not fenced yet.
    pub(super) text: String,
    /// Where those words may come from.
    provenance: Provenance,
    /// How to read on.
    more: Option<String>,
    /// A picture, or the file that was downloaded.
    pub(super) attachment: Option<ContentBlock>,
    structured: Option<Value>,
    /// Whether it had the effect that it was to have.
    took_effect: bool,
}

impl Calls {
    /// Calls a tool. The error is for the model to read.
    pub(super) async fn call(
        &self,
        tool: &str,
        kind: Kind,
        arguments: JsonObject,
        client: &str,
    ) -> Result<CallToolResult, String> {
        match kind {
            Kind::Action(facts) | Kind::HandOff(facts) => {
                self.act(tool, facts, arguments, client).await
            }
            Kind::Batch => self.batch(arguments, client).await,
            Kind::Tabs => {
                let mut last = None;
                for action in Tabs::actions(arguments)? {
                    let call = Call::of(action, self.timeout);
                    match self.perform(tool, call, client).await? {
                        Ok(done) => last = Some(done),
                        Err(failed) => return Ok(failed),
                    }
                }
                Ok(self.result(last.expect("the list comes last"), tool))
            }
            Kind::SessionWait => {
                let wait = parse::<SessionWait>(arguments)?;
                let session = match &wait.session {
                    Some(session) => session.clone(),
                    None => self.sessions.current(&self.daemon, client).await?,
                };
                wait.wait(&self.daemon, &session).await
            }
        }
    }

    async fn act(
        &self,
        tool: &str,
        facts: &'static Facts,
        arguments: JsonObject,
        client: &str,
    ) -> Result<CallToolResult, String> {
        let call = Call::parse(facts, arguments, &self.shape())?;
        Ok(match self.perform(tool, call, client).await? {
            Ok(done) => self.result(done, tool),
            Err(failed) => failed,
        })
    }

    /// What arguments are like.
    pub(super) fn shape(&self) -> Shape {
        Shape { set: self.set, timeout: self.timeout }
    }

    async fn batch(&self, arguments: JsonObject, client: &str) -> Result<CallToolResult, String> {
        let steps = Batch::steps(arguments)?;
        let (count, mut report) = (steps.len(), Report::default());
        // What is wrong with a step is known before the first is done.
        let mut calls = Vec::with_capacity(count);
        for (index, (tool, facts, params)) in steps.into_iter().enumerate() {
            let call = Call::parse(facts, params, &self.shape());
            let call = call.map_err(|problem| {
                format!("nothing was done: step {} ({tool}): {problem}", index + 1)
            })?;
            calls.push((tool, call));
        }
        for (tool, call) in calls {
            let failed = match self.perform(&tool, call, client).await {
                Ok(Ok(done)) if done.took_effect => {
                    report.add(&tool, done);
                    continue;
                }
                Ok(Ok(done)) => self.result(done, &tool),
                Ok(Err(failed)) => failed,
                Err(problem) => answer::error(problem),
            };
            return Ok(report.stopped_at(&tool, failed, count));
        }
        Ok(report.complete())
    }

    /// Carries out a call: what came of it, or why it failed. The error is for the model to read as well.
    async fn perform(
        &self,
        tool: &str,
        call: Call,
        client: &str,
    ) -> Result<Result<Done, CallToolResult>, String> {
        let Call { action, session, timeout, max_chars, cursor, paths } = call;
        let facts = action.facts();
        if let Some(cursor) = cursor {
            let page = self.pages.next(tool, &cursor, max_chars);
            let page = page.ok_or_else(|| {
                format!(
                    "the cursor {cursor:?} is not one of {tool}, or too old: call again without it"
                )
            })?;
            return Ok(Ok(Done {
                text: page.text,
                provenance: facts.provenance,
                more: page.more,
                attachment: None,
                structured: None,
                took_effect: true,
            }));
        }
        let session = match session {
            _ if !takes_session(facts) => String::new(),
            Some(session) => session,
            None => self.sessions.current(&self.daemon, client).await?,
        };
        let given = match &paths[..] {
            [] => Ok(action),
            paths => self.give(paths, &action, &session, timeout).await?,
        };
        let (action, answer) = match given {
            Err((action, refused)) => (action, refused),
            Ok(action) => {
                let answer = self.answer_to(&action, &session, timeout).await?;
                (action, answer)
            }
        };
        let mut success = match answer::outcome(&answer)? {
            Ok(success) => success,
            Err(failure) => {
                if failure.code == ErrorCode::SessionNotFound.name() {
                    self.sessions.forget(&session).await;
                }
                return Ok(Err(answer::failure(&action, &failure, self.set)));
            }
        };
        if action.get::<SessionClose>().is_some() {
            self.sessions.forget(&session).await;
        }
        let took_effect = answer.took_effect(&action);
        let file = downloaded::give(&action, &mut success).await?;
        let structured = (self.set == Toolset::All && tools::has_structure(facts))
            .then(|| Value::Object(success.data.clone()));
        let picture = answer::picture(&mut success);
        if let Some(ContentBlock::Image(picture)) = &picture {
            self.pictures.keep(&picture.mime_type, &picture.data);
        }
        let text = self.text_of(&action, &mut success);
        let page = self.pages.first(tool, text, max_chars);
        Ok(Ok(Done {
            text: page.text,
            provenance: facts.provenance,
            more: page.more,
            attachment: picture.or(file),
            structured,
            took_effect,
        }))
    }

    async fn answer_to(
        &self,
        action: &Action,
        session: &str,
        timeout: Duration,
    ) -> Result<Answer, String> {
        if let Some(create) = action.get::<SessionCreate>() {
            return self.sessions.create(&self.daemon, create.clone()).await;
        }
        let (action, session) = (action.clone(), session.to_owned());
        self.daemon.command_with_retries(action, session, timeout, self.wait_extension).await
    }

    /// Gives the files at these paths to the session: the action with the names that they have there, or why one was not
    /// taken.
    async fn give(
        &self,
        paths: &[PathBuf],
        action: &Action,
        session: &str,
        timeout: Duration,
    ) -> Result<Result<Action, (Action, Answer)>, String> {
        let files = self.folders.open(paths).await?;
        let given = self.daemon.give_files(files, session.to_owned(), timeout).await?;
        Ok(match given {
            Ok(files) => Ok(action.with_files(&files)?),
            Err(refused) => Err((action.clone(), refused)),
        })
    }

    fn text_of(&self, action: &Action, success: &mut answer::Success) -> String {
        // A connection's own session need not be named.
        if self.set == Toolset::Core {
            success.data.remove("session");
        }
        answer::text(action, success)
    }

    /// What a model reads of a command that succeeded.
    fn result(&self, done: Done, tool: &str) -> CallToolResult {
        let Done { text, provenance, more, attachment, structured, took_effect } = done;
        let mut text = with_provenance(text, provenance);
        if let Some(more) = more {
            text = text + "\n" + &more;
        }
        let mut contents = vec![ContentBlock::text(text)];
        contents.extend(attachment);
        if !took_effect {
            contents.push(answer::without_effect(tool));
        }
        let mut result = CallToolResult::success(contents);
        result.structured_content = structured;
        result.is_error = Some(!took_effect);
        result
    }
}
