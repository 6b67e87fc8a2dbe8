//! The envelopes: a request from a client, the same as forwarded to the extension, and the answer.

use std::borrow::Cow;
use std::fmt::Write as _;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::{Action, Caller, MAX_ID_CHARS, ProtocolError, VERSION, Versions, values::some};

/// Why a body is not a request; the text names the field and the expected value.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{0}")]
pub struct BadRequest(pub String);

/// A valid request.
#[derive(Clone, PartialEq, Debug)]
pub struct Request<'a> {
    /// Correlates everything; 1 to 128 characters.
    pub id: Cow<'a, str>,
    /// The action.
    pub action: Action,
    /// The parameters as they were sent.
    pub params: &'a str,
    /// The session's id, unchecked; may be empty.
    pub session: Cow<'a, str>,
    /// Unix time in ms.
    pub deadline: i64,
    /// Whether the client says that the action changes something.
    pub destructive: bool,
    /// Whether the client only asks what came of the command, which it sent before.
    pub again: bool,
    /// Who asks, if the client says it.
    pub client: Option<Caller>,
}

#[derive(Deserialize)]
struct Fields<'a> {
    #[serde(borrow, default, deserialize_with = "some")]
    protocol_version: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "some")]
    id: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "some")]
    action: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "some")]
    params: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "some")]
    session: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "some")]
    deadline: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "some")]
    destructive: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "some")]
    again: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "some")]
    client: Option<&'a RawValue>,
}

impl<'a> Request<'a> {
    /// The request in a body.
    ///
    /// # Errors
    ///
    /// [`BadRequest`] names the first field that is missing, ill-typed or out of range.
    pub fn parse(body: &'a [u8]) -> Result<Self, BadRequest> {
        let body = str::from_utf8(body).map_err(|_| bad("the body is not UTF-8"))?;
        if !body.trim_ascii_start().starts_with('{') {
            serde_json::from_str::<serde::de::IgnoredAny>(body).map_err(not_json)?;
            return Err(bad("the body must be a JSON object"));
        }
        let fields: Fields<'_> = serde_json::from_str(body).map_err(not_json)?;

        let version = integer("protocol_version", fields.protocol_version)?
            .ok_or_else(|| missing("protocol_version"))?;
        if Versions::SPOKEN.find(version).is_none() {
            return Err(bad(format!(
                "`protocol_version`: {version} is not supported, this daemon speaks {}",
                Versions::SPOKEN
            )));
        }
        let id = text("id", fields.id)?.ok_or_else(|| missing("id"))?;
        if !(1..=MAX_ID_CHARS).contains(&id.chars().count()) {
            return Err(bad(format!("`id`: expected 1 to {MAX_ID_CHARS} characters")));
        }
        let name = text("action", fields.action)?.ok_or_else(|| missing("action"))?;
        let params = fields.params.map_or("{}", RawValue::get);
        let action = Action::parse(&name, params)
            .ok_or_else(|| bad(format!("`action`: there is no action `{name}`")))?
            .map_err(BadRequest)?;
        Ok(Self {
            id,
            action,
            params,
            session: text("session", fields.session)?.unwrap_or_default(),
            deadline: integer("deadline", fields.deadline)?.ok_or_else(|| missing("deadline"))?,
            destructive: boolean("destructive", fields.destructive)?.unwrap_or(false),
            again: boolean("again", fields.again)?.unwrap_or(false),
            client: caller("client", fields.client)?,
        })
    }
}

fn bad(message: impl Into<String>) -> BadRequest {
    BadRequest(message.into())
}

fn missing(field: &str) -> BadRequest {
    bad(format!("`{field}`: missing"))
}

fn not_json(error: serde_json::Error) -> BadRequest {
    bad(format!("the body is not a valid request: {error}"))
}

fn text<'a>(field: &str, raw: Option<&'a RawValue>) -> Result<Option<Cow<'a, str>>, BadRequest> {
    #[derive(Deserialize)]
    struct Text<'a>(#[serde(borrow)] Cow<'a, str>);
    raw.map(|raw| serde_json::from_str::<Text<'a>>(raw.get()).map(|text| text.0))
        .transpose()
        .map_err(|_| bad(format!("`{field}`: expected a text")))
}

fn boolean(field: &str, raw: Option<&RawValue>) -> Result<Option<bool>, BadRequest> {
    raw.map(|raw| raw.get().parse())
        .transpose()
        .map_err(|_| bad(format!("`{field}`: expected true or false")))
}

fn caller(field: &str, raw: Option<&RawValue>) -> Result<Option<Caller>, BadRequest> {
    let Some(raw) = raw else { return Ok(None) };
    let caller: Caller = serde_json::from_str(raw.get()).map_err(|error| {
        bad(format!("`{field}`: expected a name and perhaps a folder: {error}"))
    })?;
    caller.check().map_err(|problem| bad(format!("`{field}`: {problem}")))?;
    Ok(Some(caller))
}

/// An integer of any size, clamped to 64 bits.
fn integer(field: &str, raw: Option<&RawValue>) -> Result<Option<i64>, BadRequest> {
    let Some(raw) = raw.map(RawValue::get) else { return Ok(None) };
    let digits = raw.strip_prefix('-').unwrap_or(raw);
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(bad(format!("`{field}`: expected an integer")));
    }
    let limit = if raw.starts_with('-') { i64::MIN } else { i64::MAX };
    Ok(Some(raw.parse().unwrap_or(limit)))
}

/// A request as a client writes it.
#[derive(Serialize, Debug)]
pub struct Envelope<'a> {
    /// See [`VERSION`].
    pub protocol_version: u32,
    /// See [`Request::id`].
    pub id: &'a str,
    /// See [`Action::name`].
    pub action: &'a str,
    /// See [`Action::params`].
    pub params: &'a RawValue,
    /// Empty for none.
    pub session: &'a str,
    /// Unix time in ms.
    pub deadline: i64,
    /// See [`Effect::destructive`](super::Effect::destructive).
    pub destructive: bool,
    /// See [`Request::again`].
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub again: bool,
    /// See [`Request::client`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client: Option<&'a Caller>,
}

/// The `page` of answers that do not come from a page, as a JSON text.
pub const NO_PAGE: &str = r#"{"url":"","title":"","state":"ready","busy":false}"#;

/// Where a forwarded request is carried out.
#[derive(Clone, Copy, Default, Debug)]
pub struct Place<'a> {
    /// The browser's own id of the tab; none for a new one.
    pub tab: Option<i64>,
    /// The mark of the document that the client knows; only for browsers of revision 1.
    pub document: Option<&'a str>,
    /// The first of the numbers reserved for new elements and for new links; only for browsers of revision 1.
    pub numbers: Option<[u64; 2]>,
    /// Whether the browser is only asked what came of the command; only for browsers of revision 1.
    pub recall: bool,
}

/// The message that carries a request to an extension that speaks `version`: its seven fields and the target.
///
/// `params` is a JSON text; there is no `place` for a new tab.
pub fn forwarded(
    version: u32,
    request: &Request<'_>,
    params: &str,
    session: &str,
    deadline: i64,
    place: Option<Place<'_>>,
) -> String {
    let mut text = String::with_capacity(params.len() + request.id.len() + 256);
    push_version(&mut text, version);
    push_quoted(&mut text, &request.id);
    text.push_str(r#","action":""#);
    text.push_str(request.action.name());
    text.push_str(r#"","params":"#);
    text.push_str(params);
    text.push_str(r#","session":""#);
    text.push_str(session);
    text.push_str(r#"","deadline":"#);
    text.push_str(&deadline.to_string());
    text.push_str(if request.destructive {
        r#","destructive":true"#
    } else {
        r#","destructive":false"#
    });
    let Some(Place { tab, document, numbers, recall }) = place else {
        text.push_str(r#","target":null}"#);
        return text;
    };
    text.push_str(r#","target":{"#);
    let start = text.len();
    let mut member = |name: &str, value: &dyn Fn(&mut String)| {
        text.push_str(if text.len() > start { "," } else { "" });
        text.push_str(name);
        value(&mut text);
    };
    if let Some(tab) = tab {
        member(r#""tabId":"#, &|text| text.push_str(&tab.to_string()));
    }
    if recall {
        member(r#""recall":"#, &|text| text.push_str("true"));
    }
    if let Some(document) = document {
        member(r#""document":"#, &|text| push_quoted(text, document));
    }
    if let Some([element, link]) = numbers {
        member(r#""el":"#, &|text| text.push_str(&element.to_string()));
        member(r#""ln":"#, &|text| text.push_str(&link.to_string()));
    }
    text.push_str("}}");
    text
}

/// The envelope of a success; `data` and `page` are JSON texts.
pub fn success(id: &str, data: &str, page: &str, replay: bool) -> Vec<u8> {
    let mut text = String::with_capacity(id.len() + data.len() + page.len() + 80);
    push_version(&mut text, VERSION);
    push_quoted(&mut text, id);
    text.push_str(r#","ok":true,"data":"#);
    text.push_str(data);
    text.push_str(r#","page":"#);
    text.push_str(page);
    text.push_str(if replay { r#","replay":true}"# } else { r#","replay":false}"# });
    text.into_bytes()
}

/// The envelope of a failure.
pub fn failure(id: &str, error: &ProtocolError) -> Vec<u8> {
    #[derive(Serialize)]
    struct Failure<'a> {
        protocol_version: u32,
        id: &'a str,
        ok: bool,
        error: &'a ProtocolError,
    }
    // Strings, numbers and JSON values always serialize.
    serde_json::to_vec(&Failure { protocol_version: VERSION, id, ok: false, error })
        .unwrap_or_default()
}

/// The beginning of an envelope, up to its id.
fn push_version(text: &mut String, version: u32) {
    // Writing to a string cannot fail.
    let _ = write!(text, r#"{{"protocol_version":{version},"id":"#);
}

fn push_quoted(text: &mut String, raw: &str) {
    if raw.bytes().all(|byte| byte >= b' ' && byte != b'"' && byte != b'\\') {
        text.push('"');
        text.push_str(raw);
        text.push('"');
    } else {
        text.push_str(&serde_json::to_string(raw).unwrap_or_default());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn parse(body: &Value) -> Result<(), String> {
        Request::parse(body.to_string().as_bytes()).map(drop).map_err(|error| error.to_string())
    }

    fn request() -> Value {
        json!({"protocol_version": 1, "id": "a", "action": "text", "deadline": 1})
    }

    #[test]
    fn only_four_fields_are_required_and_unknown_ones_are_ignored() {
        assert_eq!(parse(&request()), Ok(()));
        let mut more = request();
        more["colour"] = json!("red");
        assert_eq!(parse(&more), Ok(()));
        for field in ["protocol_version", "id", "action", "deadline"] {
            let mut less = request();
            less.as_object_mut().unwrap().remove(field);
            assert_eq!(parse(&less), Err(format!("`{field}`: missing")));
        }
    }

    #[test]
    fn every_ill_typed_field_is_named_and_null_is_ill_typed() {
        for field in [
            "protocol_version",
            "id",
            "action",
            "params",
            "session",
            "deadline",
            "destructive",
            "again",
            "client",
        ] {
            for value in [json!(null), json!([]), json!(1.5)] {
                let mut request = request();
                request[field] = value.clone();
                let refused = parse(&request).expect_err(field);
                assert!(refused.contains(&format!("`{field}`")), "{field} {value}: {refused}");
            }
        }
    }

    #[test]
    fn who_asks_has_a_name_and_perhaps_a_folder_of_limited_length() {
        let with = |client: Value| {
            let mut request = request();
            request["client"] = client;
            parse(&request)
        };
        assert_eq!(with(json!({"name": "Claude Code", "folder": "/home/ada/site"})), Ok(()));
        assert_eq!(with(json!({"name": "x".repeat(64)})), Ok(()));
        for client in [
            json!({}),
            json!({"folder": "/"}),
            json!({"name": 1}),
            json!({"name": "a", "folder": null}),
            json!({"name": "a", "pid": 1}),
            json!({"name": "x".repeat(65)}),
            json!({"name": "a", "folder": "x".repeat(257)}),
        ] {
            let refused = with(client.clone()).expect_err("a refusal");
            assert!(refused.contains("`client`"), "{client}: {refused}");
        }
    }

    #[test]
    fn bodies_that_are_no_objects_are_refused() {
        for body in ["", "[]", "\"a\"", "{", "{}{}", "nul", "{\"id\":\"\u{1}\"}"] {
            assert!(Request::parse(body.as_bytes()).is_err(), "{body}");
        }
        assert!(Request::parse(b"{\"id\":\"\xff\"}").is_err());
    }

    #[test]
    fn a_deadline_of_any_size_is_an_integer() {
        let far =
            r#"{"protocol_version":1,"id":"a","action":"text","deadline":99999999999999999999}"#;
        assert_eq!(Request::parse(far.as_bytes()).unwrap().deadline, i64::MAX);
    }

    #[test]
    fn the_forwarded_message_has_the_seven_fields_and_the_target() {
        let body = r#"{"protocol_version":1,"id":"a\"b","action":"text","params":{ "selector":"p" },"deadline":7,"x":1}"#;
        let request = Request::parse(body.as_bytes()).unwrap();
        let place = Place { tab: Some(3), ..Place::default() };
        let text = forwarded(2, &request, request.params, "m4q7z2", 7, Some(place));
        assert_eq!(
            serde_json::from_str::<Value>(&text).unwrap(),
            json!({"protocol_version": 2, "id": "a\"b", "action": "text", "params": {"selector": "p"},
                   "session": "m4q7z2", "deadline": 7, "destructive": false, "target": {"tabId": 3}})
        );
        let (document, numbers) = (Some("a\"b"), Some([1, 2]));
        let place = Place { tab: Some(3), document, numbers, recall: false };
        let text = forwarded(1, &request, "{}", "m4q7z2", 7, Some(place));
        assert_eq!(
            serde_json::from_str::<Value>(&text).unwrap()["target"],
            json!({"tabId": 3, "document": "a\"b", "el": 1, "ln": 2})
        );
        for (tab, target) in
            [(Some(3), json!({"tabId": 3, "recall": true})), (None, json!({"recall": true}))]
        {
            let place = Place { tab, recall: true, ..Place::default() };
            let text = forwarded(1, &request, "{}", "m4q7z2", 7, Some(place));
            assert_eq!(serde_json::from_str::<Value>(&text).unwrap()["target"], target);
        }
        let text = forwarded(1, &request, "{}", "m4q7z2", 7, None);
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap()["target"], json!(null));
    }
}
