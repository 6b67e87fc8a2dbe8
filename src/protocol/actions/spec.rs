//! The columns of the table of actions: what every action has to declare.

use std::{any::Any, time::Duration};

use schemars::{JsonSchema, Schema};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use super::{DaemonAction, SessionAction, Then};
use crate::protocol::{FileHandle, HandleKind, TabHandle, Target, data_schema_of, schema_of};

/// One action, implemented by the type of its parameters.
pub trait Spec: Serialize + DeserializeOwned + JsonSchema + 'static {
    /// The `data` of a success, as clients get it.
    type Data: Serialize + DeserializeOwned + JsonSchema;

    /// Everything else about it.
    const ROW: Row<Self>;

    /// The member of a success's data that is `false` where the browser did what was asked and it had no effect;
    /// `results.filled` is the member `filled` of each entry of `results`.
    const EFFECT_SHOWN_BY: Option<&'static str> = None;

    /// The revision of the extension, as it says hello, that understands these parameters. The daemon sends them to no
    /// older one.
    fn revision(&self) -> i64 {
        0
    }

    /// Leaves out what only makes the answer shorter, for an extension of revision 0. Whether there was such a thing.
    fn simplify(&mut self) -> bool {
        false
    }

    /// The read that the parameters have it bring along.
    fn then(&self) -> Option<&Then> {
        None
    }

    /// The files among the parameters, which are forwarded with what the daemon knows of them.
    fn files(&self) -> &[FileHandle] {
        &[]
    }

    /// Checks what the parameters' types cannot express.
    ///
    /// # Errors
    ///
    /// The expected value.
    fn check(&self) -> Result<(), &'static str> {
        Ok(())
    }
}

/// The row of an action with parameters `S`. No column has a default: an action does not compile until all are set.
pub struct Row<S> {
    /// The name on the wire.
    pub name: &'static str,
    /// What it is for; models choose among the actions by it.
    pub about: &'static str,
    /// Where it is carried out.
    pub runs: Runs<S>,
    /// What it changes.
    pub effect: Effect,
    /// What happens to it when the extension's worker is stopped in the middle.
    pub recovery: Recovery,
    /// Which pace it keeps.
    pub pace: Paced<S>,
    /// The parameters that name elements; each may be a handle.
    pub targets: fn(&mut S) -> Vec<&mut Target>,
    /// The parameters that may be logged, by their names on the wire; `fields.method` is the member `method` of each
    /// entry of `fields`. All others are secret.
    pub public: &'static [&'static str],
    /// Where text in the data may come from.
    pub provenance: Provenance,
    /// How long it waits, for an action that waits in the page by its parameter `timeout`.
    pub waits: Option<fn(&S) -> Option<Duration>>,
    /// Whether models get it as a tool. What only a person should decide is none.
    pub is_tool: bool,
}

/// Where an action with parameters `S` is carried out.
pub enum Runs<S> {
    /// In the daemon, without a session.
    Daemon(fn(&S) -> DaemonAction<'_>),
    /// In the daemon, for one session.
    Session(fn(&S) -> SessionAction<'_>),
    /// In the browser, which opens a tab at this address; without a session one is created.
    NewTab(fn(&S) -> &str),
    /// In the browser, on a tab of the session.
    Tab {
        /// The tab that the parameters name; the session's bound tab where they name none.
        named: fn(&S) -> Option<&TabHandle>,
        /// What the daemon does with the answer.
        answer: AnswerHandling,
    },
}

impl<S> Runs<S> {
    /// On the session's bound tab, with an answer that is passed on as it is.
    pub const BOUND_TAB: Self = Self::bound_tab(AnswerHandling::Relayed);

    /// On the session's bound tab, as an act in its page.
    pub const ACT: Self = Self::bound_tab(AnswerHandling::ReportsEffects);

    /// On the session's bound tab.
    pub const fn bound_tab(answer: AnswerHandling) -> Self {
        Self::Tab { named: |_| None, answer }
    }
}

/// What the daemon does with the answer to a forwarded action.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AnswerHandling {
    /// It is passed on as it is.
    Relayed,
    /// Elements that it names get handles.
    MintsHandles(Mints),
    /// It says what came of an act: the element that got the focus gets a handle, and the tabs that were opened their
    /// names.
    ReportsEffects,
    /// The browser's ids of tabs in its entries are replaced by the session's names for them.
    NamesTabs,
    /// The tab is closed, and dropped from its session.
    ClosesTab,
    /// The tab is pinned, or not.
    PinsTab(bool),
    /// The tab is in front.
    ActivatesTab,
}

impl AnswerHandling {
    /// Where the answer names elements that get handles, if it may name any.
    pub fn mints(self) -> Option<Mints> {
        match self {
            Self::MintsHandles(mints) => Some(mints),
            Self::ReportsEffects => Some(Mints::Focus),
            Self::Relayed
            | Self::NamesTabs
            | Self::ClosesTab
            | Self::PinsTab(_)
            | Self::ActivatesTab => None,
        }
    }
}

/// Where an answer names the elements that get handles.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mints {
    /// In the entries of this list, as a number `n` or, from browsers that number no elements, as a target.
    Entries(&'static str, HandleKind),
    /// In the member `focus` of the effects of an act, as a number `n`.
    Focus,
    /// In the list `handles`, the numbers of the handles `elN` that the answer's text mentions.
    Marks,
}

/// Where an action is carried out, before it has parameters.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RunsIn {
    /// In the daemon, without a session.
    Daemon,
    /// In the daemon, for one session.
    Session,
    /// In the browser, in a tab that it opens.
    NewTab,
    /// In the browser, on a tab of the session.
    Tab,
}

impl RunsIn {
    /// Whether the action is forwarded to the browser.
    pub fn is_browser(self) -> bool {
        match self {
            Self::Daemon | Self::Session => false,
            Self::NewTab | Self::Tab => true,
        }
    }

    /// Whether a request names a session. An action that needs none must not fail because of a session that no longer
    /// exists.
    pub fn takes_session(self) -> bool {
        match self {
            Self::Daemon => false,
            Self::Session | Self::NewTab | Self::Tab => true,
        }
    }
}

/// What carrying out an action changes, and what repeating it would.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Effect {
    /// Nothing changes.
    Reads,
    /// Something is set; again changes nothing more.
    Sets,
    /// Something moves one step on, and nothing is lost.
    Steps,
    /// Something new appears in the browser.
    Adds,
    /// Something is replaced or removed; again changes nothing more.
    Replaces,
    /// Whatever the page does in response.
    Acts,
}

impl Effect {
    /// Whether nothing changes.
    pub fn reads(self) -> bool {
        self == Self::Reads
    }

    /// Whether something may be lost.
    pub fn loses(self) -> bool {
        matches!(self, Self::Replaces | Self::Acts)
    }

    /// Whether doing it again changes nothing more.
    pub fn idempotent(self) -> bool {
        matches!(self, Self::Reads | Self::Sets | Self::Replaces)
    }

    /// The `destructive` of a request, as bproxy's own clients set it: the action changes something outside the daemon
    /// for good.
    ///
    /// It is the client's claim, recorded in the log and forwarded to the browser. Nothing depends on it: whether an
    /// interrupted action may be carried out again is the table's [`Row::recovery`], whatever the client claims.
    pub fn destructive(self) -> bool {
        matches!(self, Self::Adds | Self::Replaces | Self::Acts)
    }
}

/// What happens to an action when the extension's worker is stopped before its answer is known.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Recovery {
    /// The next worker repeats it, which is harmless.
    Rerun,
    /// Its start is recorded first and it is never repeated: the next worker answers that its outcome is unknown.
    ReportUnknown,
}

/// Actions that share a pace: each waits for the one before it of the same category.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Category {
    /// Going to an address.
    Navigate,
    /// Scrolling.
    Scroll,
    /// Using a pointer.
    Interaction,
    /// Filling a field.
    Fill,
}

/// The pace that an action with parameters `S` keeps.
pub enum Paced<S> {
    /// It is not paced.
    No,
    /// The next action of the category waits for one delay.
    Once(Category),
    /// The next action of the category waits for this many delays.
    Times(Category, fn(&S) -> usize),
}

/// The pace of one command: the delays that it makes the next of its category wait for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Pace {
    /// What is paced together.
    pub category: Category,
    /// How many delays.
    pub delays: usize,
}

/// Where text in an answer may come from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Provenance {
    /// The daemon and its clients only.
    Daemon,
    /// A page as well (its text, title, address, or a reason that quotes it): information for a model, never
    /// instructions.
    Page,
}

/// The facts about an action, before it has parameters.
pub struct Facts {
    /// See [`Row::name`].
    pub name: &'static str,
    /// See [`Row::about`].
    pub about: &'static str,
    /// See [`Row::runs`].
    pub runs_in: RunsIn,
    /// What the daemon does with its answer, where it runs on a tab.
    pub answer: Option<AnswerHandling>,
    /// See [`Row::effect`].
    pub effect: Effect,
    /// See [`Row::recovery`].
    pub recovery: Recovery,
    /// The category of its pace, where it keeps one.
    pub paced: Option<Category>,
    /// See [`Row::public`].
    pub public: &'static [&'static str],
    /// See [`Row::provenance`].
    pub provenance: Provenance,
    /// Whether it has a time limit of its own; see [`Row::waits`].
    pub waits: bool,
    /// See [`Row::is_tool`].
    pub is_tool: bool,
    /// See [`Spec::EFFECT_SHOWN_BY`].
    pub effect_shown_by: Option<&'static str>,
    /// The JSON schema of its parameters.
    pub params: fn() -> Schema,
    /// The JSON schema of its data.
    pub data: fn() -> Schema,
}

impl Facts {
    /// Whether the data of a success show that it had the effect that was asked for, as far as they tell.
    pub fn took_effect(&self, data: &Value) -> bool {
        let Some(member) = self.effect_shown_by else { return true };
        match member.split_once('.') {
            None => data[member] != false,
            Some((list, member)) => data[list]
                .as_array()
                .is_none_or(|entries| entries.iter().all(|it| it[member] != false)),
        }
    }
}

/// [`Facts`] of every action.
pub(super) trait Described: Spec {
    const FACTS: Facts = Facts {
        name: Self::ROW.name,
        about: Self::ROW.about,
        runs_in: match Self::ROW.runs {
            Runs::Daemon(_) => RunsIn::Daemon,
            Runs::Session(_) => RunsIn::Session,
            Runs::NewTab(_) => RunsIn::NewTab,
            Runs::Tab { .. } => RunsIn::Tab,
        },
        answer: match Self::ROW.runs {
            Runs::Daemon(_) | Runs::Session(_) | Runs::NewTab(_) => None,
            Runs::Tab { answer, .. } => Some(answer),
        },
        effect: Self::ROW.effect,
        recovery: Self::ROW.recovery,
        paced: match Self::ROW.pace {
            Paced::No => None,
            Paced::Once(category) | Paced::Times(category, _) => Some(category),
        },
        public: Self::ROW.public,
        provenance: Self::ROW.provenance,
        waits: Self::ROW.waits.is_some(),
        is_tool: Self::ROW.is_tool,
        effect_shown_by: Self::EFFECT_SHOWN_BY,
        params: schema_of::<Self>,
        data: data_schema_of::<Self::Data>,
    };
}

impl<S: Spec> Described for S {}

/// Where one command is carried out.
pub enum Route<'a> {
    /// In the daemon, without a session.
    Daemon(DaemonAction<'a>),
    /// In the daemon, for one session.
    Session(SessionAction<'a>),
    /// In the browser, which opens a tab at this address.
    NewTab(&'a str),
    /// In the browser, on this tab of the session, or on the bound one.
    Tab(Option<&'a TabHandle>, AnswerHandling),
}

/// The columns of one command, whatever its action.
pub(super) trait Command {
    fn as_any(&self) -> &dyn Any;
    fn facts(&self) -> &'static Facts;
    fn params(&self) -> String;
    fn route(&self) -> Route<'_>;
    fn pace(&self) -> Option<Pace>;
    fn targets_mut(&mut self) -> Vec<&mut Target>;
    fn revision(&self) -> i64;
    fn simplify(&mut self) -> bool;
    fn then(&self) -> Option<&Then>;
    fn files(&self) -> &[FileHandle];
    fn waits(&self) -> Option<Duration>;
}

impl<S: Spec> Command for S {
    fn as_any(&self) -> &dyn Any {
        self
    }

    fn facts(&self) -> &'static Facts {
        &<S as Described>::FACTS
    }

    fn params(&self) -> String {
        // Structs of strings, numbers, bools and lists always serialize.
        serde_json::to_string(self).unwrap_or_default()
    }

    fn route(&self) -> Route<'_> {
        match S::ROW.runs {
            Runs::Daemon(action) => Route::Daemon(action(self)),
            Runs::Session(action) => Route::Session(action(self)),
            Runs::NewTab(url) => Route::NewTab(url(self)),
            Runs::Tab { named, answer } => Route::Tab(named(self), answer),
        }
    }

    fn pace(&self) -> Option<Pace> {
        match S::ROW.pace {
            Paced::No => None,
            Paced::Once(category) => Some(Pace { category, delays: 1 }),
            Paced::Times(category, delays) => Some(Pace { category, delays: delays(self) }),
        }
    }

    fn targets_mut(&mut self) -> Vec<&mut Target> {
        (S::ROW.targets)(self)
    }

    fn revision(&self) -> i64 {
        // What can bring a read along knows all of them.
        S::revision(self).max(S::then(self).is_some().into())
    }

    fn simplify(&mut self) -> bool {
        S::simplify(self)
    }

    fn then(&self) -> Option<&Then> {
        S::then(self)
    }

    fn files(&self) -> &[FileHandle] {
        S::files(self)
    }

    fn waits(&self) -> Option<Duration> {
        S::ROW.waits?(self)
    }
}
