//! The bytes on the wire, as far as the tools around a server look at them.

use memchr::{memchr, memmem};

/// The text of the first member of this name, where nothing in it is escaped: ids and actions.
pub(crate) fn text<'a>(json: &'a [u8], name: &str) -> Option<&'a [u8]> {
    let name = format!(r#""{name}":""#);
    let start = memmem::find(json, name.as_bytes())? + name.len();
    let rest = &json[start..];
    Some(&rest[..memchr(b'"', rest)?])
}

/// So many bytes of what pages are made of, as they stand in JSON: words, escapes, letters beyond ASCII.
pub(crate) fn page_text(bytes: usize) -> String {
    const PARAGRAPH: &str = "The quick brown fox — it came from the café — said \\\"good morning\\\" to the lazy dog, \
        who did not look up, and went on its way through the long grass.\\n";
    let mut text = PARAGRAPH.repeat(bytes / PARAGRAPH.len());
    text.extend(std::iter::repeat_n('.', bytes - text.len()));
    text
}
