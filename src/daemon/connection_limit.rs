//! Room for connections: how many there may be, and which of them makes room for another.
//!
//! That is the one that has been without a command for longest. Whoever has no business here can open connections and
//! leave it at that, or begin a request that needs no secret and never end it; a client shows its secret at once. So a
//! request counts from the moment its secret has been found right, and one that has none to show never does.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    sync::{Notify, OwnedSemaphorePermit, Semaphore},
    time::Instant,
};

use crate::protocol::{MAX_CONNECTIONS, SPARE_DESCRIPTORS};

/// How long a connection may be quiet in any case: its request is on its way.
const GRACE: Duration = Duration::from_millis(50);
/// How long the task of a connection that has to make room may take to run, and let go of everything.
const LET_GO: Duration = Duration::from_millis(1);
/// How long to wait, where nobody is quiet, before looking again.
const CROWDED: Duration = Duration::from_millis(50);
/// How often it is logged, at most, that there is no room: whoever fills it may do so for hours.
const COMPLAIN_EVERY: Duration = Duration::from_secs(60);

/// Room for connections.
pub(super) struct Room {
    places: Arc<Semaphore>,
    quiet: Quiet,
    complained: Option<Instant>,
}

impl Room {
    pub(super) fn new(quiet: Quiet) -> Self {
        Self { places: Arc::new(Semaphore::new(most_connections())), quiet, complained: None }
    }

    /// A place for one connection.
    pub(super) async fn place(&mut self) -> OwnedSemaphorePermit {
        loop {
            // The semaphore is never closed.
            if let Ok(place) = self.places.clone().try_acquire_owned() {
                return place;
            }
            self.complain("there are as many connections as there may be");
            self.make().await;
        }
    }

    /// Ends a connection that can be spared, or waits for others to end.
    pub(super) async fn make(&self) {
        tokio::time::sleep(self.quiet.make_room()).await;
    }

    /// Logs why there is no room, once in a while.
    pub(super) fn complain(&mut self, problem: &str) {
        if self.complained.is_none_or(|last| last.elapsed() >= COMPLAIN_EVERY) {
            tracing::error!(event = "accept_failed", problem);
            self.complained = Some(Instant::now());
        }
    }
}

/// As many connections as there may be, and as the process has descriptors for.
fn most_connections() -> usize {
    let descriptors = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
    let descriptors =
        descriptors.map_or(usize::MAX, |all| usize::try_from(all).unwrap_or(usize::MAX));
    descriptors.saturating_sub(SPARE_DESCRIPTORS).clamp(1, MAX_CONNECTIONS)
}

/// All connections that can be spared. All clones are one.
#[derive(Clone, Default)]
pub(super) struct Quiet(Arc<Mutex<Places>>);

/// Numbered in the order in which they became quiet.
#[derive(Default)]
struct Places {
    last: u64,
    taken: BTreeMap<u64, (Instant, Arc<Notify>)>,
}

impl Quiet {
    fn places(&self) -> MutexGuard<'_, Places> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks the connection that has been quiet for longest to end. Returns how long to wait before there may be room.
    fn make_room(&self) -> Duration {
        let mut places = self.places();
        let Some(longest) = places.taken.first_entry() else { return CROWDED };
        let (since, end) = longest.get();
        let left = GRACE.saturating_sub(since.elapsed());
        if !left.is_zero() {
            return left;
        }
        end.notify_one();
        longest.remove();
        LET_GO
    }

    fn leave(&self, number: u64) {
        self.places().taken.remove(&number);
    }
}

/// A connection as one of those that may be quiet. All clones are one.
#[derive(Clone)]
pub(super) struct Guest(Arc<Seat>);

struct Seat {
    quiet: Quiet,
    end: Arc<Notify>,
    /// None while it is busy.
    number: Mutex<Option<u64>>,
}

impl Guest {
    /// A connection that has been made, and is quiet so far.
    pub(super) fn of(quiet: Quiet) -> Self {
        let seat = Seat { quiet, end: Arc::default(), number: Mutex::new(None) };
        let guest = Self(Arc::new(seat));
        guest.is_done();
        guest
    }

    fn number(&self) -> MutexGuard<'_, Option<u64>> {
        self.0.number.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Its request is answered. Where that had no secret to show, it has been quiet all along.
    pub(super) fn is_done(&self) {
        let mut own = self.number();
        if own.is_some() {
            return;
        }
        let mut places = self.0.quiet.places();
        places.last += 1;
        let number = places.last;
        places.taken.insert(number, (Instant::now(), self.0.end.clone()));
        *own = Some(number);
    }

    /// Its request has shown the secret that it needs, and gets its answer whatever comes.
    pub(super) fn is_busy(&self) {
        if let Some(number) = self.number().take() {
            self.0.quiet.leave(number);
        }
    }

    /// Waits until the connection has to make room.
    pub(super) async fn has_to_go(&self) {
        loop {
            self.0.end.notified().await;
            // A request may have arrived that has not been read yet.
            tokio::task::yield_now().await;
            if self.number().is_some() {
                return;
            }
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let number = self.number.get_mut().unwrap_or_else(PoisonError::into_inner);
        if let Some(number) = number.take() {
            self.quiet.leave(number);
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_one_that_has_been_quiet_for_longest_goes_first_and_one_with_a_request_never() {
        let quiet = Quiet::default();
        assert_eq!(quiet.make_room(), CROWDED);
        let guests: [_; 3] = std::array::from_fn(|_| Guest::of(quiet.clone()));
        assert_eq!(quiet.make_room(), GRACE);
        guests[0].is_busy();
        tokio::time::sleep(GRACE).await;
        // Its request is over: it is the newest of the quiet ones.
        guests[0].is_done();
        // One that had nothing to show has its place as before.
        guests[1].is_done();
        assert_eq!(quiet.make_room(), LET_GO);
        guests[1].has_to_go().await;
        assert_eq!(quiet.make_room(), LET_GO);
        assert_eq!(quiet.make_room(), GRACE);
        // A request comes after all.
        guests[2].is_busy();
        let gone = guests[2].has_to_go();
        tokio::task::yield_now().await;
        assert!(tokio::time::timeout(GRACE, gone).await.is_err());
        assert!(guests[0].has_to_go().now_or_never().is_none());
        drop(guests);
        assert_eq!(quiet.make_room(), CROWDED);
    }
}
