//! `bproxy doctor --report`: one text for a bug report, with what the doctor found, the settings, the units and the end
//! of the log, and without secrets.

use std::fs;
use std::path::Path;

use super::Report;
use super::deadline::within;
use crate::home::Home;
use crate::service::logs;
use crate::settings;
use crate::supervisor;
use crate::supervisor::systemd::{SERVICE, SOCKET, Systemctl};

/// How many of the last records of the log are in it.
const RECORDS: usize = 200;

/// The shortest run of letters and digits that may be a token. Request ids have 26.
const TOKEN_LENGTH: usize = 32;

/// The text.
pub fn write(home: &Path, report: &Report) -> String {
    let mut text = String::new();
    let mut part = |title: &str, content: &str| {
        text.push_str(&format!("## {title}\n\n{}\n\n", content.trim_end()));
    };
    part("doctor", &report.to_text());
    let environment: Vec<_> = std::env::vars_os()
        .filter(|(name, _)| name.to_string_lossy().starts_with("BPROXY_"))
        .map(|(name, value)| format!("{}={}", name.display(), value.display()))
        .collect();
    part("environment", &environment.join("\n"));
    part("config.env", &fs::read_to_string(settings::path(home)).unwrap_or_default());
    part("files", &files(home));
    part("units", &within(units(home)).unwrap_or_else(|| "systemd does not answer".into()));
    let found = Home::find(home).ok().flatten();
    let records = found.and_then(|home| within(move || logs::latest(&home, RECORDS)));
    part("log", &records.unwrap_or_default().join("\n"));
    redacted(&text)
}

/// Name, owner, mode and size of what is in the state directory; not what is in the files.
fn files(home: &Path) -> String {
    use std::os::unix::fs::MetadataExt;
    let entries = fs::read_dir(home).into_iter().flatten().flatten();
    let mut lines: Vec<_> = entries
        .filter_map(|entry| {
            let metadata = entry.metadata().ok()?;
            let (mode, owner, size) = (metadata.mode(), metadata.uid(), metadata.len());
            Some(format!("{mode:o} {owner} {size} {}", entry.file_name().display()))
        })
        .collect();
    lines.sort();
    lines.join("\n")
}

/// What systemd says about the units.
fn units(home: &Path) -> impl FnOnce() -> String + Send + 'static {
    let is_served = supervisor::serves(home) && cfg!(target_os = "linux");
    move || match is_served.then(Systemctl::for_current_user).flatten() {
        None => "no service of systemd".to_owned(),
        Some(systemctl) => {
            let cat = systemctl.0.run(&["cat", SOCKET, SERVICE]);
            let status = systemctl.0.run(&["show", SOCKET, SERVICE]);
            let texts = [cat, status].map(|text| text.unwrap_or_else(|error| error.to_string()));
            texts.join("\n")
        }
    }
}

/// The text without what could be a secret or say where the person was: tokens, pairing codes, addresses.
fn redacted(text: &str) -> String {
    let home = std::env::home_dir().map(|home| home.display().to_string());
    let text = match home.filter(|home| home.len() > 1) {
        Some(home) => text.replace(&home, "~"),
        None => text.to_owned(),
    };
    let text = without_addresses(&text);
    let is_gap = |letter: char| letter.is_whitespace() || "\"'()<>,=\\".contains(letter);
    let words = text.split_inclusive(is_gap).map(|piece| match piece.chars().next_back() {
        Some(gap) if is_gap(gap) => piece.split_at(piece.len() - gap.len_utf8()),
        _ => (piece, ""),
    });
    words.fold(String::with_capacity(text.len()), |text, (word, gap)| text + &shown(word) + gap)
}

/// The text without addresses, which end at a space or a quote: their queries have commas and equals signs of their own.
fn without_addresses(text: &str) -> String {
    let is_end = |letter: char| letter.is_whitespace() || "\"'<>\\".contains(letter);
    let is_scheme = |letter: char| letter.is_ascii_alphanumeric() || "+-.".contains(letter);
    let pieces = text.split_inclusive(is_end).map(|piece| match piece.split_once("://") {
        Some((before, after)) => {
            let end = &after[after.trim_end_matches(is_end).len()..];
            format!("{}[address]{end}", before.trim_end_matches(is_scheme))
        }
        None => piece.to_owned(),
    });
    pieces.collect()
}

/// A word without what is secret in it.
fn shown(word: &str) -> String {
    let is_part = |letter: char| letter.is_ascii_alphanumeric() || letter == '-' || letter == '_';
    let pieces = word.split_inclusive(|letter| !is_part(letter));
    let shown = pieces.map(|piece| {
        let run = piece.trim_end_matches(|letter| !is_part(letter));
        let rest = &piece[run.len()..];
        match run {
            run if is_token(run) => format!("[secret]{rest}"),
            run if is_code(run) => format!("[code]{rest}"),
            _ => piece.to_owned(),
        }
    });
    shown.collect()
}

/// Whether it may be a token: long, and no name made of words.
fn is_token(run: &str) -> bool {
    let has_digit = run.bytes().any(|byte| byte.is_ascii_digit());
    run.len() >= TOKEN_LENGTH
        && (has_digit || !run.contains(['-', '_']) && run.len() > TOKEN_LENGTH)
}

/// Whether it may be a pairing code: two groups of four.
fn is_code(run: &str) -> bool {
    let is_group = |group: &str| {
        group.len() == 4 && group.bytes().all(|it| it.is_ascii_uppercase() || it.is_ascii_digit())
    };
    run.split_once('-').is_some_and(|(first, second)| is_group(first) && is_group(second))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secrets::Secret;

    #[test]
    fn nothing_that_is_secret_or_an_address_stays() {
        let (hex, base64) = (Secret::random_hex(), Secret::random_base64url());
        let text = format!(
            "{{\"event\":\"received\",\"url\":\"https://bank.example/a?b=c#d\",\"id\":\"01HZX9C2K8ABCDEFGHJKMNPQRS\"}}\n\
             code ABCD-2345@9700, token {} and={}; (ws://127.0.0.1:9615/ws) AT=https://c.example/?pin=12,3 /run/user/1000/bproxy",
            hex.expose(),
            base64.expose()
        );
        let shown = redacted(&text);
        for gone in ["bank", "c#d", "12,3", "ABCD-2345", hex.expose(), base64.expose(), "ws:"] {
            assert!(!shown.contains(gone), "{gone}: {shown}");
        }
        for kept in
            ["received", "01HZX9C2K8ABCDEFGHJKMNPQRS", "[code]@9700", "/run/user/1000/bproxy"]
        {
            assert!(shown.contains(kept), "{kept}: {shown}");
        }
    }
}
