//! Who asks: the program and its folder, as the client says them. Said, not proved.

use super::{MAX_CALLER_CHARS, MAX_FOLDER_CHARS, values::params};

params! {
    /// Who asks, as the client says it.
    Caller {
        /// The program, such as the agent.
        name: String,
        ;
        /// The folder that it works in.
        folder: String,
    }
}

impl Caller {
    /// Who asks, cut to what the daemon takes: of a name the beginning counts, of a folder the end.
    pub fn new(name: &str, folder: Option<&str>) -> Caller {
        let name = name.chars().take(MAX_CALLER_CHARS).collect();
        let end = |folder: &str| {
            let excess = folder.chars().count().saturating_sub(MAX_FOLDER_CHARS);
            folder.chars().skip(excess).collect()
        };
        Caller { name, folder: folder.map(end) }
    }

    /// Checks the lengths, which the daemon's log and the popup rely on.
    ///
    /// # Errors
    /// Names the field that is too long.
    pub(super) fn check(&self) -> Result<(), String> {
        let fits = |text: &str, most: usize| text.chars().count() <= most;
        if !fits(&self.name, MAX_CALLER_CHARS) {
            return Err(format!("`name` has more than {MAX_CALLER_CHARS} characters"));
        }
        if self.folder.as_deref().is_some_and(|folder| !fits(folder, MAX_FOLDER_CHARS)) {
            return Err(format!("`folder` has more than {MAX_FOLDER_CHARS} characters"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_long_is_cut_to_what_the_daemon_takes() {
        let (name, folder) = ("ä".repeat(65), format!("{}z", "/ö".repeat(200)));
        let caller = Caller::new(&name, Some(&folder));
        assert_eq!(caller.check(), Ok(()));
        assert_eq!(caller.name, "ä".repeat(64));
        assert!(caller.folder.unwrap().ends_with("öz"));
        assert!(Caller { name, folder: None }.check().unwrap_err().contains("name"));
        let folder = Some(folder);
        assert!(Caller { name: "a".into(), folder }.check().unwrap_err().contains("folder"));
    }
}
