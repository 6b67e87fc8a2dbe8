//! The files of the state directory that the state decides about: sessions, their directories, the pairing code.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use secrecy::zeroize::Zeroizing;
use tokio::{sync::Notify, time::Instant};

use crate::{
    home::{self, Found, Home, SessionsFile},
    protocol::{FileHandle, SYNC_EVERY, SessionId},
    state::{IssuedCode, Kept, SessionFile, Storage},
};

/// The files. Clones are the same ones.
#[derive(Clone)]
pub(super) struct Files {
    home: Home,
    sessions: Arc<SessionsFile>,
    /// Wakes when the sessions were saved.
    saved: Arc<Notify>,
}

impl Files {
    pub(super) fn new(home: Home) -> Self {
        let sessions = Arc::new(SessionsFile::new(home.clone()));
        Self { home, sessions, saved: Arc::default() }
    }

    /// The sessions of the daemon before.
    pub(super) fn load(&self) -> Found<Kept> {
        self.sessions.load(Kept::parse)
    }

    /// Makes what is saved outlive a power cut: at once, or together with what else is saved soon after.
    pub(super) async fn keep_synced(self) {
        loop {
            self.saved.notified().await;
            let began = Instant::now();
            self.sync(Duration::MAX).await;
            tokio::time::sleep_until(began + SYNC_EVERY).await;
        }
    }

    /// Makes what is saved outlive a power cut, and waits for that at most for `limit`.
    pub(super) async fn sync(&self, limit: Duration) {
        let sessions = self.sessions.clone();
        let synced = tokio::task::spawn_blocking(move || sessions.sync());
        // The thread cannot panic. A disk that hangs must not hold up the end.
        if let Ok(Ok(Err(error))) = tokio::time::timeout(limit, synced).await {
            tracing::warn!(event = "sessions_not_synced", problem = %error);
        }
    }
}

impl Storage for Files {
    fn session_dir(&self, session: SessionId) -> String {
        self.home.tmp().join("sessions").join(session.as_str()).display().to_string()
    }

    fn create_session_dir(&self, session: SessionId) {
        if let Err(error) = self.home.create_session_dir(session.as_str()) {
            tracing::warn!(event = "tmp_dir_failed", session = %session, problem = %error);
        }
    }

    fn remove_session_dir(&self, session: SessionId) {
        if let Err(error) = self.home.remove_session_dir(session.as_str()) {
            tracing::warn!(event = "tmp_dir_failed", session = %session, problem = %error);
        }
    }

    fn keep_session_dirs(&self, sessions: &[SessionId]) -> Result<(), home::Error> {
        let ids: Vec<_> = sessions.iter().map(SessionId::as_str).collect();
        self.home.clear_tmp(&ids)?;
        for session in sessions {
            if !self.home.session_dir(session.as_str()).exists() {
                self.create_session_dir(*session);
            }
        }
        Ok(())
    }

    fn session_files(&self, session: SessionId) -> BTreeMap<u64, SessionFile> {
        let found = self.home.session_files(session.as_str()).unwrap_or_else(|error| {
            tracing::warn!(event = "tmp_dir_failed", session = %session, problem = %error);
            Vec::new()
        });
        let numbered = found.into_iter().filter_map(|(directory, name, bytes)| {
            let number = directory.parse::<FileHandle>().ok()?.number()?;
            Some((number, SessionFile { name, bytes }))
        });
        numbered.collect()
    }

    fn save_sessions(&self, sessions: &[u8]) -> Result<(), home::Error> {
        self.sessions.save(sessions)?;
        self.saved.notify_one();
        Ok(())
    }

    fn write_pairing_code(&self, code: &IssuedCode) -> Result<(), home::Error> {
        // Allocated at full size: growing would leave an unwiped copy behind.
        let mut text = Zeroizing::new(Vec::with_capacity(256));
        // Strings and numbers always serialize.
        let _ = serde_json::to_writer(&mut *text, code);
        self.home.write_secret(&self.home.pairing(), &text)
    }
}
