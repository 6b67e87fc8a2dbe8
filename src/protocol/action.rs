//! What can be asked for, and what the daemon must know of each action.
//!
//! A new action is a new line in [`actions!`]; the compiler then points at every match that must
//! decide about it.

use serde::Serialize;

use super::params::*;

/// Where an action is carried out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Place {
    /// In the daemon, without a session.
    Daemon,
    /// In the daemon, for one session.
    Session,
    /// In the browser, and it makes its own tab, and a session if none is given.
    NewTab,
    /// In the browser, on a tab of the session.
    Tab,
}

/// What is paced together.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Category {
    /// `navigate`
    Navigate,
    /// `scroll`
    Scroll,
    /// `click`, `hover`, `select`
    Interaction,
    /// `fill`, and each field of `fill-form`
    Fill,
}

/// The pace an action keeps: the delays that it makes the next of its category wait for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Pace {
    /// What is paced together.
    pub category: Category,
    /// How many delays; one for each field filled.
    pub delays: usize,
}

macro_rules! actions {
    ($($variant:ident($params:ident) = $name:literal,)*) => {
        /// An action with its parameters.
        #[derive(Clone, PartialEq, Debug)]
        #[allow(missing_docs)] // the names are the protocol's own
        pub enum Action {
            $($variant($params),)*
        }

        impl Action {
            /// The name of every action.
            pub const NAMES: &[&str] = &[$($name),*];

            /// The name on the wire.
            pub fn name(&self) -> &'static str {
                match self {
                    $(Self::$variant(_) => $name,)*
                }
            }

            /// The action called `name` with parameters parsed from a JSON text.
            ///
            /// # Errors
            ///
            /// None if there is no such action; else what is wrong, with the path to the field.
            pub(super) fn parse(name: &str, params: &str) -> Option<Result<Self, String>> {
                Some(match name {
                    $($name => parse_params(params).map(Self::$variant),)*
                    _ => return None,
                })
            }

            /// The parameters as a JSON text.
            pub fn params(&self) -> String {
                match self {
                    $(Self::$variant(params) => to_json(params),)*
                }
            }
        }
    };
}

actions! {
    SessionCreate(SessionCreate) = "session.create",
    SessionList(NoParams) = "session.list",
    SessionBind(SessionBind) = "session.bind",
    SessionUnbind(NoParams) = "session.unbind",
    SessionResume(NoParams) = "session.resume",
    SessionClose(NoParams) = "session.close",
    TabList(NoParams) = "tab.list",
    TabOpen(TabOpen) = "tab.open",
    TabClose(TabRef) = "tab.close",
    TabPin(TabRef) = "tab.pin",
    TabUnpin(TabRef) = "tab.unpin",
    TabActivate(TabRef) = "tab.activate",
    Navigate(Navigate) = "navigate",
    Text(Within) = "text",
    Links(Links) = "links",
    Images(Within) = "images",
    Elements(Elements) = "elements",
    Outline(NoParams) = "outline",
    Dom(Dom) = "dom",
    Inspect(Inspect) = "inspect",
    Snapshot(Snapshot) = "snapshot",
    Scroll(Scroll) = "scroll",
    Click(Pointer) = "click",
    Hover(Pointer) = "hover",
    Fill(Fill) = "fill",
    FillForm(FillForm) = "fill-form",
    Select(Select) = "select",
    Screenshot(Screenshot) = "screenshot",
    Wait(Wait) = "wait",
    RequireHuman(RequireHuman) = "require-human",
    DebugLog(DebugLog) = "debug.log",
    DebugLast(DebugLast) = "debug.last",
    DebugStatus(NoParams) = "debug.status",
    PairingIssue(NoParams) = "pairing.issue",
}

impl Action {
    /// Where the action is carried out.
    pub fn place(&self) -> Place {
        match self {
            Self::SessionCreate(_)
            | Self::SessionList(_)
            | Self::DebugLast(_)
            | Self::DebugStatus(_)
            | Self::PairingIssue(_) => Place::Daemon,
            Self::SessionBind(_)
            | Self::SessionUnbind(_)
            | Self::SessionResume(_)
            | Self::SessionClose(_)
            | Self::TabList(_) => Place::Session,
            Self::TabOpen(_) => Place::NewTab,
            Self::TabClose(_)
            | Self::TabPin(_)
            | Self::TabUnpin(_)
            | Self::TabActivate(_)
            | Self::Navigate(_)
            | Self::Text(_)
            | Self::Links(_)
            | Self::Images(_)
            | Self::Elements(_)
            | Self::Outline(_)
            | Self::Dom(_)
            | Self::Inspect(_)
            | Self::Snapshot(_)
            | Self::Scroll(_)
            | Self::Click(_)
            | Self::Hover(_)
            | Self::Fill(_)
            | Self::FillForm(_)
            | Self::Select(_)
            | Self::Screenshot(_)
            | Self::Wait(_)
            | Self::RequireHuman(_)
            | Self::DebugLog(_) => Place::Tab,
        }
    }

    /// The pace the action keeps; none if it goes at once.
    pub fn pace(&self) -> Option<Pace> {
        let (category, delays) = match self {
            Self::Navigate(_) => (Category::Navigate, 1),
            Self::Scroll(_) => (Category::Scroll, 1),
            Self::Click(_) | Self::Hover(_) | Self::Select(_) => (Category::Interaction, 1),
            Self::Fill(_) => (Category::Fill, 1),
            Self::FillForm(form) => (Category::Fill, form.fields.len()),
            Self::SessionCreate(_)
            | Self::SessionList(_)
            | Self::SessionBind(_)
            | Self::SessionUnbind(_)
            | Self::SessionResume(_)
            | Self::SessionClose(_)
            | Self::TabList(_)
            | Self::TabOpen(_)
            | Self::TabClose(_)
            | Self::TabPin(_)
            | Self::TabUnpin(_)
            | Self::TabActivate(_)
            | Self::Text(_)
            | Self::Links(_)
            | Self::Images(_)
            | Self::Elements(_)
            | Self::Outline(_)
            | Self::Dom(_)
            | Self::Inspect(_)
            | Self::Snapshot(_)
            | Self::Screenshot(_)
            | Self::Wait(_)
            | Self::RequireHuman(_)
            | Self::DebugLog(_)
            | Self::DebugLast(_)
            | Self::DebugStatus(_)
            | Self::PairingIssue(_) => return None,
        };
        Some(Pace { category, delays })
    }

    /// Whether a client marks the request as one that changes something outside the daemon, so
    /// that an interrupted one is never carried out a second time.
    pub fn destructive(&self) -> bool {
        match self {
            Self::TabOpen(_)
            | Self::TabClose(_)
            | Self::Navigate(_)
            | Self::Click(_)
            | Self::Fill(_)
            | Self::FillForm(_)
            | Self::Select(_)
            | Self::SessionClose(_) => true,
            Self::SessionCreate(_)
            | Self::SessionList(_)
            | Self::SessionBind(_)
            | Self::SessionUnbind(_)
            | Self::SessionResume(_)
            | Self::TabList(_)
            | Self::TabPin(_)
            | Self::TabUnpin(_)
            | Self::TabActivate(_)
            | Self::Text(_)
            | Self::Links(_)
            | Self::Images(_)
            | Self::Elements(_)
            | Self::Outline(_)
            | Self::Dom(_)
            | Self::Inspect(_)
            | Self::Snapshot(_)
            | Self::Scroll(_)
            | Self::Hover(_)
            | Self::Screenshot(_)
            | Self::Wait(_)
            | Self::RequireHuman(_)
            | Self::DebugLog(_)
            | Self::DebugLast(_)
            | Self::DebugStatus(_)
            | Self::PairingIssue(_) => false,
        }
    }

    /// The tab that the action names itself, where it does.
    pub fn tab(&self) -> Option<&super::TabHandle> {
        match self {
            Self::TabClose(params)
            | Self::TabPin(params)
            | Self::TabUnpin(params)
            | Self::TabActivate(params) => params.tab.as_ref(),
            _ => None,
        }
    }

    /// The targets among the parameters, each of which may be a handle.
    pub fn targets_mut(&mut self) -> Vec<&mut super::Target> {
        match self {
            Self::Click(params) | Self::Hover(params) => vec![&mut params.target],
            Self::Fill(params) => vec![&mut params.target],
            Self::Select(params) => vec![&mut params.trigger],
            Self::Scroll(params) => params.target.iter_mut().collect(),
            Self::FillForm(params) => {
                params.fields.iter_mut().map(|field| &mut field.target).collect()
            }
            _ => Vec::new(),
        }
    }
}

fn parse_params<'a, P: serde::Deserialize<'a>>(json: &'a str) -> Result<P, String> {
    serde_json::from_str(json).or_else(|_| {
        // Parsed once more, this time keeping track of where the fault lies.
        let mut deserializer = serde_json::Deserializer::from_str(json);
        serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
            let path = error.path().to_string();
            let place = if path == "." { "params".to_owned() } else { format!("params.{path}") };
            format!("`{place}`: {}", without_position(&error.into_inner()))
        })
    })
}

/// The message without "at line 1 column 7", which counts within the parameters alone.
fn without_position(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.rsplit_once(" at line ").map_or(text.clone(), |(message, _)| message.to_owned())
}

fn to_json(params: &impl Serialize) -> String {
    // Structs of strings, numbers, bools and lists have no way to fail.
    serde_json::to_string(params).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_an_action_and_parses_back_to_itself() {
        for name in Action::NAMES {
            let Some(parsed) = Action::parse(name, "{}") else { panic!("{name} is unknown") };
            if let Ok(action) = parsed {
                assert_eq!(action.name(), *name);
            }
        }
        assert!(Action::parse("nothing", "{}").is_none());
    }

    #[test]
    fn a_fault_in_the_parameters_is_named_with_its_path() {
        let refused = |name: &str, params: &str| match Action::parse(name, params) {
            Some(Err(message)) => message,
            other => panic!("{name} {params}: {other:?}"),
        };
        assert!(
            refused("links", r#"{"limit":0}"#).starts_with("`params.limit`: 0 is out of range")
        );
        assert!(refused("links", r#"{"limit":null}"#).contains("`params.limit`"));
        assert!(refused("links", r#"{"limit":1.5}"#).contains("`params.limit`"));
        assert!(refused("text", r#"{"colour":1}"#).contains("unknown field `colour`"));
        assert!(refused("navigate", "{}").contains("missing field `url`"));
        let field = r##"{"fields":[{"target":{"selector":"#a"},"value":1,"method":"direct","world":"main"}]}"##;
        assert!(refused("fill-form", field).contains("`params.fields[0].value`"));
        assert!(refused("fill-form", r#"{"fields":[]}"#).contains("1 to 100"));
        assert!(refused("scroll", r#"{"by":"3 px"}"#).contains("3 px"));
        let long = format!(r#"{{"label":"{}"}}"#, "ä".repeat(65));
        assert!(refused("session.create", &long).contains("64"));
        assert!(refused("text", "[]").contains("`params`"));
    }
}
