//! The limit on connections, and the eviction of the longest-idle connection when it is reached.
//!
//! Any process on the machine can open connections and leave them idle, or start a request that needs no secret and
//! never finish it, whereas a client sends its secret at once. So a connection counts as busy once its request's secret
//! has been verified, and a request that needs no secret never makes it busy.

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

/// For how long a newly idle connection is not evicted: its next request may be on its way.
const GRACE: Duration = Duration::from_millis(50);
/// How long the task of an evicted connection may take to run and release everything, before another one is evicted.
const EVICTION_TIME: Duration = Duration::from_millis(10);
/// How long to wait before checking again while every connection is busy.
const ALL_BUSY_WAIT: Duration = Duration::from_millis(50);
/// The shortest time between two log records about the limit, which may stay reached for hours.
const LOG_EVERY: Duration = Duration::from_secs(60);

/// The slots for connections.
pub(super) struct ConnectionLimit {
    slots: Arc<Semaphore>,
    idle: IdleConnections,
    last_logged: Option<Instant>,
}

impl ConnectionLimit {
    pub(super) fn new(idle: IdleConnections) -> Self {
        Self { slots: Arc::new(Semaphore::new(max_connections())), idle, last_logged: None }
    }

    /// A slot for one connection. If none is free, an idle connection is evicted.
    pub(super) async fn acquire(&mut self) -> OwnedSemaphorePermit {
        loop {
            // The semaphore is never closed.
            if let Ok(slot) = self.slots.clone().try_acquire_owned() {
                return slot;
            }
            self.log("the connection limit is reached");
            let slot = self.slots.clone().acquire_owned();
            if let Ok(Ok(slot)) = tokio::time::timeout(self.idle.evict_longest(), slot).await {
                return slot;
            }
        }
    }

    /// Evicts the longest-idle connection, or waits for others to end.
    pub(super) async fn evict(&self) {
        tokio::time::sleep(self.idle.evict_longest()).await;
    }

    /// Logs why no connection can be accepted, rate-limited.
    pub(super) fn log(&mut self, problem: &str) {
        if self.last_logged.is_none_or(|last| last.elapsed() >= LOG_EVERY) {
            tracing::error!(event = "accept_failed", problem);
            self.last_logged = Some(Instant::now());
        }
    }
}

/// The connection limit, lower if the process has too few descriptors.
fn max_connections() -> usize {
    let descriptors = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
    let descriptors =
        descriptors.map_or(usize::MAX, |all| usize::try_from(all).unwrap_or(usize::MAX));
    descriptors.saturating_sub(SPARE_DESCRIPTORS).clamp(1, MAX_CONNECTIONS)
}

/// All idle connections. Clones share them.
#[derive(Clone, Default)]
pub(super) struct IdleConnections(Arc<Mutex<Queue>>);

/// Numbered in the order in which they became idle.
#[derive(Default)]
struct Queue {
    last: u64,
    idle: BTreeMap<u64, (Instant, Arc<Notify>)>,
}

impl IdleConnections {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks the longest-idle connection to end. Returns how long to wait before there may be a free slot.
    fn evict_longest(&self) -> Duration {
        let mut queue = self.queue();
        let Some(longest) = queue.idle.first_entry() else { return ALL_BUSY_WAIT };
        let (since, evict) = longest.get();
        let left = GRACE.saturating_sub(since.elapsed());
        if !left.is_zero() {
            return left;
        }
        evict.notify_one();
        longest.remove();
        EVICTION_TIME
    }

    fn remove(&self, number: u64) {
        self.queue().idle.remove(&number);
    }
}

/// A connection, either busy or idle. Clones are the same connection.
#[derive(Clone)]
pub(super) struct Connection(Arc<Tracked>);

struct Tracked {
    all: IdleConnections,
    evict: Arc<Notify>,
    /// Its number among the idle ones; none while it is busy.
    number: Mutex<Option<u64>>,
}

impl Connection {
    /// A new connection, which is idle.
    pub(super) fn new(all: IdleConnections) -> Self {
        let connection =
            Self(Arc::new(Tracked { all, evict: Arc::default(), number: Mutex::new(None) }));
        connection.mark_idle();
        connection
    }

    fn number(&self) -> MutexGuard<'_, Option<u64>> {
        self.0.number.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Marks it as idle: its request is answered. If the request needed no secret, the connection was idle all along.
    pub(super) fn mark_idle(&self) {
        let mut number = self.number();
        if number.is_some() {
            return;
        }
        let mut queue = self.0.all.queue();
        queue.last += 1;
        let last = queue.last;
        queue.idle.insert(last, (Instant::now(), self.0.evict.clone()));
        *number = Some(last);
    }

    /// Marks it as busy: its request's secret was verified, so it is not evicted before its answer.
    pub(super) fn mark_busy(&self) {
        if let Some(number) = self.number().take() {
            self.0.all.remove(number);
        }
    }

    /// Waits until the connection is evicted.
    pub(super) async fn evicted(&self) {
        loop {
            self.0.evict.notified().await;
            // A request may have arrived that has not been read yet.
            tokio::task::yield_now().await;
            if self.number().is_some() {
                return;
            }
        }
    }
}

impl Drop for Tracked {
    fn drop(&mut self) {
        let number = self.number.get_mut().unwrap_or_else(PoisonError::into_inner);
        if let Some(number) = number.take() {
            self.all.remove(number);
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_longest_idle_connection_is_evicted_first_and_a_busy_one_never() {
        let idle = IdleConnections::default();
        assert_eq!(idle.evict_longest(), ALL_BUSY_WAIT);
        let connections: [_; 3] = std::array::from_fn(|_| Connection::new(idle.clone()));
        assert_eq!(idle.evict_longest(), GRACE);
        connections[0].mark_busy();
        tokio::time::sleep(GRACE).await;
        // Its request is answered: it is the newest of the idle ones.
        connections[0].mark_idle();
        // One whose request needed no secret keeps its number.
        connections[1].mark_idle();
        assert_eq!(idle.evict_longest(), EVICTION_TIME);
        connections[1].evicted().await;
        assert_eq!(idle.evict_longest(), EVICTION_TIME);
        assert_eq!(idle.evict_longest(), GRACE);
        // A request comes after all.
        connections[2].mark_busy();
        let evicted = connections[2].evicted();
        tokio::task::yield_now().await;
        assert!(tokio::time::timeout(GRACE, evicted).await.is_err());
        assert!(connections[0].evicted().now_or_never().is_none());
        drop(connections);
        assert_eq!(idle.evict_longest(), ALL_BUSY_WAIT);
    }
}
