//! Messages from the extension: answers, pings, navigations, hellos, and the person's requests.
//!
//! Parsed in one pass, borrowed from the frame: a screenshot of several megabytes is not copied.

use std::{borrow::Cow, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, MapAccess, Visitor},
};
use serde_json::value::RawValue;

use super::{MAX_PING_CHARS, VERSION, proof::is_nonce};

/// A message from the extension.
#[derive(Debug)]
pub enum Message<'a> {
    /// An answer to a command; [`Answer::outcome`] tells whether it is valid.
    Answer(Answer<'a>),
    /// `ts` is echoed as it came.
    Ping {
        /// A JSON number.
        ts: &'a str,
    },
    /// A tab shows a new page.
    Navigation(Navigation<'a>),
    /// A tab of a session opened another one.
    Tab(OpenedByTab<'a>),
    /// The extension introduces itself.
    Hello(Hello<'a>),
    /// A request of the person at the browser.
    Person(PersonAct<'a>),
    /// JSON that is no known message; the text says why.
    Other(&'static str),
}

/// An answer to a forwarded command.
#[derive(Debug)]
pub struct Answer<'a> {
    /// The command's id.
    pub id: Cow<'a, str>,
    /// The outcome; none if the message is no valid answer.
    pub outcome: Option<Outcome<'a>>,
    /// Whether the extension answered from its dedupe log.
    pub replay: bool,
    /// Whether the message can be relayed unchanged as the envelope that a client expects.
    pub relayable: bool,
}

/// The outcome of a command.
#[derive(Debug)]
pub enum Outcome<'a> {
    /// `data` and `page`, two JSON objects as texts.
    Ok {
        /// The result.
        data: &'a str,
        /// The page after the command.
        page: &'a str,
    },
    /// `ok` is true, and that is all: enough for actions on tabs, an invalid answer to others.
    Bare,
    /// The extension's `error`.
    Failed {
        /// A name, known or not.
        code: String,
        /// What happened.
        message: String,
        /// A command line to run next.
        suggested_action: Option<String>,
        /// More, for programs.
        details: Option<serde_json::Value>,
    },
}

/// A request of the person at a browser, about sessions with tabs in it.
#[derive(Debug)]
pub enum PersonAct<'a> {
    /// Resume the session.
    Resume(Cow<'a, str>),
    /// Close the session.
    Close(Cow<'a, str>),
    /// Close all sessions with tabs in this browser.
    CloseAll,
}

/// A tab shows a new page.
#[derive(Debug)]
pub struct Navigation<'a> {
    /// The browser's own id of the tab.
    pub tab_id: i64,
    /// Where the tab is now.
    pub url: Cow<'a, str>,
    /// Whether the document stayed, and only its address changed.
    pub same_document: bool,
}

/// A tab that a page opened, by an act in a tab of a session or soon after.
#[derive(Debug)]
pub struct OpenedByTab<'a> {
    /// The session.
    pub session: Cow<'a, str>,
    /// The browser's own id of the tab that opened it.
    pub opener: i64,
    /// The browser's own id of the tab.
    pub tab_id: i64,
    /// Where it goes.
    pub url: Cow<'a, str>,
}

/// How an extension introduces itself.
#[derive(Debug)]
pub struct Hello<'a> {
    /// Stays the same for one browser profile.
    pub instance_id: Cow<'a, str>,
    /// The extension's own version.
    pub extension_version: Cow<'a, str>,
    /// The protocol version it speaks.
    pub protocol_version: i64,
    /// The browser's name and version.
    pub browser: Cow<'a, str>,
    /// Which additions to the protocol version it knows; 0 if it does not say.
    pub revision: i64,
    /// What the daemon's proof on this connection is to be about.
    pub nonce: Option<Cow<'a, str>>,
    /// The tabs that it holds for sessions, if it lists them.
    pub tabs: Option<Vec<HeldTab<'a>>>,
}

/// A tab that the extension holds for a session.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HeldTab<'a> {
    /// The browser's own id of the tab.
    pub tab_id: i64,
    /// The session's id, unchecked.
    #[serde(borrow)]
    pub session: Cow<'a, str>,
}

impl<'a> Message<'a> {
    /// Parses a text frame.
    ///
    /// # Errors
    ///
    /// If the text is not JSON. JSON that is no known message is [`Message::Other`].
    pub fn parse(text: &'a str) -> Result<Self, serde_json::Error> {
        if !text.trim_ascii_start().starts_with('{') {
            serde_json::from_str::<IgnoredAny>(text)?;
            return Ok(Self::Other("not an object"));
        }
        let fields: Fields<'a> = serde_json::from_str(text)?;
        Ok(match fields.kind.and_then(text_of).as_deref() {
            Some("ping") => match fields.ts {
                Some(ts) if is_number(ts) && ts.len() <= MAX_PING_CHARS => Self::Ping { ts },
                _ => Self::Other("a ping without a number `ts` of at most 32 characters"),
            },
            Some("navigation") => {
                fields.navigation().unwrap_or(Self::Other("an ill-typed navigation"))
            }
            Some("tab") => fields.tab().unwrap_or(Self::Other("an ill-typed tab")),
            Some("hello") => fields.hello().unwrap_or(Self::Other("an ill-typed hello")),
            Some("session.resume") => fields.person(PersonAct::Resume),
            Some("session.close") => fields.person(PersonAct::Close),
            Some("session.close_all") => Self::Person(PersonAct::CloseAll),
            _ => match fields.id.and_then(text_of) {
                Some(id) => Self::Answer(fields.answer(id)),
                None => Self::Other("neither a known type nor an id"),
            },
        })
    }
}

/// The members that any message may have, each as its JSON text. Of repeated members the last
/// one counts, as in the extension's own parser.
#[derive(Default)]
struct Fields<'a> {
    kind: Option<&'a str>,
    id: Option<&'a str>,
    protocol_version: Option<&'a str>,
    ok: Option<&'a str>,
    data: Option<&'a str>,
    page: Option<&'a str>,
    error: Option<&'a str>,
    replay: Option<&'a str>,
    ts: Option<&'a str>,
    tab_id: Option<&'a str>,
    opener: Option<&'a str>,
    url: Option<&'a str>,
    cause: Option<&'a str>,
    instance_id: Option<&'a str>,
    extension_version: Option<&'a str>,
    hello_version: Option<&'a str>,
    browser: Option<&'a str>,
    revision: Option<&'a str>,
    nonce: Option<&'a str>,
    tabs: Option<&'a str>,
    session: Option<&'a str>,
    /// How many members there are, of whatever name.
    members: usize,
}

impl<'a> Fields<'a> {
    fn member(&mut self, name: &str) -> Option<&mut Option<&'a str>> {
        Some(match name {
            "type" => &mut self.kind,
            "id" => &mut self.id,
            "protocol_version" => &mut self.protocol_version,
            "ok" => &mut self.ok,
            "data" => &mut self.data,
            "page" => &mut self.page,
            "error" => &mut self.error,
            "replay" => &mut self.replay,
            "ts" => &mut self.ts,
            "tabId" => &mut self.tab_id,
            "opener" => &mut self.opener,
            "url" => &mut self.url,
            "cause" => &mut self.cause,
            "instanceId" => &mut self.instance_id,
            "extensionVersion" => &mut self.extension_version,
            "protocolVersion" => &mut self.hello_version,
            "browser" => &mut self.browser,
            "revision" => &mut self.revision,
            "nonce" => &mut self.nonce,
            "tabs" => &mut self.tabs,
            "session" => &mut self.session,
            _ => return None,
        })
    }

    fn navigation(&self) -> Option<Message<'a>> {
        let same_document = match &*self.cause.and_then(text_of)? {
            "committed" => false,
            "history_state" => true,
            _ => return None,
        };
        let tab_id = self.tab_id?.parse().ok()?;
        Some(Message::Navigation(Navigation { tab_id, url: text_of(self.url?)?, same_document }))
    }

    fn tab(&self) -> Option<Message<'a>> {
        Some(Message::Tab(OpenedByTab {
            session: text_of(self.session?)?,
            opener: self.opener?.parse().ok()?,
            tab_id: self.tab_id?.parse().ok()?,
            url: text_of(self.url?)?,
        }))
    }

    fn hello(&self) -> Option<Message<'a>> {
        Some(Message::Hello(Hello {
            instance_id: text_of(self.instance_id?)?,
            extension_version: text_of(self.extension_version?)?,
            protocol_version: self.hello_version?.parse().ok()?,
            browser: text_of(self.browser?)?,
            revision: self.revision.map_or(Some(0), |revision| revision.parse().ok())?,
            nonce: match self.nonce {
                Some(nonce) => Some(text_of(nonce).filter(|nonce| is_nonce(nonce))?),
                None => None,
            },
            tabs: match self.tabs {
                Some(tabs) => Some(serde_json::from_str(tabs).ok()?),
                None => None,
            },
        }))
    }

    fn person(&self, act: fn(Cow<'a, str>) -> PersonAct<'a>) -> Message<'a> {
        match self.session.and_then(text_of) {
            Some(session) => Message::Person(act(session)),
            None => Message::Other("an act on a session without a text `session`"),
        }
    }

    fn answer(&self, id: Cow<'a, str>) -> Answer<'a> {
        Answer {
            outcome: self.outcome(),
            replay: self.replay == Some("true"),
            relayable: self.members == 6
                && self.protocol_version.and_then(|version| version.parse().ok()) == Some(VERSION)
                && self.ok == Some("true")
                && matches!(self.replay, Some("true" | "false")),
            id,
        }
    }

    fn outcome(&self) -> Option<Outcome<'a>> {
        match self.ok? {
            "true" => Some(match (self.data, self.page) {
                (Some(data), Some(page)) if is_object(data) && is_object(page) => {
                    Outcome::Ok { data, page }
                }
                _ => Outcome::Bare,
            }),
            "false" => {
                let mut error: serde_json::Map<String, serde_json::Value> =
                    serde_json::from_str(self.error?).ok()?;
                let mut text = |name| match error.remove(name) {
                    Some(serde_json::Value::String(text)) => Some(text),
                    _ => None,
                };
                Some(Outcome::Failed {
                    code: text("code")?,
                    message: text("message")?,
                    suggested_action: text("suggestedAction"),
                    details: error.remove("details").filter(serde_json::Value::is_object),
                })
            }
            _ => None,
        }
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Fields<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;

        impl<'de> Visitor<'de> for Members {
            type Value = Fields<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields<'de>, A::Error> {
                #[derive(Deserialize)]
                struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

                let mut fields = Fields::default();
                while let Some(name) = map.next_key::<Name<'de>>()? {
                    fields.members += 1;
                    match fields.member(&name.0) {
                        Some(member) => *member = Some(map.next_value::<&RawValue>()?.get()),
                        None => drop(map.next_value::<IgnoredAny>()?),
                    }
                }
                Ok(fields)
            }
        }

        deserializer.deserialize_map(Members)
    }
}

fn text_of(json: &str) -> Option<Cow<'_, str>> {
    #[derive(Deserialize)]
    struct Text<'a>(#[serde(borrow)] Cow<'a, str>);
    serde_json::from_str::<Text<'_>>(json).ok().map(|text| text.0)
}

fn is_object(json: &str) -> bool {
    json.starts_with('{')
}

fn is_number(json: &str) -> bool {
    json.starts_with(|first: char| first == '-' || first.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Message<'_> {
        Message::parse(text).unwrap()
    }

    #[test]
    fn an_answer_in_the_envelope_that_clients_expect_can_be_relayed() {
        let exact = r#"{"protocol_version":1,"id":"a","ok":true,"data":{},"page":{"url":""},"replay":false}"#;
        assert!(matches!(parse(exact), Message::Answer(Answer { relayable: true, .. })));
        let more = exact.replace(r#""replay""#, r#""extra":1,"replay""#);
        assert!(matches!(
            parse(&more),
            Message::Answer(Answer { relayable: false, outcome: Some(_), .. })
        ));
        let repeated = exact.replace(r#""data":{}"#, r#""id":"b""#);
        assert!(matches!(
            parse(&repeated),
            Message::Answer(Answer { outcome: Some(Outcome::Bare), .. })
        ));
    }

    #[test]
    fn answers_that_make_no_sense_keep_their_id() {
        for text in [
            r#"{"id":"a"}"#,
            r#"{"id":"a","ok":1}"#,
            r#"{"id":"a","ok":false,"error":{"code":"X"}}"#,
            r#"{"id":"a","ok":false,"error":null}"#,
        ] {
            let Message::Answer(answer) = parse(text) else { panic!("{text}") };
            assert!(answer.id == "a" && answer.outcome.is_none(), "{text}");
        }
    }

    #[test]
    fn a_success_without_data_or_page_is_bare() {
        for text in
            [r#"{"id":"a","ok":true,"data":[],"page":{}}"#, r#"{"id":"a","ok":true,"data":{}}"#]
        {
            let Message::Answer(answer) = parse(text) else { panic!("{text}") };
            assert!(matches!(answer.outcome, Some(Outcome::Bare)), "{text}");
        }
    }

    #[test]
    fn other_messages_are_recognised_by_their_type() {
        assert!(matches!(parse(r#"{"type":"ping","ts":1.5}"#), Message::Ping { ts: "1.5" }));
        let navigation = r#"{"type":"navigation","tabId":7,"url":"http://x/","cause":"committed"}"#;
        assert!(matches!(
            parse(navigation),
            Message::Navigation(Navigation { tab_id: 7, same_document: false, .. })
        ));
        let hello = r#"{"type":"hello","instanceId":"i","extensionVersion":"1","protocolVersion":2,"browser":"b"}"#;
        assert!(matches!(
            parse(hello),
            Message::Hello(Hello { protocol_version: 2, revision: 0, .. })
        ));
        let revised = hello.replace("\"browser\"", "\"revision\":1,\"browser\"");
        assert!(matches!(parse(&revised), Message::Hello(Hello { revision: 1, .. })));
        let with_tabs =
            |tabs: &str| hello.replace("\"browser\"", &format!(r#""tabs":{tabs},"browser""#));
        let listing = with_tabs(r#"[{"tabId":7,"session":"m4q7z2","x":1}]"#);
        let Message::Hello(Hello { tabs: Some(tabs), .. }) = parse(&listing) else { panic!() };
        assert_eq!((tabs[0].tab_id, &*tabs[0].session), (7, "m4q7z2"));
        for tabs in ["null", "{}", "[7]", r#"[{"tabId":"7","session":"m4q7z2"}]"#] {
            assert!(matches!(parse(&with_tabs(tabs)), Message::Other(_)), "{tabs}");
        }
        let ill_typed = hello.replace("\"browser\"", "\"revision\":\"1\",\"browser\"");
        assert!(matches!(parse(&ill_typed), Message::Other(_)));
        for other in [
            "[]",
            "{}",
            r#"{"type":"ping"}"#,
            r#"{"type":"ping","ts":123456789012345678901234567890123}"#,
            r#"{"type":"navigation","tabId":"7","url":"x","cause":"committed"}"#,
            r#"{"type":"navigation","tabId":7,"url":"x","cause":"moon"}"#,
            r#"{"type":"hello"}"#,
            r#"{"type":"session.close"}"#,
            r#"{"id":7}"#,
        ] {
            assert!(matches!(parse(other), Message::Other(_)), "{other}");
        }
        assert!(Message::parse("{").is_err());
        assert!(Message::parse("nonsense").is_err());
    }
}
