//! `bproxy doctor`: checks every hop of a command's path from this binary to the browser, and names the fix for each
//! failure.
//!
//! Owns the order of the hops and the report. Each probe has a deadline. A hop that cannot be probed because an earlier
//! one failed is reported as skipped.

mod probes;

use std::path::Path;

use serde::Serialize;

use super::manager::{self, Service};
use super::status::ManagedBy;

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
    /// A command to run, or what else the person has to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    fix: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum State {
    Ok,
    Failed,
    Skipped,
}

/// Why a hop failed, and how to fix it.
struct Failure {
    detail: String,
    fix: String,
}

impl Failure {
    fn new(detail: impl ToString, fix: impl Into<String>) -> Failure {
        Failure { detail: detail.to_string(), fix: fix.into() }
    }
}

impl Report {
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
            if let Some(fix) = fix {
                text.push_str(&format!("  {:<13} → {fix}\n", ""));
            }
        }
        text
    }

    fn new() -> Report {
        Report { ok: true, failing: None, checks: Vec::new() }
    }

    /// Runs a hop's probe, records its result, and returns what it found; `None` if it failed.
    fn probe<T>(
        &mut self,
        hop: &'static str,
        probe: impl FnOnce() -> Result<(String, T), Failure>,
    ) -> Option<T> {
        match probe() {
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
    fn skip(&mut self, hops: &[&'static str], after: &str) {
        let detail = format!("not checked: fix {after} first");
        let check = |&hop| Check { hop, state: State::Skipped, detail: detail.clone(), fix: None };
        self.checks.extend(hops.iter().map(check));
    }
}

/// Probes every hop to the daemon whose state directory is `home`.
pub fn examine(home: &Path) -> Report {
    let mut report = Report::new();
    report.probe("program", probes::program);
    report.probe("clock", probes::clock);
    let service = manager::service(home);
    let managed_by = service.as_ref().map_or(ManagedBy::Itself, Service::managed_by);
    let path = home;
    let home = report.probe("home", || probes::home(path));
    let config = report.probe("configuration", || probes::configuration(path, managed_by));
    let secrets = config.as_ref().map(|config| config.secrets);

    match (&home, secrets) {
        (Some(home), Some(secrets)) => {
            report.probe("secrets", || probes::secrets(secrets, home));
        }
        (None, _) => report.skip(&["secrets"], "home"),
        (_, None) => report.skip(&["secrets"], "configuration"),
    }
    report.probe("service", || probes::service(service.as_ref()));
    match (&home, &config) {
        (Some(home), Some(config)) => {
            report.probe("log", || probes::log(config.log, managed_by, home));
        }
        (None, _) => report.skip(&["log"], "home"),
        (_, None) => report.skip(&["log"], "configuration"),
    }
    match &config {
        Some(config) => {
            report.probe("journal", || probes::journal(config.log, path));
        }
        None => report.skip(&["journal"], "configuration"),
    }

    let Some(home) = home else {
        report.skip(&["socket", "daemon", "protocol", "token", "browser"], "home");
        return report;
    };
    let own_port = config.as_ref().map(|config| config.port);
    let socket = report.probe("socket", || probes::socket(&home, service.as_ref(), own_port));
    let Some(port) = socket else {
        report.skip(&["daemon", "protocol", "token", "browser"], "socket");
        return report;
    };
    let Some(health) = report.probe("daemon", || probes::daemon(port)) else {
        report.skip(&["protocol", "token", "browser"], "daemon");
        return report;
    };
    report.probe("protocol", || probes::protocol(&health));
    let Some(secrets) = secrets else {
        report.skip(&["token", "browser"], "configuration");
        return report;
    };
    match report.probe("token", || probes::token(port, &home, secrets)) {
        Some(client) => {
            report.probe("browser", || probes::browser(&client));
        }
        None => report.skip(&["browser"], "token"),
    }
    report
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_names_the_first_hop_that_fails_and_the_fix_of_each() {
        let mut report = Report::new();
        report.probe("one", || Ok(("fine".into(), ())));
        report.probe("two", || Err::<(_, ()), _>(Failure::new("broken", "mend it")));
        report.probe("three", || Err::<(_, ()), _>(Failure::new("broken too", "mend that")));
        report.skip(&["four"], "two");
        assert!(!report.is_ok());
        let json: serde_json::Value = serde_json::from_slice(&report.to_json()).unwrap();
        assert_eq!((&json["ok"], &json["failing"]), (&false.into(), &"two".into()));
        assert_eq!(json["checks"][1]["fix"], "mend it");
        assert_eq!(json["checks"][3]["state"], "skipped");
        let text = report.to_text();
        assert!(text.contains("✓ one") && text.contains("✗ two") && text.contains("→ mend that"));
    }
}
