//! What the doctor found: one check for each hop, with what mends it.

use serde::Serialize;

/// The results of all probes.
#[derive(Debug, Serialize)]
pub struct Report {
    ok: bool,
    /// The first hop that failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    failing: Option<&'static str>,
    checks: Vec<Check>,
}

/// The result of one hop's probe.
#[derive(Debug, Serialize)]
struct Check {
    hop: &'static str,
    state: State,
    detail: String,
    #[serde(flatten)]
    fix: Option<Fix>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum State {
    Ok,
    Failed,
    Skipped,
}

/// What mends a failure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Fix {
    /// A command for a shell, or what the person has to do.
    #[serde(rename = "fix")]
    text: String,
    /// Whether it is a command, which mends it as it stands.
    #[serde(rename = "command")]
    is_command: bool,
}

impl Fix {
    /// A command for a shell.
    pub(super) fn run(command: impl Into<String>) -> Fix {
        Fix { text: command.into(), is_command: true }
    }

    /// What only the person can do.
    pub(super) fn person(text: impl Into<String>) -> Fix {
        Fix { text: text.into(), is_command: false }
    }
}

/// Why a hop failed, and how to fix it.
pub(super) struct Failure {
    detail: String,
    fix: Fix,
}

impl Failure {
    /// With a command that mends it.
    pub(super) fn new(detail: impl ToString, command: impl Into<String>) -> Failure {
        Failure { detail: detail.to_string(), fix: Fix::run(command) }
    }

    /// What is wrong.
    #[cfg(test)]
    pub(super) fn detail(&self) -> &str {
        &self.detail
    }

    /// With what the person has to do.
    pub(super) fn for_person(detail: impl ToString, text: impl Into<String>) -> Failure {
        Failure { detail: detail.to_string(), fix: Fix::person(text) }
    }
}

impl Report {
    pub(super) fn new() -> Report {
        Report { ok: true, failing: None, checks: Vec::new() }
    }

    /// Whether no hop failed.
    pub fn is_ok(&self) -> bool {
        self.ok
    }

    /// The report as JSON.
    pub fn to_json(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("plain values become JSON")
    }

    /// The report for a person: a line for each hop, and below each failed one its fix.
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        for Check { hop, state, detail, fix } in &self.checks {
            let sign = match state {
                State::Ok => '✓',
                State::Failed => '✗',
                State::Skipped => '·',
            };
            text.push_str(&format!("{sign} {hop:<13} {detail}\n"));
            if let Some(Fix { text: fix, .. }) = fix {
                text.push_str(&format!("  {:<13} → {fix}\n", ""));
            }
        }
        text
    }

    /// The commands that mend what failed, in the order in which to run them, each once.
    pub fn commands(&self) -> Vec<&str> {
        let fixes = self.checks.iter().filter_map(|check| check.fix.as_ref());
        let mut commands = Vec::new();
        for Fix { text, .. } in fixes.filter(|fix| fix.is_command) {
            if !commands.contains(&&**text) {
                commands.push(&**text);
            }
        }
        commands
    }

    /// Records a hop's result, and returns what its probe found; `None` if it failed.
    pub(super) fn add<T>(
        &mut self,
        hop: &'static str,
        result: Result<(String, T), Failure>,
    ) -> Option<T> {
        match result {
            Ok((detail, found)) => {
                self.checks.push(Check { hop, state: State::Ok, detail, fix: None });
                Some(found)
            }
            Err(Failure { detail, fix }) => {
                self.ok = false;
                self.failing.get_or_insert(hop);
                self.checks.push(Check { hop, state: State::Failed, detail, fix: Some(fix) });
                None
            }
        }
    }

    /// Records hops as skipped because the hop `after` failed.
    pub(super) fn skip(&mut self, hops: &[&'static str], after: &str) {
        let detail = format!("not checked: fix {after} first");
        let check = |&hop| Check { hop, state: State::Skipped, detail: detail.clone(), fix: None };
        self.checks.extend(hops.iter().map(check));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_names_the_first_hop_that_fails_and_the_fix_of_each() {
        let mut report = Report::new();
        report.add("one", Ok(("fine".into(), ())));
        report.add("two", Err::<(_, ()), _>(Failure::new("broken", "mend it")));
        report.add("three", Err::<(_, ()), _>(Failure::new("broken too", "mend it")));
        report.add("four", Err::<(_, ()), _>(Failure::for_person("shut", "open it")));
        report.skip(&["five"], "two");
        assert!(!report.is_ok());
        let json: serde_json::Value = serde_json::from_slice(&report.to_json()).unwrap();
        assert_eq!((&json["ok"], &json["failing"]), (&false.into(), &"two".into()));
        assert_eq!(
            (&json["checks"][1]["fix"], &json["checks"][1]["command"]),
            (&"mend it".into(), &true.into())
        );
        assert_eq!(json["checks"][3]["command"], false);
        assert_eq!(json["checks"][4]["state"], "skipped");
        let text = report.to_text();
        assert!(text.contains("✓ one") && text.contains("✗ two") && text.contains("→ open it"));
        assert_eq!(report.commands(), ["mend it"], "each once, and none that is no command");
    }
}
