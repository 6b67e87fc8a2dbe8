//! Records in the journal: each a message that people can read, fields to ask for, and the JSON line as it is in a file.
//!
//! `journalctl BPROXY_ID=…` shows one request's whole life. Written by the log's own thread, with a deadline, so that a
//! journal that hangs holds up nobody.

use std::io::{self, IoSlice};
use std::mem::MaybeUninit;
use std::os::fd::AsFd;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, memfd_create};
use rustix::io::Errno;
use rustix::net::{
    SendAncillaryBuffer, SendAncillaryMessage, SendFlags, SocketAddrUnix, sendmsg_addr,
};
use serde_json::{Map, Value};

use super::writer::Unwritten;
use super::{HOME, RECORD};

/// Where journald listens, on every system that has one.
const SOCKET: &str = "/run/systemd/journal/socket";

/// How long journald may leave its queue full. It reads within milliseconds, or it hangs.
const WAIT: Duration = Duration::from_secs(1);

/// Longer values, such as payloads, are left out of the message; the field has them whole.
const MAX_SHOWN_BYTES: usize = 100;

/// A way to the journal.
pub(super) struct Journal {
    socket: UnixDatagram,
    path: PathBuf,
    home: String,
}

impl Journal {
    /// The system's journal, for the daemon of the state directory `home`.
    ///
    /// # Errors
    /// When nobody listens there.
    pub(super) fn open(home: &Path) -> io::Result<Journal> {
        Journal::open_at(Path::new(SOCKET), home)
    }

    fn open_at(path: &Path, home: &Path) -> io::Result<Journal> {
        let socket = UnixDatagram::unbound()?;
        socket.set_write_timeout(Some(WAIT))?;
        // An empty entry is ignored, but somebody must be there to take it.
        socket.send_to(&[], path)?;
        Ok(Journal { socket, path: path.to_owned(), home: home.display().to_string() })
    }

    /// Sends whole lines, each as an entry, up to the first that cannot be sent.
    pub(super) fn append(&mut self, lines: &[u8]) -> Result<(), Unwritten> {
        let lines: Vec<_> =
            lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).collect();
        for (sent, line) in lines.iter().enumerate() {
            self.send(&entry(line, &self.home))
                .map_err(|error| Unwritten { lines: (lines.len() - sent) as u64, error })?;
        }
        Ok(())
    }

    fn send(&self, entry: &[u8]) -> io::Result<()> {
        match self.socket.send_to(entry, &self.path) {
            Err(error)
                if matches!(Errno::from_io_error(&error), Some(Errno::MSGSIZE | Errno::NOBUFS)) =>
            {
                self.send_large(entry)
            }
            sent => sent.map(|_| ()),
        }
    }

    /// What is too long for a datagram goes as a sealed file in memory, which nobody can change any longer.
    fn send_large(&self, entry: &[u8]) -> io::Result<()> {
        let memory = memfd_create("bproxy-log", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?;
        let mut rest = entry;
        while !rest.is_empty() {
            let written = rustix::io::write(&memory, rest)?;
            rest = &rest[written..];
        }
        fcntl_add_seals(
            &memory,
            SealFlags::SEAL | SealFlags::SHRINK | SealFlags::GROW | SealFlags::WRITE,
        )?;
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut control = SendAncillaryBuffer::new(&mut space);
        let descriptors = [memory.as_fd()];
        control.push(SendAncillaryMessage::ScmRights(&descriptors));
        let address = SocketAddrUnix::new(&self.path)?;
        sendmsg_addr(
            &self.socket,
            &address,
            &[IoSlice::new(&[])],
            &mut control,
            SendFlags::NOSIGNAL,
        )?;
        Ok(())
    }
}

/// One record in journald's native format.
fn entry(line: &[u8], home: &str) -> Vec<u8> {
    let record: Map<String, Value> = serde_json::from_slice(line).unwrap_or_default();
    let mut entry = Vec::with_capacity(4 * line.len());
    let level = record.get("level").and_then(Value::as_str).unwrap_or_default();
    field(&mut entry, "MESSAGE", message(&record).as_bytes());
    field(&mut entry, "PRIORITY", priority(level));
    field(&mut entry, "SYSLOG_IDENTIFIER", b"bproxy");
    field(&mut entry, HOME, home.as_bytes());
    field(&mut entry, RECORD, line);
    for (name, value) in record.iter().filter(|(name, _)| !matches!(&***name, "level" | "ts")) {
        field(&mut entry, &field_name(name), text(value).as_bytes());
    }
    entry
}

/// The priorities of syslog: error, warning, informational, debug.
fn priority(level: &str) -> &'static [u8] {
    match level {
        "error" => b"3",
        "warn" => b"4",
        "info" => b"6",
        _ => b"7",
    }
}

/// The event and what belongs to it, in one line: `received action=text id=01HZX9C2K8 session=m4q7z2`.
fn message(record: &Map<String, Value>) -> String {
    let mut message = record.get("event").map_or_else(String::new, text);
    for (name, value) in record {
        if !matches!(&**name, "level" | "ts" | "event") {
            let value = text(value);
            let shown =
                if value.len() > MAX_SHOWN_BYTES || value.contains('\n') { "…" } else { &value };
            message.push_str(&format!(" {name}={shown}"));
        }
    }
    message
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// `delay_ms` as `BPROXY_DELAY_MS`, `sourceAction` as `BPROXY_SOURCE_ACTION`.
fn field_name(name: &str) -> String {
    let mut field = String::from("BPROXY_");
    for letter in name.chars() {
        if letter.is_ascii_uppercase() {
            field.push('_');
        }
        field.push(if letter.is_ascii_alphanumeric() { letter.to_ascii_uppercase() } else { '_' });
    }
    field
}

/// Name, length and bytes: whatever a value holds, it cannot begin another field.
fn field(entry: &mut Vec<u8>, name: &str, value: &[u8]) {
    entry.extend_from_slice(name.as_bytes());
    entry.push(b'\n');
    entry.extend_from_slice(&(value.len() as u64).to_le_bytes());
    entry.extend_from_slice(value);
    entry.push(b'\n');
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;
    use std::fs::File;
    use std::io::{Read, Seek};

    use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, recvmsg};

    use super::*;

    fn journald() -> (tempfile::TempDir, UnixDatagram, Journal) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("socket");
        let socket = UnixDatagram::bind(&path).unwrap();
        let journal = Journal::open_at(&path, Path::new("/home/ada/.bproxy")).unwrap();
        assert_eq!(socket.recv(&mut [0; 8]).unwrap(), 0);
        (dir, socket, journal)
    }

    fn fields(mut entry: &[u8]) -> HashMap<String, String> {
        let mut fields = HashMap::new();
        while !entry.is_empty() {
            let end = entry.iter().position(|byte| *byte == b'\n').unwrap();
            let (name, rest) = (str::from_utf8(&entry[..end]).unwrap(), &entry[end + 1..]);
            let length = u64::from_le_bytes(rest[..8].try_into().unwrap()) as usize;
            let value = str::from_utf8(&rest[8..8 + length]).unwrap();
            assert!(fields.insert(name.to_owned(), value.to_owned()).is_none(), "{name} twice");
            assert_eq!(rest[8 + length], b'\n');
            entry = &rest[9 + length..];
        }
        fields
    }

    #[test]
    fn an_entry_has_a_message_a_priority_its_fields_and_its_line() {
        let (_dir, socket, mut journal) = journald();
        let lines = [
            r#"{"level":"info","ts":5,"event":"received","id":"01X","action":"text","session":"m4q7z2","destructive":false}"#,
            r#"{"level":"warn","ts":6,"event":"handle_mint","sourceAction":"a\nPRIORITY=0","count":2}"#,
        ];
        journal.append(format!("{}\n{}\n", lines[0], lines[1]).as_bytes()).unwrap();
        let mut buffer = [0; 4096];
        let length = socket.recv(&mut buffer).unwrap();
        let entry = fields(&buffer[..length]);
        let expected = [
            ("MESSAGE", "received action=text destructive=false id=01X session=m4q7z2"),
            ("PRIORITY", "6"),
            ("SYSLOG_IDENTIFIER", "bproxy"),
            ("BPROXY_HOME", "/home/ada/.bproxy"),
            ("BPROXY_RECORD", lines[0]),
            ("BPROXY_EVENT", "received"),
            ("BPROXY_ID", "01X"),
            ("BPROXY_ACTION", "text"),
            ("BPROXY_SESSION", "m4q7z2"),
            ("BPROXY_DESTRUCTIVE", "false"),
        ];
        assert_eq!(entry, expected.map(|(name, value)| (name.to_owned(), value.to_owned())).into());
        let length = socket.recv(&mut buffer).unwrap();
        let entry = fields(&buffer[..length]);
        assert_eq!(entry["PRIORITY"], "4");
        assert_eq!(entry["BPROXY_SOURCE_ACTION"], "a\nPRIORITY=0");
        assert_eq!(entry["MESSAGE"], "handle_mint count=2 sourceAction=…");
    }

    #[test]
    fn a_large_record_goes_as_a_sealed_file() {
        let (_dir, socket, mut journal) = journald();
        let payload = "x".repeat(3_000_000);
        let line = format!(r#"{{"level":"debug","ts":5,"event":"payload","text":"{payload}"}}"#);
        journal.append(line.as_bytes()).unwrap();
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut control = RecvAncillaryBuffer::new(&mut space);
        recvmsg(&socket, &mut [], &mut control, RecvFlags::empty()).unwrap();
        let Some(RecvAncillaryMessage::ScmRights(mut descriptors)) = control.drain().next() else {
            panic!("no descriptor");
        };
        let mut file = File::from(descriptors.next().unwrap());
        assert!(file.set_len(0).is_err(), "not sealed");
        let mut bytes = Vec::new();
        file.rewind().unwrap();
        file.read_to_end(&mut bytes).unwrap();
        let entry = fields(&bytes);
        assert_eq!((&*entry["BPROXY_TEXT"], &*entry["MESSAGE"]), (&*payload, "payload text=…"));
    }

    #[test]
    fn what_nobody_takes_is_told_with_its_number() {
        let (dir, _socket, mut journal) = journald();
        // Closing the socket is not enough: a process that another test starts holds a copy until it executes.
        std::fs::remove_file(dir.path().join("socket")).unwrap();
        assert_eq!(journal.append(b"{}\n{}\n{}\n").unwrap_err().lines, 3);
        assert!(Journal::open_at(&dir.path().join("socket"), Path::new("/")).is_err());
    }

    #[test]
    fn a_journal_that_hangs_is_waited_for_no_longer_than_its_deadline() {
        let (_dir, _socket, mut journal) = journald();
        let lines = b"{\"level\":\"info\"}\n".repeat(10_000);
        let before = std::time::Instant::now();
        assert!(journal.append(&lines).unwrap_err().lines > 0);
        assert!(before.elapsed() < 5 * WAIT);
    }
}
