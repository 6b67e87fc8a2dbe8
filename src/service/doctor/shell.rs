//! Commands for a shell.

use std::path::{Path, PathBuf};

/// A path as one word.
pub(super) fn word(path: &Path) -> String {
    let text = path.display().to_string();
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-+@%,:=".contains(&byte);
    if text.bytes().all(is_plain) { text } else { format!("'{}'", text.replace('\'', "'\\''")) }
}

/// Moves a file or folder out of the way, to a name that nothing has yet.
pub(super) fn move_away(path: &Path) -> String {
    let aside = |number: u32| {
        let mut aside = path.as_os_str().to_owned();
        aside.push(if number == 1 { ".old".to_owned() } else { format!(".old{number}") });
        PathBuf::from(aside)
    };
    let free = (1..).map(aside).find(|aside| aside.symlink_metadata().is_err());
    format!("mv {} {}", word(path), word(&free.expect("numbers do not end")))
}

/// Makes a file or folder this user's own.
pub(super) fn take_over(path: &Path) -> String {
    let user = rustix::process::geteuid().as_raw();
    let sudo = if user == 0 { "" } else { "sudo " };
    format!("{sudo}chown -R {user} {}", word(path))
}

/// Runs one command after the other, as long as they succeed.
pub(super) fn all(commands: &[String]) -> String {
    commands.join(" && ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_one_word_whatever_is_in_it() {
        assert_eq!(word(Path::new("/home/ada/.bproxy")), "/home/ada/.bproxy");
        assert_eq!(word(Path::new("/a b/it's $x")), r"'/a b/it'\''s $x'");
    }

    #[test]
    fn nothing_is_moved_over_what_was_moved_before() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("logs");
        let name = path.display();
        assert_eq!(move_away(&path), format!("mv {name} {name}.old"));
        std::fs::create_dir(folder.path().join("logs.old")).unwrap();
        assert_eq!(move_away(&path), format!("mv {name} {name}.old2"));
    }
}
