//! One HTTP/1.1 exchange: writes a request, and reads an answer by its length, in chunks, or up to the end.

use std::io::{self, BufRead, BufReader, ErrorKind, Read, Write};
use std::mem::MaybeUninit;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::time::{Duration, Instant};

use secrecy::zeroize::Zeroizing;
use socket2::{Domain, SockAddr, Socket, Type};

use crate::protocol::MAX_MESSAGE_BYTES;
use crate::secrets::Secret;
use crate::sys;

/// Far more than the daemon sends.
const MAX_HEAD_BYTES: u64 = 16 * 1024;
const MAX_HEADERS: usize = 32;

/// Room for a request's head, its path aside.
const HEAD_BYTES: usize = 512;

/// How much of a file is read and sent at once.
const PIECE_BYTES: usize = 128 * 1024;

/// Room for the extension's largest message, with handles and the envelope added.
const MAX_ANSWER_BYTES: u64 = 2 * MAX_MESSAGE_BYTES as u64;

/// How much longer an answer that has begun may take: a large one takes time to transfer on a busy machine.
const TRANSFER: Duration = Duration::from_secs(4);

/// A connection with one deadline for all operations together, until the answer begins.
pub(super) struct Stream {
    socket: Socket,
    deadline: Instant,
    has_begun: bool,
}

impl Stream {
    pub(super) fn connect(port: u16, deadline: Instant) -> io::Result<Stream> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
        socket.connect_timeout(&address.into(), left(deadline)?)?;
        socket.set_tcp_nodelay(true)?;
        Ok(Stream { socket, deadline, has_begun: false })
    }

    /// Connects to a Unix socket.
    pub(super) fn connect_local(path: &Path, deadline: Instant) -> io::Result<Stream> {
        let address = SockAddr::unix(path)?;
        let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
        // It waits where a daemon that hangs has let the queue of connections fill up.
        socket.set_write_timeout(Some(left(deadline)?))?;
        socket.connect(&address)?;
        Ok(Stream { socket, deadline, has_begun: false })
    }

    /// The user whose process is on the other side of a Unix socket.
    pub(super) fn peer_user(&self) -> io::Result<u32> {
        sys::peer_user(&self.socket)
    }

    /// Whether it can carry another exchange: the daemon has neither closed it nor sent anything unexpected.
    pub(super) fn is_idle(&self) -> bool {
        let is_quiet = |socket: &Socket| {
            socket.set_nonblocking(true)?;
            let peeked = socket.peek(&mut [MaybeUninit::uninit()]);
            socket.set_nonblocking(false)?;
            Ok::<_, io::Error>(peeked.is_err_and(|error| error.kind() == ErrorKind::WouldBlock))
        };
        is_quiet(&self.socket).unwrap_or(false)
    }

    /// A handle to the same connection, with which another thread can close it.
    pub(super) fn socket(&self) -> io::Result<Socket> {
        self.socket.try_clone()
    }

    /// Replaces the deadline, for the next exchange.
    pub(super) fn set_deadline(&mut self, deadline: Instant) {
        self.deadline = deadline;
        self.has_begun = false;
    }
}

/// What to do with a connection after an exchange.
#[derive(Clone, Copy)]
pub(super) enum After {
    Close,
    Keep,
}

fn left(deadline: Instant) -> io::Result<Duration> {
    let left = deadline.saturating_duration_since(Instant::now());
    if left.is_zero() { Err(ErrorKind::TimedOut.into()) } else { Ok(left) }
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.socket.set_read_timeout(Some(left(self.deadline)?))?;
        let read = self.socket.read(buffer)?;
        if !self.has_begun {
            self.has_begun = true;
            self.deadline += TRANSFER;
        }
        Ok(read)
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.socket.set_write_timeout(Some(left(self.deadline)?))?;
        self.socket.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Sends a request.
pub(super) fn send(
    stream: &mut impl Write,
    host: &str,
    method: &str,
    path: &str,
    token: Option<&Secret>,
    body: &[u8],
    after: After,
) -> io::Result<()> {
    // Allocated at full size: growing would leave a copy of the token behind.
    let mut request = Zeroizing::new(Vec::with_capacity(HEAD_BYTES + body.len()));
    write_head(&mut request, host, method, path, token, after)?;
    if method == "POST" {
        write!(request, "Content-Type: application/json\r\nContent-Length: {}\r\n", body.len())?;
    }
    request.extend_from_slice(b"\r\n");
    request.extend_from_slice(body);
    stream.write_all(&request)
}

/// Sends a request with a file of `bytes` bytes, a piece at a time.
pub(super) fn send_file(
    stream: &mut impl Write,
    host: &str,
    path: &str,
    token: Option<&Secret>,
    file: &mut impl Read,
    bytes: u64,
) -> io::Result<()> {
    let mut request = Zeroizing::new(Vec::with_capacity(HEAD_BYTES + path.len()));
    write_head(&mut request, host, "POST", path, token, After::Close)?;
    write!(request, "Content-Type: application/octet-stream\r\nContent-Length: {bytes}\r\n\r\n")?;
    stream.write_all(&request)?;
    let mut piece = vec![0; PIECE_BYTES];
    let mut left = bytes;
    while left > 0 {
        let most = piece.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        let read = file.read(&mut piece[..most])?;
        if read == 0 {
            return Err(io::Error::other("the file became shorter while it was sent"));
        }
        stream.write_all(&piece[..read])?;
        left -= read as u64;
    }
    Ok(())
}

/// The beginning of a request's head. It contains the token, and so has to be wiped.
fn write_head(
    request: &mut Vec<u8>,
    host: &str,
    method: &str,
    path: &str,
    token: Option<&Secret>,
    after: After,
) -> io::Result<()> {
    write!(request, "{method} {path} HTTP/1.1\r\nHost: {host}\r\n")?;
    if let After::Close = after {
        request.extend_from_slice(b"Connection: close\r\n");
    }
    if let Some(token) = token {
        write!(request, "Authorization: Bearer {}\r\n", token.expose())?;
    }
    Ok(())
}

/// How the end of a body is found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Framing {
    Chunks,
    Length(u64),
    ToTheEnd,
}

/// Receives an answer: its status and its body.
pub(super) fn receive(stream: impl Read) -> io::Result<(u16, Vec<u8>)> {
    let mut reader = BufReader::with_capacity(64 * 1024, stream);
    let (status, framing) = receive_head(&mut reader)?;
    Ok((status, receive_body(&mut reader, framing)?))
}

/// Receives the head of an answer: its status, and how its body is framed.
pub(super) fn receive_head(reader: &mut impl BufRead) -> io::Result<(u16, Framing)> {
    let head = read_head(reader)?;
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut response = httparse::Response::new(&mut headers);
    let parsed = response
        .parse(&head)
        .map_err(|error| invalid(&format!("its head is damaged ({error})")))?;
    let (httparse::Status::Complete(_), Some(status)) = (parsed, response.code) else {
        return Err(invalid("its head is cut short"));
    };
    let header = |name: &str| {
        let header =
            response.headers.iter().find(|header| header.name.eq_ignore_ascii_case(name))?;
        str::from_utf8(header.value).ok().map(str::trim)
    };
    let framing = if header("transfer-encoding")
        .is_some_and(|coding| coding.eq_ignore_ascii_case("chunked"))
    {
        Framing::Chunks
    } else if let Some(length) = header("content-length") {
        Framing::Length(length.parse().map_err(|_| invalid("its length is not a number"))?)
    } else {
        Framing::ToTheEnd
    };
    Ok((status, framing))
}

/// Receives all of a body.
pub(super) fn receive_body(reader: &mut impl BufRead, framing: Framing) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    match framing {
        Framing::Chunks => while read_chunk(reader, &mut body)? {},
        Framing::Length(length) => read_exactly(reader, length, &mut body)?,
        Framing::ToTheEnd => _ = reader.take(MAX_ANSWER_BYTES).read_to_end(&mut body)?,
    }
    Ok(body)
}

fn read_head(reader: &mut impl BufRead) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    let mut limited = reader.take(MAX_HEAD_BYTES);
    loop {
        let start = head.len();
        if limited.read_until(b'\n', &mut head)? == 0 {
            return Err(invalid("its head is cut short"));
        }
        if start > 0 && matches!(&head[start..], b"\r\n" | b"\n") {
            return Ok(head);
        }
    }
}

/// Appends the next chunk to `body`; false at the end.
pub(super) fn read_chunk(reader: &mut impl BufRead, body: &mut Vec<u8>) -> io::Result<bool> {
    let line = read_line(reader)?;
    let size = line.split(';').next().unwrap_or_default().trim();
    let size = u64::from_str_radix(size, 16).map_err(|_| invalid("a chunk has no length"))?;
    if size == 0 {
        // The trailers are ignored, but have to be complete.
        while !read_line(reader)?.is_empty() {}
        return Ok(false);
    }
    read_exactly(reader, size, body)?;
    if !read_line(reader)?.is_empty() {
        return Err(invalid("a chunk is longer than it says"));
    }
    Ok(true)
}

fn read_line(reader: &mut impl BufRead) -> io::Result<String> {
    let mut line = String::new();
    reader.take(MAX_HEAD_BYTES).read_line(&mut line)?;
    match line.strip_suffix('\n') {
        Some(text) => Ok(text.trim_end_matches('\r').to_owned()),
        None => Err(invalid("it is cut short")),
    }
}

fn read_exactly(reader: &mut impl Read, length: u64, body: &mut Vec<u8>) -> io::Result<()> {
    if body.len() as u64 + length > MAX_ANSWER_BYTES {
        return Err(invalid("it is too large"));
    }
    body.reserve(length as usize);
    match reader.take(length).read_to_end(body)? as u64 {
        read if read == length => Ok(()),
        _ => Err(invalid("it is cut short")),
    }
}

fn invalid(what: &str) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, format!("the answer cannot be used: {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn received(answer: &str) -> io::Result<(u16, Vec<u8>)> {
        receive(answer.as_bytes())
    }

    #[test]
    fn a_body_is_read_by_its_length_in_chunks_or_to_the_end() {
        for answer in [
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello, not read",
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhe\r\n3;x=y\r\nllo\r\n0\r\nTrailer: x\r\n\r\n",
            "HTTP/1.1 200 OK\r\n\r\nhello",
        ] {
            assert_eq!(received(answer).unwrap(), (200, b"hello".to_vec()), "{answer}");
        }
        assert_eq!(
            received("HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n").unwrap(),
            (401, vec![])
        );
    }

    #[test]
    fn an_answer_that_is_cut_short_or_damaged_is_an_error() {
        for answer in [
            "",
            "HTTP/1.1 200 OK\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhello",
            "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\nhello",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhello\r\n0\r\n\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\nhello\r\n0\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\nhello",
            "SMTP ready\r\n\r\n",
        ] {
            assert!(received(answer).is_err(), "{answer}");
        }
    }

    #[test]
    fn a_request_has_the_token_in_its_head() {
        let mut sent = Vec::new();
        let host = "127.0.0.1:9615";
        send(&mut sent, host, "POST", "/", Some(&Secret::new("abc".into())), b"{}", After::Close)
            .unwrap();
        assert_eq!(
            String::from_utf8(sent).unwrap(),
            "POST / HTTP/1.1\r\nHost: 127.0.0.1:9615\r\nConnection: close\r\nAuthorization: Bearer abc\r\n\
             Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
        );
    }
}
