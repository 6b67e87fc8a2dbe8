//! What the surrounding process can observe and change of a running daemon.

use std::sync::Arc;

use tokio::{sync::watch, time::Instant};

use super::Context;
use crate::config::Resume;

/// When the daemon was last active: it answered a request that it did not refuse, or a browser or a subscriber of events
/// disconnected. Clones share it.
#[derive(Clone)]
pub(super) struct Activity(Arc<watch::Sender<Instant>>);

impl Activity {
    pub(super) fn new() -> Self {
        Self(Arc::new(watch::Sender::new(Instant::now())))
    }

    /// Sets it to now.
    pub(super) fn touch(&self) {
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

    /// Whether a browser, a command, a file that arrives or a subscriber of events needs the daemon. Sessions do not: they
    /// come back with the next one.
    pub fn in_use(&self) -> bool {
        let state = &self.0.state;
        self.counts().0 > 0 || state.has_pending() || state.takes_files() || state.subscribers() > 0
    }

    /// When the daemon was last active; later changes can be awaited.
    pub fn activity(&self) -> watch::Receiver<Instant> {
        self.0.activity.0.subscribe()
    }

    /// Sets who may resume a paused session from now on.
    pub fn set_resume(&self, resume: Resume) {
        self.0.state.set_resume(resume);
    }

    /// From now on only these extensions may claim or connect; any if none are named. Open connections stay.
    pub fn set_extension_ids(&self, ids: Option<Vec<String>>) {
        self.0.gate.set_extension_ids(ids);
    }
}
