//! What outlives the daemon: the sessions as they are saved, when they are saved, and how they come back.
//!
//! Not kept are titles and addresses, pacing slots and handles. Of a tab's page nothing is known until its browser is back.

use std::collections::{HashMap, HashSet};

use serde::{Deserialize, Serialize};

use crate::{
    home,
    protocol::{Pacing, SAVE_AGAIN, SessionId},
};

use super::{
    Inner, Now, State,
    browsers::BrowserId,
    events::Event,
    files::SessionFiles,
    opens::AskedOpen,
    pending::Due,
    sessions::{Pause, Used},
};

/// Everything that is saved.
#[derive(Default, Serialize, Deserialize)]
pub struct Kept {
    /// The instances of the browsers, which tabs and pauses name by their place here.
    browsers: Vec<String>,
    /// In the order of their creation.
    sessions: Vec<KeptSession>,
    opens: Vec<AskedOpen>,
}

#[derive(Serialize, Deserialize)]
struct KeptSession {
    id: SessionId,
    #[serde(skip_serializing_if = "Option::is_none")]
    label: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bound: Option<u32>,
    pacing: Pacing,
    #[serde(skip_serializing_if = "Option::is_none")]
    pause: Option<KeptPause>,
    tabs: Vec<KeptTab>,
    last_tab: u32,
    /// The numbers of handles up to these may have been given.
    numbers: [u64; 2],
    /// The unix time of its last command, ms.
    used_ms: i64,
}

#[derive(Serialize, Deserialize)]
struct KeptPause {
    reason: String,
    /// None if it is not known which browser asked for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    browser: Option<usize>,
}

/// A tab: its ordinal, its browser, and the browser's own id of it.
#[derive(Serialize, Deserialize)]
struct KeptTab(u32, usize, i64);

impl Kept {
    /// The sessions in a JSON text; none if it does not hold any that can come back.
    pub fn parse(json: &[u8]) -> Option<Self> {
        let kept: Self = serde_json::from_slice(json).ok()?;
        kept.is_sound().then_some(kept)
    }

    fn is_sound(&self) -> bool {
        let mut ids = HashSet::new();
        self.sessions.iter().all(|session| {
            let mut last = 0;
            let mut tabs = session.tabs.iter();
            let in_order = tabs.all(|KeptTab(ordinal, browser, _)| {
                std::mem::replace(&mut last, *ordinal) < *ordinal && *browser < self.browsers.len()
            });
            let bound = |bound| session.tabs.iter().any(|tab| tab.0 == bound);
            let pause = session.pause.as_ref().and_then(|pause| pause.browser);
            ids.insert(session.id)
                && in_order
                && last <= session.last_tab
                && session.bound.is_none_or(bound)
                && pause.is_none_or(|browser| browser < self.browsers.len())
        })
    }
}

impl State {
    /// Brings back the sessions of the daemon before, at the start.
    ///
    /// # Errors
    ///
    /// If the directory of temporary files cannot be emptied of everything else.
    pub fn restore(&self, kept: Kept, now: Now) -> Result<(), home::Error> {
        self.at(now, |inner| {
            inner.restored = now;
            inner.restore(kept, now);
            let ids: Vec<_> = inner.sessions.iter().map(|(id, _)| id).collect();
            inner.storage.keep_session_dirs(&ids)?;
            for (id, session) in inner.sessions.iter_mut() {
                session.files = SessionFiles::found(inner.storage.session_files(id));
            }
            Ok(())
        })
    }

    /// Saves the sessions as they are, at the end.
    pub fn save(&self, now: Now) {
        self.at(now, |inner| {
            // Where there are none, that is saved already.
            if inner.sessions.len() > 0 || inner.unsaved_for.is_some() {
                inner.sessions.note_unsaved();
            }
        });
    }
}

impl Inner {
    fn restore(&mut self, kept: Kept, now: Now) {
        let browsers: Vec<_> =
            kept.browsers.iter().map(|instance| self.browsers.remember(instance)).collect();
        for old in kept.sessions {
            let session = self.sessions.insert(old.id, old.label, now.instant);
            for KeptTab(ordinal, browser, chrome_id) in old.tabs {
                session.bring_back_tab(ordinal, browsers[browser], chrome_id);
            }
            session.last_tab = old.last_tab;
            session.bound = old.bound;
            session.pacing = old.pacing;
            session.paused = old.pause.map(|KeptPause { reason, browser }| Pause {
                reason,
                browser: browser.map_or(BrowserId::default(), |browser| browsers[browser]),
            });
            session.used = Used::Before(old.used_ms);
            session.numbers.start_above(old.numbers);
        }
        for open in kept.opens {
            self.asked_opens.push(open, now.instant);
        }
    }

    fn kept(&self) -> Kept {
        let (ids, browsers): (Vec<_>, Vec<_>) = self.browsers.instances().into_iter().unzip();
        let places: HashMap<BrowserId, usize> =
            ids.into_iter().enumerate().map(|(place, id)| (id, place)).collect();
        let sessions = self.sessions.in_order().into_iter().map(|(id, session)| {
            let place = |browser| places.get(&browser).copied();
            let tabs = session.tabs.iter();
            let tabs: Vec<_> = tabs
                .filter_map(|tab| Some(KeptTab(tab.ordinal, place(tab.browser)?, tab.chrome_id)))
                .collect();
            KeptSession {
                id,
                label: session.label().map(str::to_owned),
                bound: session.bound.filter(|bound| tabs.iter().any(|tab| tab.0 == *bound)),
                pacing: session.pacing,
                pause: session.paused.as_ref().map(|Pause { reason, browser }| KeptPause {
                    reason: reason.clone(),
                    browser: place(*browser),
                }),
                tabs,
                last_tab: session.last_tab,
                numbers: session.numbers.marks(),
                used_ms: session.used.unix_ms(self.now),
            }
        });
        let sessions = sessions.collect();
        Kept { browsers, sessions, opens: self.asked_opens.iter().cloned().collect() }
    }

    /// Saves the sessions if anything of them has changed that is kept: at the end of a decision, so before any answer to
    /// it is written.
    pub(super) fn save_if_changed(&mut self) {
        if !self.sessions.take_unsaved() {
            return;
        }
        // Texts, numbers and lists always serialize.
        let text = serde_json::to_vec(&self.kept()).unwrap_or_default();
        match self.storage.save_sessions(&text) {
            Ok(()) => self.unsaved_for = None,
            Err(error) => {
                if self.unsaved_for.is_none() {
                    let problem = error.to_string();
                    self.emit(&Event::SessionsNotSaved { problem: &problem });
                }
                let again = self.now.instant + SAVE_AGAIN;
                self.unsaved_for = Some(again);
                self.pending.schedule(again, Due::Upkeep);
            }
        }
        self.schedule_upkeep();
    }
}
