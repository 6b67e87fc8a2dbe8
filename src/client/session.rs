//! A session as a value: its commands as methods with typed answers.

use std::time::Duration;

use super::{CallError, Client};
use crate::protocol::{
    Action, Click, ClickData, Field, FieldData, Fields, Fill, FillData, FillForm, Find, FindData,
    Int, Key, Keys, Label, Links, LinksData, Navigate, NavigateData, Press, PressData, Select,
    SelectData, SessionClose, SessionCloseData, SessionCreate, SessionId, Snapshot, SnapshotData,
    Spec, TabOpen, Table, TableData, Target, Text, Type, TypeData, TypedText, Wait, WaitData,
    WaitStrategy,
};

/// How long a command may take, unless [`Session::within`] says otherwise.
const TIMEOUT: Duration = Duration::from_secs(30);

/// How much longer a wait in the page may take until its answer is there.
const WAIT_GRACE: Duration = Duration::from_secs(2);

/// A session of a [`Client`]: tabs, pace and pauses of its own in the person's browser.
///
/// It stays when this value is dropped; [`Session::close`] closes it with its tabs.
///
/// ```no_run
/// use bproxy::client::{self, CallError};
///
/// fn prices() -> Result<String, CallError> {
///     let client = client::connect(None)?;
///     let session = client.session("research")?;
///     session.open("https://shop.example/lamps")?;
///     session.fill("#max-price", "50")?;
///     session.click("[type=submit]")?;
///     let tree = session.snapshot()?.tree;
///     session.close()?;
///     Ok(tree)
/// }
/// ```
#[derive(Clone)]
pub struct Session<'a> {
    client: &'a Client,
    id: String,
    timeout: Duration,
}

impl Client {
    /// A new session with a name for people, which may be empty.
    ///
    /// # Errors
    /// When the name is too long, or the daemon refuses another session.
    pub fn session(&self, label: &str) -> Result<Session<'_>, CallError> {
        let label = Label::try_from(label.to_owned()).map_err(CallError::Invalid)?;
        let created = self.call(SessionCreate { label: Some(label) }, "", TIMEOUT)?;
        Ok(self.session_of(created.session))
    }

    /// A session that there is already.
    pub fn session_of(&self, id: SessionId) -> Session<'_> {
        Session { client: self, id: id.to_string(), timeout: TIMEOUT }
    }
}

/// An act is a success only if it had its effect: a field that does not hold what it was filled with fails.
fn held(filled: bool, what: &str) -> Result<(), CallError> {
    let problem = || CallError::WithoutEffect(what.to_owned());
    filled.then_some(()).ok_or_else(problem)
}

impl Session<'_> {
    /// The session's id, as the command line takes it: `-s m4q7z2`.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The same session with another time limit for each command.
    #[must_use]
    pub fn within(self, timeout: Duration) -> Self {
        Self { timeout, ..self }
    }

    /// Carries out any action in the session. Actions that need nothing have defaults:
    /// `session.call(Elements { form: Some(true), ..Elements::default() })`.
    ///
    /// # Errors
    /// When the command fails, or no answer comes back.
    pub fn call<S: Spec + Into<Action>>(&self, action: S) -> Result<S::Data, CallError> {
        self.client.call(action, &self.id, self.timeout)
    }

    /// Opens an address in a tab of its own, in the background, which further commands act on.
    ///
    /// # Errors
    /// As those of [`Session::call`], as for every method below.
    pub fn open(&self, url: &str) -> Result<&Self, CallError> {
        self.call(TabOpen { url: url.into(), window: None, until: None, then: None })?;
        Ok(self)
    }

    /// Goes to an address in the session's tab.
    pub fn navigate(&self, url: &str) -> Result<NavigateData, CallError> {
        self.call(Navigate { url: url.into(), until: None, then: None })
    }

    /// The text that the page shows.
    pub fn text(&self) -> Result<String, CallError> {
        Ok(self.call(Text::default())?.text)
    }

    /// The text of the elements that match a selector.
    pub fn text_of(&self, selector: &str) -> Result<String, CallError> {
        Ok(self.call(Text { selector: Some(selector.into()), ..Text::default() })?.text)
    }

    /// The page as a tree, with handles.
    pub fn snapshot(&self) -> Result<SnapshotData, CallError> {
        self.call(Snapshot::default())
    }

    /// The links of the page, with handles.
    pub fn links(&self) -> Result<LinksData, CallError> {
        self.call(Links { targets: Some(false), ..Links::default() })
    }

    /// The tables, grids and lists of the page as rows.
    pub fn tables(&self) -> Result<TableData, CallError> {
        self.call(Table::default())
    }

    /// The visible elements that fit, with handles: `session.find(Find { name: Some("Save".into()), ..Find::default() })`.
    pub fn find(&self, criteria: Find) -> Result<FindData, CallError> {
        self.call(criteria)
    }

    /// Clicks an element: a handle such as `el3`, a CSS selector, or [`Criteria`](crate::protocol::Criteria).
    pub fn click(&self, target: impl Into<Target>) -> Result<ClickData, CallError> {
        let (button, count, modifiers, at, hold) = (None, None, None, None, None);
        let target = target.into();
        self.call(Click { target, button, count, modifiers, at, hold, dialog: None, then: None })
    }

    /// Fills a field. It fails if the field does not hold the value afterwards.
    pub fn fill(&self, target: impl Into<Target>, value: &str) -> Result<FillData, CallError> {
        let (method, world, blur, private, dialog, then) = (None, None, None, None, None, None);
        let (target, value) = (target.into(), value.to_owned());
        let filled =
            self.call(Fill { target, value, method, world, blur, private, dialog, then })?;
        held(filled.filled, "the field does not hold the value that it was filled with")?;
        Ok(filled)
    }

    /// Fills several fields, all of which are looked up before the first is written. It fails if one of them does not hold
    /// its value afterwards.
    pub fn fill_form<'t>(
        &self,
        values: impl IntoIterator<Item = (&'t str, &'t str)>,
    ) -> Result<Vec<FieldData>, CallError> {
        let field = |(target, value): (&str, &str)| Field {
            target: target.into(),
            value: value.into(),
            method: None,
            world: None,
            blur: None,
            private: None,
        };
        let fields: Vec<_> = values.into_iter().map(field).collect();
        let fields = Fields::try_from(fields).map_err(CallError::Invalid)?;
        let results = self.call(FillForm { fields, dialog: None, then: None })?.results;
        if let Some(place) = results.iter().position(|result| !result.filled) {
            held(
                false,
                &format!("field {} does not hold the value that it was filled with", place + 1),
            )?;
        }
        Ok(results)
    }

    /// Chooses an option by the text that a person sees.
    pub fn select(&self, target: impl Into<Target>, option: &str) -> Result<SelectData, CallError> {
        let (trigger, option_text) = (target.into(), option.to_owned());
        self.call(Select { trigger, option_text, dialog: None, then: None })
    }

    /// Presses keys where the focus is: `session.press(["Control+a", "Delete"])`.
    pub fn press<'k>(
        &self,
        keys: impl IntoIterator<Item = &'k str>,
    ) -> Result<PressData, CallError> {
        let keys: Result<Vec<_>, _> =
            keys.into_iter().map(|key| Key::try_from(key.to_owned())).collect();
        let keys = keys.and_then(Keys::try_from).map_err(CallError::Invalid)?;
        self.call(Press { keys, target: None, dialog: None, then: None })
    }

    /// Types a text into a field, key by key, at the end of what it holds.
    pub fn type_into(&self, target: impl Into<Target>, text: &str) -> Result<TypeData, CallError> {
        let text = TypedText::try_from(text.to_owned()).map_err(CallError::Invalid)?;
        let (replace, private, dialog, then) = (None, None, None, None);
        self.call(Type { text, target: Some(target.into()), replace, private, dialog, then })
    }

    /// Waits until the page is as it is to be, for the session's time limit at most. It fails with `TIMEOUT` otherwise.
    pub fn wait(&self, strategy: WaitStrategy, target: &str) -> Result<WaitData, CallError> {
        let timeout = i64::try_from(self.timeout.as_millis()).unwrap_or(i64::MAX);
        let timeout = Some(Int::try_from(timeout).map_err(CallError::Invalid)?);
        let target = Some(target.to_owned()).filter(|target| !target.is_empty());
        let wait = Wait { strategy, target, or: None, timeout, frame: None };
        self.client.call(wait, &self.id, self.timeout + WAIT_GRACE)
    }

    /// Closes the session and its tabs.
    pub fn close(self) -> Result<SessionCloseData, CallError> {
        self.call(SessionClose {})
    }
}
