//! The files that clients give to sessions: which there are, and how much room is left for more. Their bytes are written
//! by whoever holds an [`Arrival`].

use std::{collections::BTreeMap, io};

use crate::protocol::{
    ErrorCode, FileHandle, GivenFile, MAX_ARRIVALS, MAX_FILE_BYTES, MAX_SESSION_BYTES,
    ProtocolError, SessionId,
};

use super::{Inner, Now, State};

/// Why a file is not taken, in the order in which that is decided.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FileRefusal {
    /// There is no such session, or it has ended meanwhile.
    NoSession,
    /// The file is larger than any may be.
    TooLarge,
    /// The files of the session would take more than they may.
    Full,
    /// As many as may arrive at once do.
    Busy,
    /// The daemon is shutting down.
    Draining,
}

/// A file of a session.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SessionFile {
    /// The name that pages see.
    pub name: String,
    /// Its size.
    pub bytes: u64,
}

/// The files of one session.
#[derive(Default)]
pub(super) struct SessionFiles {
    last: u64,
    whole: BTreeMap<u64, SessionFile>,
    /// The bytes of all of them, those that are arriving included.
    bytes: u64,
}

impl SessionFiles {
    /// The files that a daemon before has left, by their numbers.
    pub(super) fn found(whole: BTreeMap<u64, SessionFile>) -> Self {
        let last = whole.keys().next_back().copied().unwrap_or(0);
        let bytes = whole.values().map(|file| file.bytes).sum();
        Self { last, whole, bytes }
    }

    fn get(&self, file: &FileHandle) -> Option<&SessionFile> {
        self.whole.get(&file.number()?)
    }
}

/// A file that is arriving. Unless it is completed, the room that it takes is free again when this is dropped.
pub struct Arrival {
    state: State,
    session: SessionId,
    bytes: u64,
    is_whole: bool,
}

impl State {
    /// Begins to take a file of the session with this id; `declared` is its length, if the client says it.
    ///
    /// # Errors
    ///
    /// The first refusal in the protocol's order.
    pub fn begin_file(
        &self,
        session: SessionId,
        declared: Option<u64>,
        now: Now,
    ) -> Result<Arrival, FileRefusal> {
        self.at(now, |inner| {
            let files = inner.files_of(session)?;
            check_size(declared.unwrap_or(0))?;
            check_room(files.bytes.saturating_add(declared.unwrap_or(0)))?;
            if inner.draining {
                return Err(FileRefusal::Draining);
            }
            if inner.arrivals >= MAX_ARRIVALS {
                return Err(FileRefusal::Busy);
            }
            inner.arrivals += 1;
            inner.sessions.touch(session.as_str(), None, now.instant);
            Ok(())
        })?;
        Ok(Arrival { state: self.clone(), session, bytes: 0, is_whole: false })
    }

    /// A file of a session.
    pub fn file(&self, session: SessionId, file: &FileHandle) -> Option<SessionFile> {
        self.with(|inner| inner.sessions.get(session)?.files.get(file).cloned())
    }

    /// Whether a file is arriving.
    pub fn takes_files(&self) -> bool {
        self.with(|inner| inner.arrivals > 0)
    }
}

impl Arrival {
    /// So many more bytes have arrived.
    ///
    /// # Errors
    ///
    /// If the session has ended, or there is no room for them.
    pub fn grow(&mut self, bytes: u64) -> Result<(), FileRefusal> {
        check_size(self.bytes + bytes)?;
        self.state.with(|inner| {
            let files = inner.files_of(self.session)?;
            check_room(files.bytes + bytes)?;
            files.bytes += bytes;
            Ok(())
        })?;
        self.bytes += bytes;
        Ok(())
    }

    /// All of it is there. `place` puts it where the file with this number is kept.
    ///
    /// # Errors
    ///
    /// If the session has ended, or what `place` fails with.
    pub fn complete(
        mut self,
        name: &str,
        place: impl FnOnce(&FileHandle) -> io::Result<()>,
    ) -> Result<io::Result<FileHandle>, FileRefusal> {
        let (bytes, session) = (self.bytes, self.session);
        let placed = self.state.with(|inner| {
            let files = inner.files_of(session)?;
            let number = files.last + 1;
            let file = FileHandle::new(number);
            Ok(place(&file).map(|()| {
                files.last = number;
                files.whole.insert(number, SessionFile { name: name.to_owned(), bytes });
                file
            }))
        })?;
        self.is_whole = placed.is_ok();
        Ok(placed)
    }
}

impl Drop for Arrival {
    fn drop(&mut self) {
        self.state.with(|inner| {
            inner.arrivals -= 1;
            if let (Ok(files), false) = (inner.files_of(self.session), self.is_whole) {
                files.bytes -= self.bytes;
            }
        });
    }
}

fn check_size(bytes: u64) -> Result<(), FileRefusal> {
    if bytes > MAX_FILE_BYTES { Err(FileRefusal::TooLarge) } else { Ok(()) }
}

fn check_room(bytes: u64) -> Result<(), FileRefusal> {
    if bytes > MAX_SESSION_BYTES { Err(FileRefusal::Full) } else { Ok(()) }
}

impl Inner {
    /// What the extension is told of the files that a command names.
    ///
    /// # Errors
    ///
    /// The session has no such file.
    pub(super) fn given_files(
        &self,
        id: SessionId,
        files: &[FileHandle],
    ) -> Result<Vec<GivenFile>, ProtocolError> {
        let session = self.sessions.get(id);
        let given = |file: &FileHandle| {
            let known = session.and_then(|session| session.files.get(file));
            let given = known.map(|known| GivenFile::new(file.clone(), &known.name, known.bytes));
            given.ok_or_else(|| {
                let message = format!(
                    "the session has no file {}: give it one with `bproxy upload`, which names it",
                    file.as_str()
                );
                ProtocolError::new(ErrorCode::FileNotFound, message, id.as_str())
            })
        };
        files.iter().map(given).collect()
    }

    fn files_of(&mut self, session: SessionId) -> Result<&mut SessionFiles, FileRefusal> {
        let session = self.sessions.get_mut(session).ok_or(FileRefusal::NoSession)?;
        Ok(&mut session.files)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::{Instant, Process, Storage};

    fn state() -> (State, SessionId, Now) {
        let started = Instant::now();
        let storage: Box<dyn Storage> = Box::new(());
        let state = State::new(Process { pid: 1, port: 9615, started }, None, storage);
        let session = SessionId::from_bits(1);
        state.with(|inner| _ = inner.sessions.insert(session, None, started));
        (state, session, Now { instant: started, unix_ms: 0 })
    }

    fn refusal<T>(result: Result<T, FileRefusal>) -> Option<FileRefusal> {
        result.err()
    }

    #[test]
    fn refusals_come_in_the_order_of_the_protocol() {
        let (state, session, now) = state();
        let begin = |declared| state.begin_file(session, declared, now);
        let other = state.begin_file(SessionId::from_bits(2), Some(u64::MAX), now);
        assert_eq!(refusal(other), Some(FileRefusal::NoSession));
        let mut held: Vec<_> = (0..MAX_ARRIVALS).map(|_| begin(None).unwrap()).collect();
        assert_eq!(refusal(begin(None)), Some(FileRefusal::Busy));
        assert_eq!(refusal(begin(Some(MAX_FILE_BYTES + 1))), Some(FileRefusal::TooLarge));
        held[0].grow(MAX_FILE_BYTES).unwrap();
        held[1].grow(MAX_FILE_BYTES).unwrap();
        assert_eq!(refusal(begin(Some(1))), Some(FileRefusal::Full));
        state.drain();
        assert_eq!(refusal(begin(Some(1))), Some(FileRefusal::Full));
        assert_eq!(refusal(begin(None)), Some(FileRefusal::Draining));
    }

    #[test]
    fn what_is_cut_leaves_its_room_and_no_number() {
        let (state, session, now) = state();
        let begin = || state.begin_file(session, None, now).unwrap();
        let mut cut = begin();
        cut.grow(MAX_FILE_BYTES).unwrap();
        assert_eq!(cut.grow(1), Err(FileRefusal::TooLarge));
        let mut other = begin();
        other.grow(MAX_FILE_BYTES).unwrap();
        let mut third = begin();
        assert_eq!(third.grow(1), Err(FileRefusal::Full));
        drop(cut);
        third.grow(1).unwrap();
        let third = third.complete("a", |_| Ok(())).unwrap().unwrap();
        assert_eq!(third.as_str(), "fl1");
        let failed = other.complete("b", |_| Err(io::ErrorKind::StorageFull.into())).unwrap();
        assert!(failed.is_err());
        assert_eq!(begin().complete("c", |_| Ok(())).unwrap().unwrap().as_str(), "fl2");
        let kept = state.with(|inner| inner.files_of(session).unwrap().bytes);
        assert_eq!(kept, 1);
        assert!(!state.takes_files());
    }

    #[test]
    fn a_session_that_ends_takes_no_more() {
        let (state, session, now) = state();
        let mut arrival = state.begin_file(session, None, now).unwrap();
        state.with(|inner| _ = inner.sessions.remove(session));
        assert_eq!(arrival.grow(1), Err(FileRefusal::NoSession));
        assert_eq!(refusal(arrival.complete("a", |_| Ok(()))), Some(FileRefusal::NoSession));
        assert!(!state.takes_files());
    }
}
