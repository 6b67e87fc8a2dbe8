//! What the process around a running daemon may see of it and do to it.

use std::sync::Arc;

use tokio::{sync::watch, time::Instant};

use super::Context;

/// When the daemon last had to do with anybody: answered a request that it did not refuse, or lost a browser. All clones are one.
#[derive(Clone)]
pub(super) struct Activity(Arc<watch::Sender<Instant>>);

impl Activity {
    pub(super) fn new() -> Self {
        Self(Arc::new(watch::Sender::new(Instant::now())))
    }

    /// It was now.
    pub(super) fn now(&self) {
        self.0.send_replace(Instant::now());
    }
}

/// A daemon that accepts requests.
#[derive(Clone)]
pub struct Running(pub(super) Arc<Context>);

impl Running {
    /// How many browsers are connected, and how many sessions there are.
    pub fn counts(&self) -> (usize, usize) {
        self.0.state.counts()
    }

    /// The last moment at which the daemon answered a request or lost a browser, to be waited on for later ones.
    pub fn activity(&self) -> watch::Receiver<Instant> {
        self.0.activity.0.subscribe()
    }

    /// From now on only these extensions may claim or connect; any if none are named. Connections that stand are not
    /// touched.
    pub fn set_extension_ids(&self, ids: Option<Vec<String>>) {
        self.0.gate.set_extension_ids(ids);
    }
}
