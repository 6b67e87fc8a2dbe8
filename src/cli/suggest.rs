//! What somebody may have meant who wrote something else.

/// How alike two words have to be, as clap asks of its own suggestions.
const ALIKE: f64 = 0.7;

/// The word most like what was written; `None` if none comes near.
pub(super) fn closest<'a>(written: &str, words: &[&'a str]) -> Option<&'a str> {
    words
        .iter()
        .map(|word| (strsim::jaro(written, word), *word))
        .filter(|(likeness, _)| *likeness > ALIKE)
        .max_by(|(one, _), (other, _)| one.total_cmp(other))
        .map(|(_, word)| word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_suggested_only_if_it_comes_near() {
        let words = ["tab.open", "tab.close", "text", "links"];
        assert_eq!(closest("tab.opne", &words), Some("tab.open"));
        assert_eq!(closest("txt", &words), Some("text"));
        assert_eq!(closest("teleport!", &words), None);
    }
}
