//! Helpers for the JSON on the wire, without a parser's cost.

use memchr::{memchr, memmem};

/// The value of the first member with this name; only for strings without escapes, such as ids and actions.
pub(crate) fn text<'a>(json: &'a [u8], name: &str) -> Option<&'a [u8]> {
    let name = format!(r#""{name}":""#);
    let start = memmem::find(json, name.as_bytes())? + name.len();
    let rest = &json[start..];
    Some(&rest[..memchr(b'"', rest)?])
}

/// This many bytes of typical page text, escaped for JSON: words, escapes, non-ASCII letters.
pub(crate) fn page_text(bytes: usize) -> String {
    const PARAGRAPH: &str = "The quick brown fox — it came from the café — said \\\"good morning\\\" to the lazy dog, \
        who did not look up, and went on its way through the long grass.\\n";
    let mut text = PARAGRAPH.repeat(bytes / PARAGRAPH.len());
    text.extend(std::iter::repeat_n('.', bytes - text.len()));
    text
}
