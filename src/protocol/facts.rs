//! The words in which the table of actions says what each is: where, to what effect, at what pace.

use schemars::Schema;

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

/// What carrying an action out does, and what doing it once more would.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Effect {
    /// Nothing changes.
    Reads,
    /// Something is as asked for; once more changes nothing.
    Sets,
    /// Something goes one step on, which takes nothing away.
    Steps,
    /// Something new appears in the browser.
    Adds,
    /// What was there is replaced or gone; once more changes nothing.
    Replaces,
    /// Whatever the page makes of it.
    Acts,
}

impl Effect {
    /// Whether nothing changes.
    pub fn reads(self) -> bool {
        self == Self::Reads
    }

    /// Whether something that was there may be lost.
    pub fn loses(self) -> bool {
        matches!(self, Self::Replaces | Self::Acts)
    }

    /// Whether doing it again changes nothing more.
    pub fn idempotent(self) -> bool {
        matches!(self, Self::Reads | Self::Sets | Self::Replaces)
    }
}

/// What is known of an action before it has parameters.
pub struct Facts {
    /// The name on the wire.
    pub name: &'static str,
    /// When to use it, for whoever chooses among actions.
    pub about: &'static str,
    /// Where it is carried out.
    pub place: Place,
    /// What it does.
    pub effect: Effect,
    /// Whether it may have to wait for its turn, to keep the session's pace.
    pub paced: bool,
    /// The JSON schema of its parameters.
    pub schema: fn() -> Schema,
}
