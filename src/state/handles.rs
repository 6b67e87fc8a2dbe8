//! Element handles: short names for the elements that a read listed, each for one tab of one session.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, HashMap, VecDeque, btree_map::Entry},
};

use crate::protocol::{ElementHandle, HANDLE_LIFE, HandleKind, MAX_HANDLES, SessionId, Target};

use super::Instant;

/// A time in the history of a browser's tabs. Every navigation of any tab has its own.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Epoch(pub(super) u64);

/// What a tab shows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Page {
    /// When its document or its address changed.
    pub(super) view: Epoch,
    /// When its document changed.
    pub(super) document: Epoch,
}

/// Kind and number of a handle.
pub(super) type Key = (HandleKind, u64);

/// What a handle stands for.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Referent {
    /// The element that the page's side keeps under the handle's number, in the document of this epoch.
    Number(Epoch),
    /// What this target finds in the view of this epoch: for browsers that do not number elements.
    Target(Target, Epoch),
}

impl Referent {
    /// Whether a tab that shows `page` may have it.
    pub(super) fn is_on(&self, page: Page) -> bool {
        match self {
            Self::Number(document) => *document == page.document,
            Self::Target(_, view) => *view == page.view,
        }
    }
}

/// The page that a command's handles are for: all of it that they depend on.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct HandlePage {
    view: Option<Epoch>,
    document: Option<Epoch>,
}

impl HandlePage {
    /// Adds a handle.
    pub(super) fn depend_on(&mut self, referent: &Referent) {
        match referent {
            Referent::Number(document) => self.document = Some(*document),
            Referent::Target(_, view) => self.view = Some(*view),
        }
    }

    /// Whether a tab that shows `page` still shows what the handles are for.
    pub(super) fn is_on(&self, page: Option<Page>) -> bool {
        let holds = |epoch: Option<Epoch>, now: fn(Page) -> Epoch| {
            epoch.is_none_or(|epoch| page.map(now) == Some(epoch))
        };
        holds(self.view, |page| page.view) && holds(self.document, |page| page.document)
    }
}

/// Why a handle cannot be resolved.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Miss {
    NotFound,
    /// It is one of this tab.
    ScopeMismatch(u32),
}

/// A handle's place in the order of use.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub(super) struct Turn(u64);

struct Handle {
    tab: u32,
    referent: Referent,
    used: Instant,
    turn: Turn,
}

impl Handle {
    fn is_alive(&self, now: Instant) -> bool {
        now.duration_since(self.used) < HANDLE_LIFE
    }
}

/// The handles of one session.
#[derive(Default)]
struct Held {
    by_key: BTreeMap<Key, Handle>,
    /// The least recently used first. A handle that was used again, or is gone, leaves its entry behind.
    order: VecDeque<(Turn, Key)>,
}

impl Held {
    /// Removes entries from the head of the order until one is a handle's latest; returns it.
    fn oldest(&mut self) -> Option<(Turn, Key)> {
        while let Some((turn, key)) = self.order.front().copied() {
            if self.by_key.get(&key).is_some_and(|handle| handle.turn == turn) {
                return Some((turn, key));
            }
            self.order.pop_front();
        }
        None
    }

    fn used(&mut self, key: Key, turn: Turn) {
        if self.order.len() > 2 * self.by_key.len() + 64 {
            let by_key = &self.by_key;
            self.order.retain(|(turn, key)| by_key.get(key).is_some_and(|it| it.turn == *turn));
        }
        self.order.push_back((turn, key));
    }
}

/// All handles of the daemon.
#[derive(Default)]
pub(super) struct Handles {
    sessions: HashMap<SessionId, Held>,
    count: usize,
    turn: Turn,
}

impl Handles {
    fn next_turn(&mut self) -> Turn {
        self.turn.0 += 1;
        self.turn
    }

    /// The last turn there was.
    pub(super) fn turn(&self) -> Turn {
        self.turn
    }

    /// An answer lists an element of this tab. Does nothing and returns false if the handle is another tab's, stands for a
    /// target, or has been listed since the turn `since`.
    pub(super) fn list_number(
        &mut self,
        (session, tab): (SessionId, u32),
        key: Key,
        document: Epoch,
        since: Turn,
        now: Instant,
    ) -> bool {
        let turn = self.next_turn();
        let held = self.sessions.entry(session).or_default();
        let handle = Handle { tab, referent: Referent::Number(document), used: now, turn };
        match held.by_key.entry(key) {
            Entry::Vacant(free) => {
                free.insert(handle);
                self.count += 1;
            }
            Entry::Occupied(mut known) => {
                let is_other = |known: &Handle| {
                    known.tab != tab
                        || matches!(known.referent, Referent::Target(..))
                        || known.turn > since
                };
                if known.get().is_alive(now) && is_other(known.get()) {
                    return false;
                }
                known.insert(handle);
            }
        }
        held.used(key, turn);
        true
    }

    /// An answer lists a target on this tab, under a number that was not given before.
    pub(super) fn list_target(
        &mut self,
        (session, tab): (SessionId, u32),
        key: Key,
        target: Target,
        view: Epoch,
        now: Instant,
    ) {
        let turn = self.next_turn();
        let held = self.sessions.entry(session).or_default();
        let handle = Handle { tab, referent: Referent::Target(target, view), used: now, turn };
        self.count += usize::from(held.by_key.insert(key, handle).is_none());
        held.used(key, turn);
    }

    /// Commands with these handles were admitted.
    pub(super) fn use_again(&mut self, session: SessionId, keys: &[Key], now: Instant) {
        for key in keys {
            let turn = self.next_turn();
            let Some(held) = self.sessions.get_mut(&session) else { return };
            if let Some(handle) = held.by_key.get_mut(key) {
                (handle.used, handle.turn) = (now, turn);
                held.used(*key, turn);
            }
        }
    }

    /// Evicts what is too much: expired handles, then the oldest of the session that has the most. Returns how many of
    /// the latter.
    pub(super) fn evict(&mut self, now: Instant) -> usize {
        if self.count <= MAX_HANDLES {
            return 0;
        }
        self.forget(|_, handle| !handle.is_alive(now));
        let surplus = self.count.saturating_sub(MAX_HANDLES);
        for _ in 0..surplus {
            let oldest = |held: &mut Held| held.oldest();
            let candidates = self.sessions.values_mut().filter_map(|held| {
                let (turn, key) = oldest(held)?;
                Some((held.by_key.len(), Reverse(turn), key, held))
            });
            let most = candidates.max_by_key(|(count, turn, ..)| (*count, *turn));
            let Some((_, _, key, held)) = most else { break };
            held.by_key.remove(&key);
            self.count -= 1;
        }
        surplus
    }

    /// What `handle` stands for on this tab.
    pub(super) fn resolve(
        &self,
        handle: &ElementHandle,
        session: SessionId,
        tab: u32,
        now: Instant,
    ) -> Result<(Key, &Referent), Miss> {
        let key = handle.parts().ok_or(Miss::NotFound)?;
        let found = self.sessions.get(&session).and_then(|held| held.by_key.get(&key));
        match found.filter(|handle| handle.is_alive(now)) {
            None => Err(Miss::NotFound),
            Some(handle) if handle.tab != tab => Err(Miss::ScopeMismatch(handle.tab)),
            Some(handle) => Ok((key, &handle.referent)),
        }
    }

    /// Forgets the handles of a tab; returns how many.
    pub(super) fn forget_tab(&mut self, session: SessionId, tab: u32) -> usize {
        self.forget(|owner, handle| owner == session && handle.tab == tab)
    }

    /// Forgets the handles of a session; returns how many.
    pub(super) fn forget_session(&mut self, session: SessionId) -> usize {
        let count = self.sessions.remove(&session).map_or(0, |held| held.by_key.len());
        self.count -= count;
        count
    }

    fn forget(&mut self, gone: impl Fn(SessionId, &Handle) -> bool) -> usize {
        let before = self.count;
        self.sessions.retain(|session, held| {
            let all = held.by_key.len();
            held.by_key.retain(|_, handle| !gone(*session, handle));
            self.count -= all - held.by_key.len();
            !held.by_key.is_empty()
        });
        before - self.count
    }

    /// How many of a tab's handles end when it no longer shows the page `before`, but `after`.
    pub(super) fn ended(&self, session: SessionId, tab: u32, before: Page, after: Page) -> usize {
        let handles = self.sessions.get(&session).into_iter().flat_map(|held| held.by_key.values());
        let ends =
            |handle: &&Handle| handle.referent.is_on(before) && !handle.referent.is_on(after);
        handles.filter(|handle| handle.tab == tab).filter(ends).count()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::protocol::By;

    const PAGE: Page = Page { view: Epoch(2), document: Epoch(1) };

    fn session(number: u32) -> SessionId {
        SessionId::from_bits(number)
    }

    fn handle(name: &str) -> ElementHandle {
        name.parse().unwrap()
    }

    fn link(number: u64) -> Key {
        (HandleKind::Link, number)
    }

    /// Lists these numbers of links on a tab, as one answer; returns which were taken.
    fn list(
        handles: &mut Handles,
        owner: (SessionId, u32),
        numbers: impl IntoIterator<Item = u64>,
        now: Instant,
    ) -> Vec<u64> {
        let since = handles.turn();
        let mut take =
            |number: &u64| handles.list_number(owner, link(*number), PAGE.document, since, now);
        numbers.into_iter().filter(|number| take(number)).collect()
    }

    fn count(handles: &Handles) -> usize {
        let held = handles.sessions.values().map(|held| held.by_key.len()).sum();
        assert_eq!(handles.count, held);
        held
    }

    #[test]
    fn a_handle_is_found_in_its_session_kind_and_tab_until_its_time_is_over() {
        let (mut handles, now) = (Handles::default(), Instant::now());
        list(&mut handles, (session(1), 1), [5, 6], now);
        let resolve =
            |name, tab, at| handles.resolve(&handle(name), session(1), tab, at).map(|(key, _)| key);
        assert_eq!(resolve("ln5", 1, now), Ok(link(5)));
        for missing in ["ln4", "ln7", "el5", "ln05", "ln99999999999999999999"] {
            assert_eq!(resolve(missing, 1, now), Err(Miss::NotFound), "{missing}");
        }
        assert_eq!(resolve("ln5", 2, now), Err(Miss::ScopeMismatch(1)));
        assert!(resolve("ln5", 1, now + HANDLE_LIFE - Duration::from_millis(1)).is_ok());
        assert_eq!(resolve("ln5", 1, now + HANDLE_LIFE), Err(Miss::NotFound));
        assert!(handles.resolve(&handle("ln5"), session(2), 1, now).is_err());
    }

    #[test]
    fn listing_or_using_a_handle_begins_its_life_anew() {
        let (mut handles, now) = (Handles::default(), Instant::now());
        list(&mut handles, (session(1), 1), [1, 2, 3], now);
        let later = now + HANDLE_LIFE / 2;
        list(&mut handles, (session(1), 1), [1], later);
        handles.use_again(session(1), &[link(2)], later);
        let resolves =
            |name| handles.resolve(&handle(name), session(1), 1, now + HANDLE_LIFE).is_ok();
        assert!(resolves("ln1") && resolves("ln2") && !resolves("ln3"));
    }

    #[test]
    fn a_number_is_taken_once_by_an_answer_and_never_from_another_tab_or_target() {
        let (mut handles, now) = (Handles::default(), Instant::now());
        let (first, second) = ((session(1), 1), (session(1), 2));
        assert_eq!(list(&mut handles, first, [1, 2, 1], now), [1, 2]);
        assert_eq!(list(&mut handles, first, [2, 2], now), [2], "another answer");
        assert_eq!(list(&mut handles, second, [1, 3], now), [3]);
        assert_eq!(list(&mut handles, (session(2), 2), [1], now), [1]);
        let target: Target = By::Selector("#a".into()).into();
        handles.list_target(first, link(4), target, PAGE.view, now);
        assert!(list(&mut handles, first, [4], now).is_empty());
        assert_eq!(list(&mut handles, second, [1], now + HANDLE_LIFE), [1], "it had expired");
    }

    #[test]
    fn the_session_with_the_most_handles_loses_its_oldest() {
        let (mut handles, now) = (Handles::default(), Instant::now());
        list(&mut handles, (session(1), 1), 1..=3000, now);
        list(&mut handles, (session(2), 1), 1..=2000, now);
        assert_eq!(handles.evict(now), 0);
        handles.use_again(session(1), &[link(1)], now);
        list(&mut handles, (session(2), 1), 2001..=2003, now);
        assert_eq!(handles.evict(now), 3);
        let found = |name, owner| handles.resolve(&handle(name), session(owner), 1, now).is_ok();
        assert!(found("ln1", 1), "it was used since");
        assert!(!found("ln2", 1) && !found("ln4", 1) && found("ln5", 1));
        assert!(found("ln1", 2) && found("ln2003", 2));
        assert_eq!(count(&handles), MAX_HANDLES);
    }

    #[test]
    fn expired_handles_go_before_any_other() {
        let (mut handles, now) = (Handles::default(), Instant::now());
        list(&mut handles, (session(1), 1), 1..=2000, now);
        let later = now + HANDLE_LIFE;
        list(&mut handles, (session(2), 1), 1..=4000, later);
        assert_eq!(handles.evict(later), 0);
        assert_eq!(count(&handles), 4000);
    }

    #[test]
    fn the_order_of_use_does_not_outgrow_the_handles() {
        let (mut handles, now) = (Handles::default(), Instant::now());
        for _ in 0..1000 {
            list(&mut handles, (session(1), 1), 1..=10, now);
        }
        assert!(handles.sessions[&session(1)].order.len() < 100);
    }

    #[test]
    fn what_is_forgotten_or_ends_is_counted() {
        let (mut handles, now) = (Handles::default(), Instant::now());
        list(&mut handles, (session(1), 1), [1, 2], now);
        let target: Target = By::Selector("#a".into()).into();
        handles.list_target((session(1), 1), link(3), target, PAGE.view, now);
        list(&mut handles, (session(1), 2), [4, 5, 6], now);
        let ended = |after| handles.ended(session(1), 1, PAGE, after);
        assert_eq!(ended(Page { view: Epoch(3), ..PAGE }), 1, "the address changed");
        assert_eq!(ended(Page { view: Epoch(3), document: Epoch(3) }), 3);
        assert_eq!(handles.forget_tab(session(1), 1), 3);
        assert_eq!(handles.forget_session(session(1)), 3);
        assert_eq!(count(&handles), 0);
    }
}
