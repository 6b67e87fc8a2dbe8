//! All errors, in one table: code, category, whether to retry, where the message's text comes from, what to run next.

use std::borrow::Cow;

use serde::{Serialize, Serializer};
use serde_json::Value;

use super::Provenance;

/// The stage that a failure belongs to.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Category {
    /// The connection between client, daemon and extension.
    Transport,
    /// A permission or a decision is missing.
    Policy,
    /// The target session, tab or element.
    Target,
    /// The page or the browser.
    Execution,
}

/// Whether the same request can succeed later.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Retry {
    /// At any time: nothing was done.
    Safe,
    /// After something else has changed.
    Conditional,
    /// Not without changing the request.
    Never,
}

macro_rules! codes {
    ($($variant:ident = $name:literal, $category:ident, $retry:ident, $provenance:ident, $suggestion:expr;)*) => {
        /// A failure that the protocol knows.
        #[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
        #[allow(missing_docs)] // the names are the protocol's own
        pub enum ErrorCode { $($variant,)* }

        impl ErrorCode {
            /// Every code.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// The name on the wire.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// The stage that the failure belongs to.
            pub fn category(self) -> Category {
                match self { $(Self::$variant => Category::$category,)* }
            }

            /// Whether the same request can succeed later.
            pub fn retry(self) -> Retry {
                match self { $(Self::$variant => Retry::$retry,)* }
            }

            /// Where text in the message may come from.
            pub fn provenance(self) -> Provenance {
                match self { $(Self::$variant => Provenance::$provenance,)* }
            }

            /// A command line that helps, with `{session}` to be replaced; empty if there is none.
            fn suggestion(self) -> &'static str {
                match self { $(Self::$variant => $suggestion,)* }
            }

            /// Whether this command line is no more than what every failure with this code suggests.
            pub fn suggests(self, command: &str) -> bool {
                command.split(" -s ").next() == self.suggestion().split(" -s ").next()
            }

            /// The code called `name`.
            pub fn from_name(name: &str) -> Option<Self> {
                match name { $($name => Some(Self::$variant),)* _ => None }
            }
        }
    };
}

codes! {
    NoExtension = "NO_EXTENSION", Transport, Conditional, Daemon, "bproxy pair";
    Timeout = "TIMEOUT", Transport, Conditional, Daemon, "bproxy debug last --count 5";
    Overloaded = "OVERLOADED", Transport, Safe, Daemon, "bproxy debug status";
    SessionRequired = "SESSION_REQUIRED", Policy, Conditional, Daemon, "bproxy session list";
    HumanRequired = "HUMAN_REQUIRED", Policy, Conditional, Page, "bproxy session wait -s {session}";
    PersonRequired = "PERSON_REQUIRED", Policy, Conditional, Daemon, "bproxy session wait -s {session}";
    DebuggerDisabled = "DEBUGGER_DISABLED", Policy, Never, Daemon, "bproxy screenshot --activate -s {session}";
    InvalidSessionId = "INVALID_SESSION_ID", Target, Never, Daemon, "bproxy session list";
    SessionNotFound = "SESSION_NOT_FOUND", Target, Conditional, Daemon, "bproxy session list";
    TabNotFound = "TAB_NOT_FOUND", Target, Conditional, Daemon, "bproxy tab list -s {session}";
    TabHandleNotFound = "TAB_HANDLE_NOT_FOUND", Target, Conditional, Daemon, "bproxy tab list -s {session}";
    TabNotInSession = "TAB_NOT_IN_SESSION", Target, Conditional, Daemon, "bproxy tab list -s {session}";
    ElementNotFound = "ELEMENT_NOT_FOUND", Target, Conditional, Page, "bproxy elements -s {session}";
    ElementNotActionable = "ELEMENT_NOT_ACTIONABLE", Target, Conditional, Page, "bproxy snapshot -s {session}";
    SelectorAmbiguous = "SELECTOR_AMBIGUOUS", Target, Conditional, Page, "bproxy elements -s {session}";
    ElementHandleNotFound = "ELEMENT_HANDLE_NOT_FOUND", Target, Conditional, Daemon, "bproxy elements -s {session}";
    ElementHandleStale = "ELEMENT_HANDLE_STALE", Target, Conditional, Page, "bproxy elements -s {session}";
    ElementHandleScopeMismatch = "ELEMENT_HANDLE_SCOPE_MISMATCH", Target, Never, Daemon, "bproxy elements -s {session}";
    FileNotFound = "FILE_NOT_FOUND", Target, Conditional, Daemon, "bproxy snapshot -s {session}";
    FrameNotFound = "FRAME_NOT_FOUND", Target, Conditional, Page, "bproxy frames -s {session}";
    ScriptError = "SCRIPT_ERROR", Execution, Conditional, Page, "bproxy debug log -s {session}";
    NavigationFailed = "NAVIGATION_FAILED", Execution, Conditional, Page, "bproxy snapshot -s {session}";
    PageChanged = "PAGE_CHANGED", Execution, Conditional, Page, "bproxy snapshot -s {session}";
    OutcomeUnknown = "OUTCOME_UNKNOWN", Execution, Conditional, Daemon, "bproxy snapshot -s {session}";
    PageBlocked = "PAGE_BLOCKED", Execution, Conditional, Daemon, "bproxy reload -s {session}";
    TooLarge = "TOO_LARGE", Execution, Conditional, Daemon, "bproxy outline -s {session}";
    StorageFull = "STORAGE_FULL", Execution, Conditional, Daemon, "bproxy session close -s {session}";
    TabNotVisible = "TAB_NOT_VISIBLE", Execution, Conditional, Daemon, "bproxy tab activate -s {session}";
}

impl Serialize for ErrorCode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// The `error` of a failure envelope.
#[derive(Clone, PartialEq, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ProtocolError {
    /// A name of the table, or one that only the extension knows.
    pub code: Cow<'static, str>,
    /// See [`ErrorCode::category`].
    pub category: Category,
    /// See [`ErrorCode::retry`].
    pub retry: Retry,
    /// What happened, for a person or a model to read.
    pub message: String,
    /// A command line to run next.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub suggested_action: Option<String>,
    /// More, for programs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub details: Option<Value>,
}

impl ProtocolError {
    /// A failure of the table in the given session, which may be empty.
    pub fn new(code: ErrorCode, message: impl Into<String>, session: &str) -> Self {
        Self {
            code: Cow::Borrowed(code.name()),
            category: code.category(),
            retry: code.retry(),
            message: message.into(),
            suggested_action: suggest(code, session),
            details: None,
        }
    }

    /// A failure that the extension reports. Category and retry come from the table; codes that
    /// it does not have are failures of execution.
    pub fn from_extension(
        code: &str,
        message: String,
        suggested_action: Option<String>,
        details: Option<Value>,
        session: &str,
    ) -> Self {
        let known = ErrorCode::from_name(code);
        Self {
            code: known
                .map_or_else(|| Cow::Owned(code.to_owned()), |known| Cow::Borrowed(known.name())),
            category: known.map_or(Category::Execution, ErrorCode::category),
            retry: known.map_or(Retry::Conditional, ErrorCode::retry),
            message,
            suggested_action: suggested_action.or_else(|| suggest(known?, session)),
            details,
        }
    }

    /// The same failure with another command line to run next.
    #[must_use]
    pub fn suggesting(mut self, command: impl Into<String>) -> Self {
        self.suggested_action = Some(command.into());
        self
    }

    /// The same failure with details for programs.
    #[must_use]
    pub fn with_details(mut self, details: Value) -> Self {
        self.details = Some(details);
        self
    }
}

fn suggest(code: ErrorCode, session: &str) -> Option<String> {
    match code.suggestion() {
        "" => None,
        // What is left to be filled in is no command line.
        command if session.is_empty() && command.contains("{session}") => {
            Some("bproxy session list".to_owned())
        }
        command => Some(command.replace("{session}", session)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_found_by_its_name() {
        for code in ErrorCode::ALL {
            assert_eq!(ErrorCode::from_name(code.name()), Some(*code));
        }
    }

    #[test]
    fn category_and_retry_of_a_reported_failure_come_from_the_table() {
        let known =
            ProtocolError::from_extension("TAB_NOT_VISIBLE", "hidden".into(), None, None, "m4q7z2");
        assert_eq!((known.category, known.retry), (Category::Execution, Retry::Conditional));
        assert_eq!(known.suggested_action.as_deref(), Some("bproxy tab activate -s m4q7z2"));
        let unknown = ProtocolError::from_extension("MOON_PHASE", "full".into(), None, None, "");
        assert_eq!((unknown.category, unknown.retry), (Category::Execution, Retry::Conditional));
        assert_eq!(unknown.suggested_action, None);
    }
}
