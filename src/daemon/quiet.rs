//! Connections that are without a request: who has been so for longest makes room for others.
//!
//! Whoever has no business here can open connections and leave it at that; a client sends its request at once.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio_util::sync::CancellationToken;

/// All connections without a request. All clones are one.
#[derive(Clone, Default)]
pub(super) struct Quiet(Arc<Mutex<Places>>);

/// Numbered in the order in which they became quiet.
#[derive(Default)]
struct Places {
    last: u64,
    taken: BTreeMap<u64, CancellationToken>,
}

impl Quiet {
    fn places(&self) -> MutexGuard<'_, Places> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A connection becomes quiet, until what is returned is dropped. `end` is cancelled if it has to make room.
    pub(super) fn enter(&self, end: &CancellationToken) -> Place {
        let mut places = self.places();
        places.last += 1;
        let number = places.last;
        places.taken.insert(number, end.clone());
        Place { quiet: self.clone(), number }
    }

    /// Ends the connection that has been quiet for longest; false if none is.
    pub(super) fn end_longest(&self) -> bool {
        let longest = self.places().taken.pop_first();
        longest.inspect(|(_, end)| end.cancel()).is_some()
    }
}

/// A connection's place among the quiet ones.
pub(super) struct Place {
    quiet: Quiet,
    number: u64,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.quiet.places().taken.remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_one_that_has_been_quiet_for_longest_ends_first_and_one_with_a_request_never() {
        let quiet = Quiet::default();
        let ends: [_; 3] = std::array::from_fn(|_| CancellationToken::new());
        let mut places: Vec<_> = ends.iter().map(|end| quiet.enter(end)).collect();
        drop(places.remove(0));
        assert!(quiet.end_longest());
        assert_eq!(ends.each_ref().map(CancellationToken::is_cancelled), [false, true, false]);
        // Its request is over: it is the newest of the quiet ones.
        places.push(quiet.enter(&ends[0]));
        assert!(quiet.end_longest());
        assert_eq!(ends.each_ref().map(CancellationToken::is_cancelled), [false, true, true]);
        assert!(quiet.end_longest());
        assert!(!quiet.end_longest());
    }
}
