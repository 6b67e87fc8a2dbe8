//! Long answers in pages: an answer over the character limit is kept for the calls that read its further pages.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

/// How many long answers are kept, the latest. More are seldom read side by side, and each may have megabytes.
const MAX_KEPT: usize = 8;

/// The long answers of one connection.
#[derive(Default)]
pub(super) struct Pages(Mutex<State>);

#[derive(Default)]
struct State {
    /// The latest is the last.
    kept: VecDeque<LongAnswer>,
    count: u64,
}

struct LongAnswer {
    number: u64,
    tool: String,
    text: String,
}

/// A page of an answer.
pub(super) struct Page {
    pub(super) text: String,
    /// How to read the next page; none on the last one.
    pub(super) more: Option<String>,
}

impl Pages {
    /// The first `max` characters of an answer. If there are more, it is kept.
    pub(super) fn first(&self, tool: &str, text: String, max: usize) -> Page {
        if text.len() <= max || text.chars().count() <= max {
            return Page { text, more: None };
        }
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.count += 1;
        let kept = LongAnswer { number: state.count, tool: tool.to_owned(), text };
        let page = kept.page(0, max);
        if state.kept.len() == MAX_KEPT {
            state.kept.pop_front();
        }
        state.kept.push_back(kept);
        page
    }

    /// The next `max` characters, from `cursor` on. `None` where that is not a cursor of this tool, or is too old.
    pub(super) fn next(&self, tool: &str, cursor: &str, max: usize) -> Option<Page> {
        let (number, start) = cursor.split_once('-')?;
        let (number, start): (u64, usize) = (number.parse().ok()?, start.parse().ok()?);
        let state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = state.kept.iter().find(|kept| kept.number == number && kept.tool == tool)?;
        kept.text.is_char_boundary(start).then(|| kept.page(start, max))
    }
}

impl LongAnswer {
    /// At most `max` characters from the byte `start` on, up to the end of a line if one is near.
    fn page(&self, start: usize, max: usize) -> Page {
        let rest = &self.text[start..];
        let Some((full, _)) = rest.char_indices().nth(max) else {
            return Page { text: rest.to_owned(), more: None };
        };
        let cut = match rest[..full].rfind('\n') {
            Some(line) if line >= full / 2 => line + 1,
            _ => full,
        };
        let end = start + cut;
        let left = self.text[end..].chars().count();
        let (tool, number) = (&self.tool, self.number);
        let more = format!(
            "[Cut: {left} more characters. Call {tool} again with \"cursor\": \"{number}-{end}\" and otherwise the same \
             arguments to go on; narrow the read or raise maxChars to need fewer calls.]"
        );
        Page { text: rest[..cut].to_owned(), more: Some(more) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cursor(page: &Page) -> Option<String> {
        let more = page.more.as_ref()?;
        Some(more.split_once("\"cursor\": \"")?.1.split_once('"')?.0.to_owned())
    }

    #[test]
    fn the_pages_of_an_answer_make_up_the_answer() {
        let pages = Pages::default();
        let text: String = (0..300).map(|line| format!("Zeile {line} – äöü\n")).collect();
        let mut page = pages.first("text", text.clone(), 100);
        let mut whole = String::new();
        loop {
            assert!(page.text.chars().count() <= 100);
            whole.push_str(&page.text);
            let Some(cursor) = cursor(&page) else { break };
            page = pages.next("text", &cursor, 100).expect("the rest");
        }
        assert_eq!(whole, text);
    }

    #[test]
    fn an_answer_within_the_limit_is_whole_and_an_unknown_cursor_has_no_page() {
        let pages = Pages::default();
        assert!(pages.first("text", "äöü".into(), 3).more.is_none());
        let cursor = cursor(&pages.first("text", "abcdef".into(), 3)).unwrap();
        assert_eq!(cursor, "1-3");
        assert_eq!(pages.next("text", &cursor, 3).unwrap().text, "def");
        for bad in ["", "1", "1-", "1-99", "9-3", "-1-3", "x-3"] {
            assert!(pages.next("text", bad, 3).is_none(), "{bad}");
        }
        assert!(pages.next("dom", &cursor, 3).is_none());
        for _ in 0..MAX_KEPT {
            pages.first("text", "abcdef".into(), 3);
        }
        assert!(pages.next("text", &cursor, 3).is_none(), "the oldest is gone");
    }
}
