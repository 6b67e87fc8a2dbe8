//! Files that clients give to sessions: what is told of one, and by which name it is kept.

use serde::{Deserialize, Serialize};

use super::{FileHandle, MAX_KEPT_NAME_BYTES, values::params};

params! {
    /// A file as the extension is told of it.
    GivenFile {
        /// Its name in the session.
        file: FileHandle,
        /// The name that pages see.
        name: String,
        /// Its size.
        bytes: u64,
        /// Its media type, by its name; empty if that tells none.
        #[serde(rename = "type")]
        kind: String,
        ;
    }
}

impl GivenFile {
    /// The file with this name and size.
    pub fn new(file: FileHandle, name: &str, bytes: u64) -> Self {
        let kind = mime_guess::from_path(name).first_raw().unwrap_or_default().to_owned();
        Self { file, name: name.to_owned(), bytes, kind }
    }
}

/// The answer to a file that has arrived.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct StoredFile {
    /// What actions name it by.
    pub file: FileHandle,
    /// The name that pages see.
    pub name: String,
    /// Its size.
    pub bytes: u64,
    /// Its SHA-256, in lower-case hexadecimal.
    pub sha256: String,
}

/// The name of a file without anything that could lead elsewhere or look like something else: its last component, without
/// control and bidirectional characters and leading dots, of at most [`MAX_KEPT_NAME_BYTES`] bytes.
pub fn kept_name(name: &str) -> String {
    let name: String = name.chars().filter(|char| !is_unseen(*char)).collect();
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default().trim_start_matches('.');
    let mut end = last.len().min(MAX_KEPT_NAME_BYTES);
    while !last.is_char_boundary(end) {
        end -= 1;
    }
    if end == 0 { "file".to_owned() } else { last[..end].to_owned() }
}

/// Whether a character is not seen itself, but may change how others are: controls, and marks of direction.
fn is_unseen(char: char) -> bool {
    let turns = matches!(char, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    char.is_control() || turns
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_made_harmless() {
        for (name, kept) in [
            ("report.pdf", "report.pdf"),
            ("two words, ünïcode 日本.txt", "two words, ünïcode 日本.txt"),
            ("../../etc/passwd", "passwd"),
            ("C:\\Users\\me\\a.txt", "a.txt"),
            (".bashrc", "bashrc"),
            ("\u{202e}..hidden", "hidden"),
            ("a\0b\nc\u{85}.txt", "abc.txt"),
            ("invoice\u{202e}fdp.exe", "invoicefdp.exe"),
            ("..", "file"),
            ("a/", "file"),
            ("\u{7}", "file"),
        ] {
            assert_eq!(kept_name(name), kept, "{name:?}");
        }
        assert_eq!(kept_name(&"x".repeat(300)), "x".repeat(255));
        assert_eq!(kept_name(&"é".repeat(200)), "é".repeat(127), "never within a character");
    }
}
