//! Element handles: short names for the elements found by a read, valid only on the page that was read.

use std::collections::VecDeque;

use crate::protocol::{ElementHandle, HANDLE_LIFE, HandleKind, MAX_HANDLES, SessionId, Target};

use super::Instant;

/// What a tab shows. Every navigation of any tab has a number of its own, so that the same one
/// means the same page at the same address.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Epoch(pub(super) u64);

/// Why a handle cannot be resolved.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Miss {
    NotFound,
    Expired,
    ScopeMismatch,
}

/// The handles of one read, numbered one after the other.
struct Batch {
    session: SessionId,
    tab: u32,
    kind: HandleKind,
    page: Epoch,
    minted: Instant,
    first: u32,
    targets: VecDeque<Target>,
    /// Whether a navigation was logged as the end of these handles.
    stale: bool,
}

/// All handles of the daemon, oldest read first.
#[derive(Default)]
pub(super) struct Handles {
    batches: VecDeque<Batch>,
    count: usize,
}

impl Handles {
    /// Adds the handles of a fresh read; `first` is the number of the first one. Returns how many old ones were evicted.
    pub(super) fn mint(
        &mut self,
        scope: (SessionId, u32, HandleKind),
        page: Epoch,
        first: u32,
        targets: Vec<Target>,
        now: Instant,
    ) -> usize {
        let (session, tab, kind) = scope;
        if targets.is_empty() {
            return 0;
        }
        self.count += targets.len();
        self.batches.push_back(Batch {
            session,
            tab,
            kind,
            page,
            minted: now,
            first,
            targets: targets.into(),
            stale: false,
        });
        self.evict()
    }

    fn evict(&mut self) -> usize {
        let surplus = self.count.saturating_sub(MAX_HANDLES);
        for _ in 0..surplus {
            while self.batches.front().is_some_and(|batch| batch.targets.is_empty()) {
                self.batches.pop_front();
            }
            if let Some(batch) = self.batches.front_mut() {
                batch.targets.pop_front();
                batch.first += 1;
                self.count -= 1;
            }
        }
        surplus
    }

    /// The target of `handle` on this tab, and the page it was read from.
    pub(super) fn resolve(
        &self,
        handle: &ElementHandle,
        session: SessionId,
        tab: u32,
        now: Instant,
    ) -> Result<(&Target, Epoch), Miss> {
        let (kind, number) = handle.parts().ok_or(Miss::NotFound)?;
        let found = self.batches.iter().find_map(|batch| {
            let at = number.checked_sub(batch.first)? as usize;
            let target = batch.targets.get(at)?;
            (batch.session == session && batch.kind == kind).then_some((batch, target))
        });
        let (batch, target) = found.ok_or(Miss::NotFound)?;
        if now.duration_since(batch.minted) >= HANDLE_LIFE {
            Err(Miss::Expired)
        } else if batch.tab != tab {
            Err(Miss::ScopeMismatch)
        } else {
            Ok((target, batch.page))
        }
    }

    /// Forgets the handles of a scope; returns how many.
    pub(super) fn forget_read(&mut self, session: SessionId, tab: u32, kind: HandleKind) -> usize {
        self.forget(|batch| batch.session == session && batch.tab == tab && batch.kind == kind)
    }

    /// Forgets the handles of a tab; returns how many.
    pub(super) fn forget_tab(&mut self, session: SessionId, tab: u32) -> usize {
        self.forget(|batch| batch.session == session && batch.tab == tab)
    }

    /// Forgets the handles of a session; returns how many.
    pub(super) fn forget_session(&mut self, session: SessionId) -> usize {
        self.forget(|batch| batch.session == session)
    }

    fn forget(&mut self, mut gone: impl FnMut(&Batch) -> bool) -> usize {
        let before = self.count;
        self.batches.retain(|batch| {
            let gone = gone(batch);
            if gone {
                self.count -= batch.targets.len();
            }
            !gone
        });
        before - self.count
    }

    /// Marks a tab's handles as stale; returns how many were not yet.
    pub(super) fn mark_stale(&mut self, session: SessionId, tab: u32) -> usize {
        self.batches
            .iter_mut()
            .filter(|batch| batch.session == session && batch.tab == tab && !batch.stale)
            .map(|batch| {
                batch.stale = true;
                batch.targets.len()
            })
            .sum()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn session(number: u32) -> SessionId {
        SessionId::from_bits(number)
    }

    fn targets(count: usize) -> Vec<Target> {
        (0..count).map(|number| Target::Selector(format!("#n{number}"))).collect()
    }

    fn page() -> Epoch {
        Epoch(1)
    }

    fn handle(name: &str) -> ElementHandle {
        name.parse().unwrap()
    }

    #[test]
    fn a_handle_is_found_in_its_session_kind_and_tab_until_its_time_is_over() {
        let (mut handles, now) = (Handles::default(), Instant::now());
        handles.mint((session(1), 1, HandleKind::Element), page(), 5, targets(3), now);
        let resolve = |name, tab, at| {
            handles.resolve(&handle(name), session(1), tab, at).map(|found| found.0.clone())
        };
        assert_eq!(resolve("el5", 1, now), Ok(Target::Selector("#n0".into())));
        assert_eq!(resolve("el7", 1, now), Ok(Target::Selector("#n2".into())));
        for missing in ["el4", "el8", "ln5", "el05"] {
            assert_eq!(resolve(missing, 1, now), Err(Miss::NotFound), "{missing}");
        }
        assert_eq!(resolve("el5", 2, now), Err(Miss::ScopeMismatch));
        assert!(resolve("el5", 1, now + HANDLE_LIFE - Duration::from_millis(1)).is_ok());
        assert_eq!(resolve("el5", 1, now + HANDLE_LIFE), Err(Miss::Expired));
        assert!(handles.resolve(&handle("el5"), session(2), 1, now).is_err());
    }

    #[test]
    fn the_oldest_handles_make_room_for_new_ones() {
        let (mut handles, now) = (Handles::default(), Instant::now());
        for number in 0..5 {
            let scope = (session(number), 1, HandleKind::Link);
            assert_eq!(handles.mint(scope, page(), 1, targets(200), now), 0);
        }
        assert_eq!(handles.mint((session(9), 1, HandleKind::Link), page(), 1, targets(3), now), 3);
        let found = |name, number| handles.resolve(&handle(name), session(number), 1, now).is_ok();
        assert!(!found("ln3", 0) && found("ln4", 0) && found("ln1", 1) && found("ln3", 9));
        assert_eq!(handles.count, MAX_HANDLES);
    }

    #[test]
    fn what_is_forgotten_is_counted() {
        let (mut handles, now) = (Handles::default(), Instant::now());
        handles.mint((session(1), 1, HandleKind::Link), page(), 1, targets(2), now);
        handles.mint((session(1), 1, HandleKind::Element), page(), 1, targets(3), now);
        handles.mint((session(1), 2, HandleKind::Element), page(), 4, targets(4), now);
        assert_eq!(handles.mark_stale(session(1), 1), 5);
        assert_eq!(handles.mark_stale(session(1), 1), 0);
        assert_eq!(handles.forget_read(session(1), 1, HandleKind::Link), 2);
        assert_eq!(handles.forget_tab(session(1), 1), 3);
        assert_eq!(handles.forget_session(session(1)), 4);
        assert_eq!(handles.count, 0);
    }
}
