//! The roff that `clap_mangen` writes, brought into the form that manual pages have: examples as they are typed, no blank
//! lines, and no line that is longer than editors and `mandoc -Tlint` like.

/// The longest line, in bytes.
const WIDTH: usize = 80;

/// The section with the text after the options, as `clap_mangen` calls it.
const EXTRA: &str = ".SH EXTRA";

/// A page in that form, with `title` as its first line.
pub(super) fn tidy(page: &str, title: &str) -> String {
    // A paragraph in the description of an option.
    let page = page.replace("\n.br\n\n.br\n", "\n.sp\n");
    let (body, extra) = page.split_once(EXTRA).unwrap_or((&page, ""));
    let mut tidy = String::new();
    for line in body.lines().filter(|line| !line.is_empty()) {
        if line.starts_with(".TH ") {
            tidy.push_str(title);
        } else {
            fill(&mut tidy, line.trim_end());
        }
        if line == ".SH SYNOPSIS" {
            // Not stretched to the margin: a group of many flags is one word, which no line can be filled with.
            tidy.push_str(".ad l\n");
        }
    }
    if !extra.is_empty() {
        examples(&mut tidy, extra);
    }
    tidy
}

/// What follows the options: a line of text, and indented below it what is to be typed.
fn examples(page: &mut String, extra: &str) {
    page.push_str(".SH EXAMPLES\n");
    let (mut typed, mut sections) = (false, extra.lines());
    for line in sections.by_ref().filter(|line| !line.is_empty()) {
        if line.starts_with(".SH ") {
            break;
        }
        let example = line.strip_prefix("  ");
        if example.is_some() != typed {
            typed = !typed;
            page.push_str(if typed { ".nf\n" } else { ".fi\n" });
        }
        match example {
            Some(example) => go_on(page, example.trim_end()),
            None if line.starts_with("Example") => {}
            None => fill(page, line.trim_end()),
        }
    }
    if typed {
        page.push_str(".fi\n");
    }
    // Only the version follows, which the footer has.
}

/// Adds text that is filled into lines anyway: it is broken at spaces.
fn fill(page: &mut String, text: &str) {
    if text.starts_with('.') {
        page.push_str(text);
        page.push('\n');
        return;
    }
    let mut rest = text;
    while rest.len() > WIDTH {
        let Some(space) = rest[..=WIDTH].rfind(' ').or_else(|| rest.find(' ')) else { break };
        go_on(page, rest[..space].trim_end());
        rest = rest[space..].trim_start();
        if rest.starts_with(['.', '\'']) {
            page.push_str(r"\&");
        }
    }
    go_on(page, rest);
}

/// Adds text that is one line, on several lines of the page where it is too long.
fn go_on(page: &mut String, text: &str) {
    let mut rest = text;
    // Below the width, less the backslash.
    while rest.len() > WIDTH {
        let Some(at) = rest[..WIDTH - 1].rfind([' ', '|']) else { break };
        let (line, next) = rest.split_at(at + 1);
        page.push_str(line);
        page.push_str("\\\n");
        rest = next;
    }
    page.push_str(rest);
    page.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lines_are_broken_and_examples_are_kept_as_they_are_typed() {
        let word = "word ".repeat(20);
        let flags = "|\\fB\\-\\-flag\\fR".repeat(10);
        let page = format!(
            ".TH a 1\n.SH SYNOPSIS\n{flags} \n.SH OPTIONS\n{word}.end\n.br\n\n.br\nx\n.SH EXTRA\n\
             Examples:\n  a {word}z\n.SH VERSION\nv1\n"
        );
        let tidy = tidy(&page, ".TH A 1\n");
        assert!(tidy.lines().all(|line| line.len() <= WIDTH && line == line.trim_end()), "{tidy}");
        assert!(tidy.starts_with(".TH A 1\n.SH SYNOPSIS\n.ad l\n"), "{tidy}");
        let joined = tidy.replace("\\\n", "");
        assert!(joined.contains(&flags), "{tidy}");
        assert!(joined.ends_with(&format!(".SH EXAMPLES\n.nf\na {word}z\n.fi\n")), "{tidy}");
        assert!(tidy.contains("\n.sp\nx\n"), "{tidy}");
    }
}
