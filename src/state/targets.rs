//! Resolving the handles that a command names.

use serde_json::json;

use crate::protocol::{
    Action, By, ElementHandle, ErrorCode, HandleKind, ProtocolError, SessionId, TabHandle,
};

use super::{
    Inner, Now,
    admission::Destination,
    events::{Event, truncated},
    handles::{HandlePage, Key, Miss, Referent},
};

/// The handles of a command.
#[derive(Default)]
pub(super) struct Resolved {
    pub(super) keys: Vec<Key>,
    pub(super) page: HandlePage,
    /// Whether any was replaced by its target, so that the parameters are no longer as they were sent.
    pub(super) replaced: bool,
}

impl Inner {
    /// Resolves every handle. One that stands for a target is replaced by it; one that the page's side knows by its number
    /// stays.
    pub(super) fn resolve_handles(
        &self,
        action: &mut Action,
        destination: &Destination,
        now: Now,
    ) -> Result<Resolved, ProtocolError> {
        let mut resolved = Resolved::default();
        let (session, Some((tab, chrome_id))) = (destination.session, destination.tab) else {
            return Ok(resolved);
        };
        let page = self.browsers.page(destination.browser, chrome_id);
        for target in action.targets_mut() {
            let By::Handle(handle) = &target.by else { continue };
            let found = self.handles.resolve(handle, session, tab, now.instant);
            let found = found.map_err(Some).and_then(|(key, referent)| {
                let is_on = page.is_some_and(|page| referent.is_on(page));
                is_on.then_some((key, referent)).ok_or(None)
            });
            let outcome = match &found {
                Ok(_) => "ok",
                Err(None) => "stale",
                Err(Some(Miss::ScopeMismatch(_))) => "scope_mismatch",
                Err(Some(Miss::NotFound)) if self.was_given(session, handle) => "expired",
                Err(Some(Miss::NotFound)) => "not_found",
            };
            let name = truncated(handle.as_str());
            self.emit(&Event::HandleResolve { handle: name, session, tab: Some(tab), outcome });
            let (key, referent) = found.map_err(|miss| {
                let refused = refusal(handle, session, outcome);
                match miss {
                    Some(Miss::ScopeMismatch(tab)) => {
                        let tab = TabHandle::new(tab);
                        let bind =
                            format!("bproxy session bind --tab {} -s {session}", tab.as_str());
                        refused.suggesting(bind)
                    }
                    _ => refused,
                }
            })?;
            resolved.keys.push(key);
            resolved.page.depend_on(referent);
            if let Referent::Target(found, _) = referent {
                *target = found.clone();
                resolved.replaced = true;
            }
        }
        Ok(resolved)
    }

    /// Whether the session has given this number, or has passed it over.
    fn was_given(&self, session: SessionId, handle: &ElementHandle) -> bool {
        let session = self.sessions.get(session);
        session.zip(handle.parts()).is_some_and(|(session, (kind, number))| {
            (1..session.numbers.next(kind)).contains(&number)
        })
    }
}

fn refusal(handle: &ElementHandle, session: SessionId, outcome: &str) -> ProtocolError {
    let name = handle.as_str();
    let mut details = json!({"handle": name});
    let (code, problem) = match outcome {
        "stale" => (ErrorCode::ElementHandleStale, "was read from a page that is gone"),
        "scope_mismatch" => {
            (ErrorCode::ElementHandleScopeMismatch, "belongs to another tab of this session")
        }
        "expired" => {
            details["reason"] = json!("expired");
            (ErrorCode::ElementHandleNotFound, "has expired")
        }
        _ => {
            details["reason"] = json!("unknown");
            (ErrorCode::ElementHandleNotFound, "was never given in this session")
        }
    };
    let message = format!("the element handle {name} {problem}: read the page again");
    let error = ProtocolError::new(code, message, session.as_str()).with_details(details);
    match handle.parts() {
        Some((HandleKind::Link, _)) => error.suggesting(format!("bproxy links -s {session}")),
        _ => error,
    }
}
