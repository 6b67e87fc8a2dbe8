//! Long answers in pieces: what does not fit the budget is kept for the calls that go on reading it.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

/// How many cut answers are kept. More are seldom read side by side, and each may have megabytes.
const KEPT: usize = 8;

/// The cut answers of one connection, the latest last.
#[derive(Default)]
pub(super) struct Rests(Mutex<State>);

#[derive(Default)]
struct State {
    kept: VecDeque<Kept>,
    count: u64,
}

struct Kept {
    number: u64,
    tool: String,
    text: String,
}

/// A piece of an answer.
pub(super) struct Piece {
    pub(super) text: String,
    /// What to tell of the rest; none at the end.
    pub(super) more: Option<String>,
}

impl Rests {
    /// The first `max` characters of an answer.
    pub(super) fn first(&self, tool: &str, text: String, max: usize) -> Piece {
        if text.len() <= max || text.chars().count() <= max {
            return Piece { text, more: None };
        }
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.count += 1;
        let kept = Kept { number: state.count, tool: tool.to_owned(), text };
        let piece = kept.piece(0, max);
        if state.kept.len() == KEPT {
            state.kept.pop_front();
        }
        state.kept.push_back(kept);
        piece
    }

    /// The next `max` characters, from `cursor` on. None where it is no cursor of this tool, or too old.
    pub(super) fn next(&self, tool: &str, cursor: &str, max: usize) -> Option<Piece> {
        let (number, start) = cursor.split_once('-')?;
        let (number, start): (u64, usize) = (number.parse().ok()?, start.parse().ok()?);
        let state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = state.kept.iter().find(|kept| kept.number == number && kept.tool == tool)?;
        kept.text.is_char_boundary(start).then(|| kept.piece(start, max))
    }
}

impl Kept {
    /// At most `max` characters from the byte `start` on, up to the end of a line where one is near.
    fn piece(&self, start: usize, max: usize) -> Piece {
        let rest = &self.text[start..];
        let Some((full, _)) = rest.char_indices().nth(max) else {
            return Piece { text: rest.to_owned(), more: None };
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
        Piece { text: rest[..cut].to_owned(), more: Some(more) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cursor(piece: &Piece) -> Option<String> {
        let more = piece.more.as_ref()?;
        Some(more.split_once("\"cursor\": \"")?.1.split_once('"')?.0.to_owned())
    }

    #[test]
    fn the_pieces_of_an_answer_are_the_answer() {
        let rests = Rests::default();
        let text: String = (0..300).map(|line| format!("Zeile {line} – äöü\n")).collect();
        let mut piece = rests.first("text", text.clone(), 100);
        let mut whole = String::new();
        loop {
            assert!(piece.text.chars().count() <= 100);
            whole.push_str(&piece.text);
            let Some(cursor) = cursor(&piece) else { break };
            piece = rests.next("text", &cursor, 100).expect("the rest");
        }
        assert_eq!(whole, text);
    }

    #[test]
    fn what_fits_is_whole_and_what_is_unknown_is_nothing() {
        let rests = Rests::default();
        assert!(rests.first("text", "äöü".into(), 3).more.is_none());
        let cursor = cursor(&rests.first("text", "abcdef".into(), 3)).unwrap();
        assert_eq!(cursor, "1-3");
        assert_eq!(rests.next("text", &cursor, 3).unwrap().text, "def");
        for bad in ["", "1", "1-", "1-99", "9-3", "-1-3", "x-3"] {
            assert!(rests.next("text", bad, 3).is_none(), "{bad}");
        }
        assert!(rests.next("dom", &cursor, 3).is_none());
        for _ in 0..KEPT {
            rests.first("text", "abcdef".into(), 3);
        }
        assert!(rests.next("text", &cursor, 3).is_none(), "the oldest is gone");
    }
}
