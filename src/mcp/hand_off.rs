//! A hand-off to the person: the session is paused, its person asked, and the call goes on until the session does.
//!
//! A client that can ask its person does so meanwhile. One that cannot has its model tell them, so that the first call only
//! pauses, and the next one waits.

use std::collections::BTreeMap;
use std::time::Duration;

use rmcp::RoleServer;
use rmcp::model::{
    CallToolResponse, CallToolResult, ClientResult, ContentBlock, ElicitRequest,
    ElicitRequestParams, ElicitResult, ElicitationAction, ElicitationSchema, InputRequest,
    InputRequiredResult, InputResponses, JsonObject, PingRequest, ProtocolVersion, ServerRequest,
};
use rmcp::service::{PeerRequestOptions, RequestContext, RequestHandle};
use schemars::JsonSchema;
use serde::Serialize;

use super::answer;
use super::arguments::Call;
use super::calls::Calls;
use super::session_wait;
use crate::agent::SessionWait as Ended;
use crate::protocol::{ErrorCode, Facts, RequireHuman, SessionResume};

/// How long a call waits: nobody comes back to a task after hours, and whoever called may call again.
const LONGEST: Duration = Duration::from_secs(3600);

/// How long the daemon may take to answer from memory.
const QUICK: Duration = Duration::from_secs(10);

/// What the person is asked, among what a client is asked to ask.
const QUESTION: &str = "person";

/// What a program reads of a hand-off that has ended.
#[derive(Serialize, JsonSchema)]
pub(super) struct HandedOff {
    /// Always true
    resumed: bool,
}

/// How the client's person can be asked.
enum Way {
    /// The client cannot.
    None,
    /// By a request while the call goes on.
    Request,
    /// By an answer to the call, which the client makes again with what the person said.
    Again,
}

impl Way {
    fn of(context: &RequestContext<RoleServer>) -> Self {
        let asks = context.client_capabilities().is_some_and(|it| it.elicitation.is_some());
        let newest = ProtocolVersion::V_2026_07_28;
        match context.protocol_version() {
            _ if !asks => Self::None,
            Some(version) if version >= newest => Self::Again,
            _ => Self::Request,
        }
    }
}

impl Calls {
    /// Hands over to the person. The error is for the model to read.
    pub(super) async fn hand_off(
        &self,
        facts: &'static Facts,
        arguments: JsonObject,
        said: Option<InputResponses>,
        client: &str,
        context: &RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, String> {
        let Call { action, session, timeout, .. } = Call::parse(facts, arguments, &self.shape())?;
        let session = match session {
            Some(session) => session,
            None => self.sessions.current(&self.daemon, client).await?,
        };
        let now = self.daemon.wait_for_session(session.clone(), Duration::ZERO).await?;
        let was_paused = matches!(now, Ended::Paused { .. });
        let way = Way::of(context);
        if !was_paused {
            let paused = self.daemon.command(action.clone(), session.clone(), timeout).await?;
            if let Err(failure) = answer::outcome(&paused)? {
                let is_paused = failure.code == ErrorCode::HumanRequired.name();
                if !is_paused || matches!(way, Way::None) {
                    return Ok(answer::failure(&action, &failure, self.set).into());
                }
            }
        }
        let reason = action.get::<RequireHuman>().map(|it| it.reason.as_str()).unwrap_or_default();
        let said = said.and_then(|mut said| said.remove(QUESTION));
        let said = said.and_then(|said| serde_json::from_value::<ElicitResult>(said).ok());
        if let (Way::Again, None) = (&way, &said) {
            let question = InputRequest::Elicitation(ElicitRequest::new(question(reason)));
            let questions = BTreeMap::from([(QUESTION.to_owned(), question)]);
            return Ok(InputRequiredResult::from_input_requests(questions).into());
        }
        if let Some(refused) = self.heard(said, &session).await {
            return Ok(refused.into());
        }
        let mut asked = match way {
            Way::Request => ask(reason, context).await,
            Way::None | Way::Again => None,
        };
        let waiting = self.daemon.wait_for_session(session.clone(), LONGEST);
        tokio::pin!(waiting);
        loop {
            tokio::select! {
                ended = &mut waiting => {
                    if let Some(asked) = asked.take() {
                        // The question is settled; a client that cannot take it back loses nothing.
                        let _ = asked.cancel(Some("the session goes on".to_owned())).await;
                    }
                    return Ok(goes_on(ended?, &session, self).into());
                }
                said = answered(&mut asked) => {
                    asked = None;
                    if let Some(refused) = self.heard(said, &session).await {
                        return Ok(refused.into());
                    }
                }
            }
        }
    }

    /// What a person's answer in the client comes to: that they decline ends the hand-off. That it is done is for the
    /// browser to say, unless the daemon lets anyone resume.
    async fn heard(&self, said: Option<ElicitResult>, session: &str) -> Option<CallToolResult> {
        match said?.action {
            ElicitationAction::Accept => {
                let resume = SessionResume {}.into();
                let _ = self.daemon.command(resume, session.to_owned(), QUICK).await;
                None
            }
            ElicitationAction::Decline => Some(answer::error(
                "The person declined, and the session stays paused.\nNext: ask the person how to go on without it.",
            )),
            // It was put away, which says nothing.
            _ => None,
        }
    }
}

fn question(reason: &str) -> ElicitRequestParams {
    ElicitRequestParams::FormElicitationParams {
        meta: None,
        message: format!(
            "{reason}\n\nDo this in the browser, then press Resume in the popup of the bproxy extension."
        ),
        requested_schema: ElicitationSchema::new(BTreeMap::new()),
    }
}

/// Asks the person in the client. None where that fails: the browser asks them as well.
async fn ask(
    reason: &str,
    context: &RequestContext<RoleServer>,
) -> Option<RequestHandle<RoleServer>> {
    // The SDK's first request has the id 0, and clients that are made with the SDK for TypeScript take that for none when
    // the request is taken back: nobody has to wait for this one.
    let first = ServerRequest::PingRequest(PingRequest::default());
    let options = PeerRequestOptions::no_options;
    let _ = context.peer.send_cancellable_request(first, options()).await;
    let request = ServerRequest::ElicitRequest(ElicitRequest::new(question(reason)));
    context.peer.send_cancellable_request(request, options()).await.ok()
}

/// What the person has said in the client; never, where nobody was asked.
async fn answered(asked: &mut Option<RequestHandle<RoleServer>>) -> Option<ElicitResult> {
    let Some(asked) = asked else { return std::future::pending().await };
    match (&mut asked.rx).await {
        Ok(Ok(ClientResult::ElicitResult(said))) => Some(said),
        _ => None,
    }
}

/// What the model reads at the end of the wait.
fn goes_on(ended: Ended, session: &str, calls: &Calls) -> CallToolResult {
    match ended {
        Ended::Running { .. } => {
            let text = "The person has helped, and the session goes on: read the page first.";
            let mut result = CallToolResult::success(vec![ContentBlock::text(text)]);
            result.structured_content = serde_json::to_value(HandedOff { resumed: true }).ok();
            result
        }
        other => session_wait::unfinished(other, session, calls.set),
    }
}
