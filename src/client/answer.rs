//! The answer to a command: its envelope, unchanged and parsed.

use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::{Map, Value};

use super::Error;
use crate::protocol::{Action, ErrorCode};

/// An answer's envelope.
#[derive(Debug)]
pub struct Answer {
    /// Whether the command succeeded.
    pub ok: bool,
    /// The unchanged envelope, in JSON.
    pub body: Vec<u8>,
}

/// The content of a successful answer.
#[derive(Debug, Deserialize)]
pub struct Success<T = Map<String, Value>> {
    /// The result of the action.
    pub data: T,
    /// The page that the action was carried out in; empty for actions that the daemon carries out itself.
    #[serde(default)]
    pub page: Map<String, Value>,
}

/// Why a command failed, as the daemon or the extension says.
#[derive(Clone, Debug, PartialEq, Deserialize, thiserror::Error)]
#[serde(rename_all = "camelCase")]
#[error("{code}: {message}{}", .suggested_action.as_ref().map_or_else(String::new, |next| format!("; try: {next}")))]
pub struct Failure {
    /// The error code, which may be unknown here if the daemon has another version.
    pub code: String,
    /// What happened.
    #[serde(default)]
    pub message: String,
    /// A command line to run next.
    pub suggested_action: Option<String>,
    /// More, for programs.
    pub details: Option<Value>,
}

impl Failure {
    /// The error code, if this version knows it.
    pub fn known_code(&self) -> Option<ErrorCode> {
        ErrorCode::from_name(&self.code)
    }
}

/// Why an answer has no data to use.
#[derive(Debug, thiserror::Error)]
pub enum AnswerError {
    /// The command failed.
    #[error(transparent)]
    Failed(Failure),
    /// The answer does not have the expected form.
    #[error(
        "the daemon's answer cannot be used ({0}): is it of another version? Run `bproxy service restart`"
    )]
    Unusable(#[from] serde_json::Error),
}

/// Why [`Client::call`](super::Client::call), or a method of a [`Session`](super::Session), has no data to return.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// No answer came back.
    #[error(transparent)]
    Client(#[from] Error),
    /// The command failed, or its answer cannot be used.
    #[error(transparent)]
    Answer(#[from] AnswerError),
    /// A parameter is not what the protocol takes; nothing was sent.
    #[error("{0}")]
    Invalid(String),
    /// The command was carried out, and its answer shows that it had no effect.
    #[error("{0}: read the page to see what it holds now")]
    WithoutEffect(String),
}

impl Answer {
    /// The answer in an HTTP body, or the body where that is not an envelope.
    pub(super) fn parse(body: Vec<u8>) -> Result<Answer, Vec<u8>> {
        /// Reading it checks that the envelope is complete.
        #[derive(Deserialize)]
        struct Verdict {
            ok: bool,
            id: Option<IgnoredAny>,
        }
        match serde_json::from_slice(&body) {
            Ok(Verdict { ok, id: Some(_) }) => Ok(Answer { ok, body }),
            _ => Err(body),
        }
    }

    /// What a successful command has returned.
    ///
    /// # Errors
    /// When the command failed, or its result is not a `T`.
    pub fn success<T: DeserializeOwned>(&self) -> Result<Success<T>, AnswerError> {
        if self.ok {
            return Ok(serde_json::from_slice(&self.body)?);
        }
        #[derive(Deserialize)]
        struct Failed {
            error: Failure,
        }
        let Failed { error } = serde_json::from_slice(&self.body)?;
        Err(AnswerError::Failed(error))
    }

    /// The result of a successful command.
    ///
    /// # Errors
    /// When the command failed, or its result is not a `T`.
    pub fn data<T: DeserializeOwned>(&self) -> Result<T, AnswerError> {
        self.success().map(|success| success.data)
    }

    /// The daemon's clock, in unix ms, if it has refused the command because its deadline had passed before it arrived.
    pub(super) fn clock_of_refusal(&self) -> Option<i64> {
        match self.success::<IgnoredAny>() {
            Err(AnswerError::Failed(failure))
                if failure.known_code() == Some(ErrorCode::Timeout) =>
            {
                failure.details?.get("now")?.as_i64()
            }
            _ => None,
        }
    }

    /// Whether the command succeeded and its data show that it took effect: a field that holds another value than it
    /// was filled with is a success without effect.
    pub fn took_effect(&self, action: &Action) -> bool {
        let facts = action.facts();
        let lacks_effect = || self.data::<Value>().is_ok_and(|data| !facts.took_effect(&data));
        self.ok && !(facts.effect_shown_by.is_some() && lacks_effect())
    }

    /// Whether the command failed with `code`.
    pub fn failed_with(&self, code: ErrorCode) -> bool {
        !self.ok
            && matches!(self.data::<IgnoredAny>(), Err(AnswerError::Failed(failure)) if failure.code == code.name())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn answer(body: Value) -> Answer {
        Answer::parse(body.to_string().into_bytes()).unwrap()
    }

    #[test]
    fn a_success_has_data_and_a_failure_its_reason() {
        let good =
            answer(json!({"id": "a", "ok": true, "data": {"text": "x"}, "page": {"url": "u"}}));
        let success: Success = good.success().unwrap();
        assert_eq!((&success.data["text"], &success.page["url"]), (&json!("x"), &json!("u")));
        let bad = answer(json!({"id": "a", "ok": false, "error":
            {"code": "TIMEOUT", "message": "late", "suggestedAction": "bproxy debug last"}}));
        assert!(bad.failed_with(ErrorCode::Timeout) && !bad.failed_with(ErrorCode::NoExtension));
        let error = bad.data::<Value>().unwrap_err().to_string();
        assert_eq!(error, "TIMEOUT: late; try: bproxy debug last");
    }

    #[test]
    fn what_lacks_the_expected_members_cannot_be_used() {
        assert!(Answer::parse(b"{\"ok\":true}".to_vec()).is_err());
        for body in [json!({"id": "a", "ok": true}), json!({"id": "a", "ok": false})] {
            let error = answer(body).data::<Value>().unwrap_err();
            assert!(matches!(error, AnswerError::Unusable(_)), "{error}");
        }
    }
}
