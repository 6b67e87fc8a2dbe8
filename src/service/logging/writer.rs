//! From the makers of records to where they go: a bounded buffer, and a thread that empties it.
//!
//! The thread sleeps while nothing is logged. Trouble with the file or the journal never reaches the makers: records are
//! dropped, counted, and the count is the first thing written when writing works again.

use std::io::{self, Write};
use std::mem;
use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use super::files::Files;
#[cfg(target_os = "linux")]
use super::journal::Journal;
use super::record;

/// How long records gather before they are written: long enough that a busy daemon writes them many at a time, short
/// enough that a person who follows the log does not notice.
const GATHER: Duration = Duration::from_millis(200);

/// So much is written without gathering any longer.
const BATCH_BYTES: usize = 64 * 1024;

/// Beyond this, with the disk too slow, records are dropped.
const MAX_BYTES: usize = 1024 * 1024;

/// How long the end of the daemon waits for the last records: a disk or a journal that works takes them in milliseconds,
/// and one that hangs must not keep the process alive.
const LAST_RECORDS: Duration = Duration::from_secs(1);

/// Where lines end up.
pub(super) enum Sink {
    Files(Files),
    #[cfg(target_os = "linux")]
    Journal(Journal),
    Stderr,
}

impl Sink {
    /// Writes whole lines, all of them or, with an error, none.
    fn write(&mut self, lines: &[u8]) -> io::Result<()> {
        match self {
            Sink::Files(files) => files.append(lines),
            #[cfg(target_os = "linux")]
            Sink::Journal(journal) => {
                journal.append(lines);
                Ok(())
            }
            Sink::Stderr => io::stderr().lock().write_all(lines),
        }
    }
}

/// Lines that wait to be written.
#[derive(Default)]
pub(super) struct Queue {
    waiting: Mutex<Waiting>,
    changed: Condvar,
}

#[derive(Default)]
struct Waiting {
    lines: Vec<u8>,
    dropped: u64,
    closing: bool,
}

impl Queue {
    /// Adds a line, or counts it as dropped where there is no room.
    pub(super) fn push(&self, line: &[u8]) {
        let mut waiting = self.lock();
        let before = waiting.lines.len();
        if before >= MAX_BYTES {
            waiting.dropped += 1;
            return;
        }
        waiting.lines.extend_from_slice(line);
        let batch_is_full = before < BATCH_BYTES && waiting.lines.len() >= BATCH_BYTES;
        drop(waiting);
        if before == 0 || batch_is_full {
            self.changed.notify_one();
        }
    }

    fn close(&self) {
        self.lock().closing = true;
        self.changed.notify_one();
    }

    /// Waits for lines, and moves them to `lines`. Returns how many were dropped, and whether these were the last.
    fn wait(&self, lines: &mut Vec<u8>) -> (u64, bool) {
        let poisoned = PoisonError::into_inner;
        let waiting = self.lock();
        let waiting = self
            .changed
            .wait_while(waiting, |waiting| waiting.lines.is_empty() && !waiting.closing)
            .unwrap_or_else(poisoned);
        let (mut waiting, _) = self
            .changed
            .wait_timeout_while(waiting, GATHER, |waiting| {
                waiting.lines.len() < BATCH_BYTES && !waiting.closing
            })
            .unwrap_or_else(PoisonError::into_inner);
        lines.clear();
        lines.shrink_to(2 * BATCH_BYTES);
        mem::swap(lines, &mut waiting.lines);
        (mem::take(&mut waiting.dropped), waiting.closing)
    }

    /// A maker that panics has left whole lines behind.
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[cfg(test)]
    pub(super) fn take(&self) -> Vec<u8> {
        mem::take(&mut self.lock().lines)
    }
}

/// The thread that writes, with its queue. Dropping it writes out what waits, if that can be done soon.
pub(super) struct Writer {
    queue: Arc<Queue>,
    /// Disconnected when the thread has ended.
    ended: Receiver<()>,
}

impl Writer {
    pub(super) fn start(sink: Sink) -> io::Result<Writer> {
        let queue = Arc::new(Queue::default());
        let (running, ended) = mpsc::channel();
        thread::Builder::new().name("log".into()).stack_size(128 * 1024).spawn({
            let queue = queue.clone();
            move || {
                run(sink, &queue);
                drop(running);
            }
        })?;
        Ok(Writer { queue, ended })
    }

    pub(super) fn queue(&self) -> Arc<Queue> {
        self.queue.clone()
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.queue.close();
        let _ = self.ended.recv_timeout(LAST_RECORDS);
    }
}

fn count(lines: &[u8]) -> u64 {
    memchr::memchr_iter(b'\n', lines).count() as u64
}

fn run(mut sink: Sink, queue: &Queue) {
    let mut lines = Vec::new();
    let mut lost = 0;
    let mut said = false;
    loop {
        let (dropped, last) = queue.wait(&mut lines);
        lost += dropped;
        if lost > 0 {
            lines.splice(0..0, record::lost(lost));
        }
        if !lines.is_empty() {
            match sink.write(&lines) {
                Ok(()) => {
                    lost = 0;
                    said = false;
                }
                Err(error) => {
                    // The line that tells of those lost before is none of them.
                    lost += count(&lines) - u64::from(lost > 0);
                    if !mem::replace(&mut said, true) {
                        // Standard error may be gone as well, and then there is nobody left to tell.
                        let _ = writeln!(
                            io::stderr(),
                            "bproxy: cannot write the log, going on without: {error}"
                        );
                    }
                }
            }
        }
        if last {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn dropping_the_writer_writes_out_what_waits() {
        let dir = tempfile::tempdir().unwrap();
        let writer = Writer::start(Sink::Files(Files::new(dir.path().join("logs")))).unwrap();
        for _ in 0..1000 {
            writer.queue().push(b"a line\n");
        }
        drop(writer);
        let file = fs::read_dir(dir.path().join("logs")).unwrap().next().unwrap().unwrap();
        assert_eq!(fs::read_to_string(file.path()).unwrap().lines().count(), 1000);
    }

    #[test]
    fn a_file_that_hangs_holds_up_the_end_no_longer_than_its_deadline() {
        let dir = tempfile::tempdir().unwrap();
        let mut today = Files::new(dir.path().to_owned());
        today.append(b"a line\n").unwrap();
        let file = fs::read_dir(dir.path()).unwrap().next().unwrap().unwrap().path();
        fs::remove_file(&file).unwrap();
        // Opening one waits for its reader.
        rustix::fs::mkfifoat(
            rustix::fs::CWD,
            &file,
            rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR,
        )
        .unwrap();
        let writer = Writer::start(Sink::Files(Files::new(dir.path().to_owned()))).unwrap();
        writer.queue().push(b"a line\n");
        let before = std::time::Instant::now();
        drop(writer);
        assert!(before.elapsed() >= LAST_RECORDS && before.elapsed() < 5 * LAST_RECORDS);
    }

    #[test]
    fn records_without_room_are_dropped_and_counted() {
        let queue = Queue::default();
        let line = vec![b'x'; MAX_BYTES / 2];
        for _ in 0..5 {
            queue.push(&line);
        }
        let mut lines = Vec::new();
        assert_eq!(queue.wait(&mut lines), (3, false));
        assert_eq!(lines.len(), MAX_BYTES);
    }

    #[test]
    fn what_could_not_be_written_is_counted_in_the_next_line_that_can() {
        let dir = tempfile::tempdir().unwrap();
        let logs = dir.path().join("logs");
        fs::write(&logs, "in the way").unwrap();
        let queue = Arc::new(Queue::default());
        queue.push(b"one\ntwo\n");
        let thread = thread::spawn({
            let (queue, logs) = (queue.clone(), logs.clone());
            move || run(Sink::Files(Files::new(logs)), &queue)
        });
        while !queue.lock().lines.is_empty() {
            thread::yield_now();
        }
        fs::remove_file(&logs).unwrap();
        queue.push(b"three\n");
        queue.close();
        thread.join().unwrap();
        let file = fs::read_dir(&logs).unwrap().next().unwrap().unwrap();
        let text = fs::read_to_string(file.path()).unwrap();
        // Whether the first write came before the way was clear is up to the scheduler; that nothing vanishes is not.
        assert!(text.contains(r#""records":2"#) || text.contains("one\ntwo\n"), "{text}");
        assert!(text.ends_with("three\n"), "{text}");
    }
}
