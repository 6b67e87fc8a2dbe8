//! The log's buffer, which is bounded, and the thread that writes it out.
//!
//! The thread sleeps while nothing is logged. Code that logs never sees a write error: records that cannot be written
//! are dropped and counted, and the count is the first line written once writing works again.

use std::io::{self, Write};
use std::mem;
use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use super::files::LogFiles;
#[cfg(target_os = "linux")]
use super::journal::JournalWriter;
use super::record;

/// How long to collect records before writing them: long enough that a busy daemon writes in batches, short enough that a
/// person who follows the log does not notice.
const BATCH_WINDOW: Duration = Duration::from_millis(200);

/// A batch of this size is written at once.
const BATCH_BYTES: usize = 64 * 1024;

/// The size of the buffer beyond which records are dropped, because the disk is too slow.
const MAX_QUEUED_BYTES: usize = 1024 * 1024;

/// How long shutdown waits for the last records to be written. A working disk or journal takes milliseconds; one that
/// hangs must not keep the process alive.
const FLUSH_DEADLINE: Duration = Duration::from_secs(1);

/// The log's destination.
pub(super) enum Sink {
    Files(LogFiles),
    #[cfg(target_os = "linux")]
    Journal(JournalWriter),
    Stderr,
}

impl Sink {
    /// Writes whole lines: all of them or, on an error, none.
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

/// The lines that are not written yet.
#[derive(Default)]
pub(super) struct Queue {
    pending: Mutex<Pending>,
    changed: Condvar,
}

#[derive(Default)]
struct Pending {
    lines: Vec<u8>,
    dropped: u64,
    is_closing: bool,
}

impl Queue {
    /// Adds a line, or drops and counts it if the buffer is full.
    pub(super) fn push(&self, line: &[u8]) {
        let mut pending = self.lock();
        let before = pending.lines.len();
        if before >= MAX_QUEUED_BYTES {
            pending.dropped += 1;
            return;
        }
        pending.lines.extend_from_slice(line);
        let batch_is_full = before < BATCH_BYTES && pending.lines.len() >= BATCH_BYTES;
        drop(pending);
        if before == 0 || batch_is_full {
            self.changed.notify_one();
        }
    }

    fn close(&self) {
        self.lock().is_closing = true;
        self.changed.notify_one();
    }

    /// Waits for a batch and moves it to `lines`. Returns how many records were dropped, and whether the queue is closed.
    fn next_batch(&self, lines: &mut Vec<u8>) -> (u64, bool) {
        let pending = self.lock();
        let pending = self
            .changed
            .wait_while(pending, |pending| pending.lines.is_empty() && !pending.is_closing)
            .unwrap_or_else(PoisonError::into_inner);
        let (mut pending, _) = self
            .changed
            .wait_timeout_while(pending, BATCH_WINDOW, |pending| {
                pending.lines.len() < BATCH_BYTES && !pending.is_closing
            })
            .unwrap_or_else(PoisonError::into_inner);
        lines.clear();
        lines.shrink_to(2 * BATCH_BYTES);
        mem::swap(lines, &mut pending.lines);
        (mem::take(&mut pending.dropped), pending.is_closing)
    }

    /// Ignores poisoning: a thread that panicked while it held the lock has added its line whole or not at all.
    fn lock(&self) -> MutexGuard<'_, Pending> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[cfg(test)]
    pub(super) fn take(&self) -> Vec<u8> {
        mem::take(&mut self.lock().lines)
    }
}

/// The writing thread and its queue. Dropping it flushes the queue, within [`FLUSH_DEADLINE`].
pub(super) struct Writer {
    queue: Arc<Queue>,
    /// Disconnected when the thread ends.
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
        let _ = self.ended.recv_timeout(FLUSH_DEADLINE);
    }
}

fn count(lines: &[u8]) -> u64 {
    memchr::memchr_iter(b'\n', lines).count() as u64
}

fn run(mut sink: Sink, queue: &Queue) {
    let mut lines = Vec::new();
    let mut lost = 0;
    let mut is_reported = false;
    loop {
        let (dropped, is_last) = queue.next_batch(&mut lines);
        lost += dropped;
        if lost > 0 {
            lines.splice(0..0, record::lost(lost));
        }
        if !lines.is_empty() {
            match sink.write(&lines) {
                Ok(()) => {
                    lost = 0;
                    is_reported = false;
                }
                Err(error) => {
                    // The first line, which reports earlier losses, is not a lost record itself.
                    lost += count(&lines) - u64::from(lost > 0);
                    if !mem::replace(&mut is_reported, true) {
                        // Standard error may fail too; there is no other way to report it.
                        let _ = writeln!(
                            io::stderr(),
                            "bproxy: cannot write the log, continuing without it: {error}"
                        );
                    }
                }
            }
        }
        if is_last {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn dropping_the_writer_flushes_the_queue() {
        let dir = tempfile::tempdir().unwrap();
        let writer = Writer::start(Sink::Files(LogFiles::new(dir.path().join("logs")))).unwrap();
        for _ in 0..1000 {
            writer.queue().push(b"a line\n");
        }
        drop(writer);
        let file = fs::read_dir(dir.path().join("logs")).unwrap().next().unwrap().unwrap();
        assert_eq!(fs::read_to_string(file.path()).unwrap().lines().count(), 1000);
    }

    #[test]
    fn a_file_that_hangs_delays_shutdown_no_longer_than_the_deadline() {
        let dir = tempfile::tempdir().unwrap();
        let mut today = LogFiles::new(dir.path().to_owned());
        today.append(b"a line\n").unwrap();
        let file = fs::read_dir(dir.path()).unwrap().next().unwrap().unwrap().path();
        fs::remove_file(&file).unwrap();
        // Opening a FIFO for writing blocks until it has a reader.
        rustix::fs::mkfifoat(
            rustix::fs::CWD,
            &file,
            rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR,
        )
        .unwrap();
        let writer = Writer::start(Sink::Files(LogFiles::new(dir.path().to_owned()))).unwrap();
        writer.queue().push(b"a line\n");
        let before = std::time::Instant::now();
        drop(writer);
        assert!(before.elapsed() >= FLUSH_DEADLINE && before.elapsed() < 5 * FLUSH_DEADLINE);
    }

    #[test]
    fn records_without_room_are_dropped_and_counted() {
        let queue = Queue::default();
        let line = vec![b'x'; MAX_QUEUED_BYTES / 2];
        for _ in 0..5 {
            queue.push(&line);
        }
        let mut lines = Vec::new();
        assert_eq!(queue.next_batch(&mut lines), (3, false));
        assert_eq!(lines.len(), MAX_QUEUED_BYTES);
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
            move || run(Sink::Files(LogFiles::new(logs)), &queue)
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
        // The scheduler decides whether the first write succeeded; either way, no record is lost without being counted.
        assert!(text.contains(r#""records":2"#) || text.contains("one\ntwo\n"), "{text}");
        assert!(text.ends_with("three\n"), "{text}");
    }
}
