//! The files that a site gives at `given/NAME`, as the query says: what is in one follows from its name and size.
//!
//! - `bytes=N`: its size (5); `type=T`: its type; `inline`: without `Content-Disposition`;
//!   `as=NAME`: the name in that header, percent-encoded; `coded=NAME`: the same, which the header has as it is.
//! - `cookies`: the cookies of the request in place of it.
//! - `ms=N`: its second half comes so much later.
//! - `cut`: the connection breaks in the middle, unless the rest is asked for; `broken`: it always breaks there, and the
//!   rest cannot be asked for.

use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use super::site::percent_decoded;

/// What the file of this name and size holds.
pub fn contents(name: &str, bytes: usize) -> Vec<u8> {
    let mut state = name
        .bytes()
        .fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state.to_be_bytes()[0]
    };
    (0..bytes).map(|_| next()).collect()
}

/// Gives a file, and closes.
pub(super) async fn give(mut stream: TcpStream, name: &str, query: &str, head: &str) {
    let of = |key: &str| {
        let pairs = query.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")));
        pairs.into_iter().find(|(name, _)| *name == key).map(|(_, value)| value)
    };
    let header = |name: &str| {
        let mut lines = head.lines().filter_map(|line| line.split_once(": "));
        lines.find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    };
    let number = |key: &str| of(key).map(|text| text.parse::<usize>().expect("a number"));
    let body = match of("cookies") {
        Some(_) => header("Cookie").unwrap_or("none").as_bytes().to_vec(),
        None => contents(name, number("bytes").unwrap_or(5)),
    };
    let from = header("Range")
        .and_then(|range| range.strip_prefix("bytes=")?.strip_suffix('-')?.parse::<usize>().ok());
    let from = from.filter(|_| of("cut").is_some()).unwrap_or(0);
    let kind = of("type").unwrap_or("application/octet-stream");
    let mut answer = match from {
        0 => "HTTP/1.1 200 OK\r\n".to_owned(),
        _ => format!(
            "HTTP/1.1 206 Partial Content\r\nContent-Range: bytes {from}-{}/{}\r\n",
            body.len() - 1,
            body.len()
        ),
    };
    answer += &format!("Content-Type: {kind}\r\nContent-Length: {}\r\n", body.len() - from);
    if of("inline").is_none() {
        let named = of("as").map_or_else(|| name.to_owned(), percent_decoded);
        answer += &match of("coded") {
            Some(coded) => format!("Content-Disposition: attachment; filename*=UTF-8''{coded}\r\n"),
            None => format!("Content-Disposition: attachment; filename=\"{named}\"\r\n"),
        };
    }
    if of("cut").is_some() {
        answer += "ETag: \"given\"\r\nAccept-Ranges: bytes\r\n";
    }
    answer += "Connection: close\r\n\r\n";
    let middle = body.len() / 2;
    let is_broken = of("broken").is_some() || (of("cut").is_some() && from == 0);
    let _ = stream.write_all(answer.as_bytes()).await;
    if from == 0 {
        let _ = stream.write_all(&body[..middle]).await;
        let _ = stream.flush().await;
        let ms = number("ms").unwrap_or(if is_broken { 100 } else { 0 });
        tokio::time::sleep(Duration::from_millis(ms.try_into().expect("a time"))).await;
    }
    if !is_broken {
        let _ = stream.write_all(&body[if from == 0 { middle } else { from }..]).await;
    }
    let _ = stream.shutdown().await;
}
