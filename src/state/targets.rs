//! Minting handles for the elements found by a read, and resolving them when an action names them.

use serde_json::json;

use crate::protocol::{Action, ErrorCode, HandleKind, MAX_HANDLES_PER_READ, ProtocolError, Target};

use super::{
    Inner, Now,
    admission::Destination,
    events::{Event, truncated},
    handles::{Epoch, Miss},
    json_edit,
    pending::CommandKey,
};

impl Inner {
    /// Replaces every handle by its target; returns the page that the handles were read from, if there are any.
    pub(super) fn resolve_handles(
        &self,
        action: &mut Action,
        destination: &Destination,
        now: Now,
    ) -> Result<Option<Epoch>, ProtocolError> {
        let (session, Some((tab, chrome_id))) = (destination.session, destination.tab) else {
            return Ok(None);
        };
        let mut stamp = None;
        for target in action.targets_mut() {
            let Target::Handle(handle) = target else { continue };
            let current = self.browsers.page(destination.browser, chrome_id);
            let found = self.handles.resolve(handle, session, tab, now.instant);
            let (outcome, code, problem) = match &found {
                Ok((_, page)) if Some(*page) == current => ("ok", None, ""),
                Ok(_) => (
                    "stale",
                    Some(ErrorCode::ElementHandleStale),
                    "was read from a page that is gone",
                ),
                Err(Miss::NotFound) => (
                    "not_found",
                    Some(ErrorCode::ElementHandleNotFound),
                    "is unknown, or a later read replaced it",
                ),
                Err(Miss::Expired) => {
                    ("expired", Some(ErrorCode::ElementHandleNotFound), "has expired")
                }
                Err(Miss::ScopeMismatch) => (
                    "scope_mismatch",
                    Some(ErrorCode::ElementHandleScopeMismatch),
                    "belongs to another tab of this session",
                ),
            };
            let name = truncated(handle.as_str());
            self.emit(&Event::HandleResolve { handle: name, session, tab: Some(tab), outcome });
            if let Some(code) = code {
                let message = format!(
                    "the element handle {} {problem}: read the page again",
                    handle.as_str()
                );
                let details = json!({"handle": handle.as_str()});
                return Err(
                    ProtocolError::new(code, message, session.as_str()).with_details(details)
                );
            }
            if let Ok((resolved, page)) = found {
                stamp = Some(page);
                *target = resolved.clone();
            }
        }
        Ok(stamp)
    }

    /// The data of a read, with new handles, which replace those of the previous read.
    pub(super) fn read(
        &mut self,
        key: CommandKey,
        kind: HandleKind,
        data: &str,
        now: Now,
    ) -> String {
        let Some(command) = self.pending.get(key) else { return data.to_owned() };
        let (id, Some(ordinal)) = (command.session, command.tab) else { return data.to_owned() };
        let page = command.sent_page;
        let replaced = self.handles.forget_read(id, ordinal, kind);
        self.emit_invalidated(Some(id), Some(ordinal), "reread", replaced);
        let limit = if page.is_some() { MAX_HANDLES_PER_READ } else { 0 };
        let Some(mut read) = json_edit::Read::parse(data, kind, limit) else {
            return data.to_owned();
        };
        let targets = read.take_targets();
        let count = targets.len();
        let first = match self.sessions.get_mut(id) {
            Some(session) if count > 0 => session.number_handles(kind, count),
            _ => 0,
        };
        if let Some(page) = page
            && count > 0
        {
            let evicted = self.handles.mint((id, ordinal, kind), page, first, targets, now.instant);
            self.emit_invalidated(None, None, "cap", evicted);
            let prefix = kind.prefix();
            self.emit(&Event::HandleMint {
                session: id,
                tab: Some(ordinal),
                source_action: kind.source_action(),
                count,
                first_handle: &format!("{prefix}{first}"),
                last_handle: &format!("{prefix}{}", first + count as u32 - 1),
            });
        }
        read.with_handles(data, first)
    }
}
