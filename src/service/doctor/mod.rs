//! `bproxy doctor`: checks every hop of a command's path from this binary to the browser, and names the fix for each
//! failure.
//!
//! Owns the order of the hops. Each probe has a deadline. A hop that cannot be probed because an earlier one failed is
//! reported as skipped.

pub mod bundle;
mod deadline;
mod probes;
mod report;
mod shell;
mod units;

use std::path::Path;
use std::sync::Arc;

use super::manager::{self, Service};
use super::status::ManagedBy;
use crate::home::Home;
use crate::home::lock::Watch;
use deadline::{WAIT, within};
use report::Failure;
pub use report::Report;
use units::{Silent, Units};

const START: &str = "bproxy service start";
const RESTART: &str = "bproxy service restart";

/// The service that runs the daemon, if one is installed.
#[derive(Clone, Default)]
struct Managed {
    service: Option<Arc<Service>>,
    /// What systemd knows about it.
    units: Option<Arc<Units>>,
}

impl Managed {
    /// Asks the service manager.
    fn find(home: &Path) -> Result<Managed, Failure> {
        let asked = home.to_owned();
        let units = within(move || {
            if cfg!(target_os = "linux") { Units::of(&asked) } else { Err(Silent::NotInstalled) }
        });
        let units = match units.ok_or_else(units::wake)? {
            Ok(units) => Some(Arc::new(units)),
            Err(Silent::NotInstalled) => None,
            Err(Silent::Unreachable(reason)) => return Err(units::unreachable(&reason)),
        };
        let asked = home.to_owned();
        let service = within(move || manager::service(&asked)).ok_or_else(units::wake)?;
        Ok(Managed { service: service.map(Arc::new), units })
    }

    fn by(&self) -> ManagedBy {
        match &self.service {
            Some(service) => service.managed_by(),
            // Units that cannot be loaded are those of a service all the same.
            None if self.units.is_some() => ManagedBy::Systemd,
            None => ManagedBy::Itself,
        }
    }
}

/// Probes every hop to the daemon whose state directory is `home`.
pub fn examine(home: &Path) -> Report {
    let mut report = Report::new();
    fill(&mut report, home);
    report
}

fn fill(report: &mut Report, home: &Path) {
    probe(report, "program", probes::program);
    probe(report, "clock", probes::clock);
    let (managed, silent) = match Managed::find(home) {
        Ok(managed) => (managed, None),
        Err(failure) => (Managed::default(), Some(failure)),
    };
    let (managed_by, path) = (managed.by(), home.to_owned());
    let of = |managed: &Managed| (managed.service.clone(), managed.units.clone());

    let units = managed.units.clone();
    probe(report, "versions", move || probes::versions(units.as_deref()));
    let asked = path.clone();
    let home = probe(report, "home", move || probes::home(&asked));
    let has_space = match home.clone() {
        Some(home) => probe(report, "space", move || probes::space(&home)).is_some(),
        None => {
            report.skip(&["space"], "home");
            false
        }
    };
    let (asked, units) = (path.clone(), managed.units.clone());
    let config = probe(report, "configuration", move || {
        probes::configuration(&asked, managed_by, units.as_deref())
    });
    let secrets = config.as_ref().map(|config| config.secrets);
    let has_secrets = match (home.clone(), secrets) {
        (Some(home), Some(secrets)) => {
            probe(report, "secrets", move || probes::secrets(secrets, &home)).is_some()
        }
        (None, _) => {
            report.skip(&["secrets"], "home");
            false
        }
        (_, None) => {
            report.skip(&["secrets"], "configuration");
            false
        }
    };
    let is_silent = silent.is_some();
    if let Some(failure) = silent {
        report.add("service", Err::<(_, ()), _>(failure));
        report.skip(&["sandbox", "linger"], "service");
    } else {
        let explained = !(has_space && has_secrets);
        let ((service, units), home) = (of(&managed), home.clone());
        probe(report, "service", move || {
            probes::service(service.as_deref(), units.as_deref(), home.as_ref(), explained)
        });
        let units = managed.units.clone();
        probe(report, "sandbox", move || probes::sandbox(units.as_deref()));
        let units = managed.units.clone();
        probe(report, "linger", move || probes::linger(units.as_deref()));
    }
    let log = config.as_ref().map(|config| config.log);
    match (home.clone(), log) {
        (Some(home), Some(log)) => {
            probe(report, "log", move || probes::log(log, managed_by, &home));
        }
        (None, _) => report.skip(&["log"], "home"),
        (_, None) => report.skip(&["log"], "configuration"),
    }
    match log {
        Some(log) => {
            probe(report, "journal", move || probes::journal(log, managed_by, &path));
        }
        None => report.skip(&["journal"], "configuration"),
    }

    let hops = ["socket", "daemon", "protocol", "token", "browser"];
    let Some(home) = home else {
        report.skip(&hops, "home");
        return;
    };
    if is_silent && !has_daemon(&home) {
        // Whether there is one is the service manager's to say.
        report.skip(&hops, "service");
        return;
    }
    let own_port = config.as_ref().map(|config| config.port);
    let (asked, service) = (home.clone(), managed.service.clone());
    let socket =
        probe(report, "socket", move || probes::socket(&asked, service.as_deref(), own_port));
    let Some(port) = socket else {
        report.skip(&hops[1..], "socket");
        return;
    };
    let asked = home.clone();
    let Some(health) = probe(report, "daemon", move || probes::daemon(port, &asked)) else {
        report.skip(&hops[2..], "daemon");
        return;
    };
    probe(report, "protocol", move || probes::protocol(&health));
    let Some(secrets) = secrets else {
        report.skip(&hops[3..], "configuration");
        return;
    };
    match probe(report, "token", move || probes::token(port, &home, secrets)) {
        Some(client) => {
            probe(report, "browser", move || probes::browser(&client));
        }
        None => report.skip(&hops[4..], "token"),
    }
}

/// Runs a hop's probe with its deadline, records its result, and returns what it found; `None` if it failed.
fn probe<T: Send + 'static>(
    report: &mut Report,
    hop: &'static str,
    probe: impl FnOnce() -> Result<(String, T), Failure> + Send + 'static,
) -> Option<T> {
    let hangs = || {
        let detail =
            format!("what is asked here does not answer within {} seconds", WAIT.as_secs());
        let text = "find out what hangs: the file system of the state directory, the keyring, or the service manager";
        Err(Failure::for_person(detail, text))
    };
    report.add(hop, within(probe).unwrap_or_else(hangs))
}

/// Whether a daemon runs, whoever started it.
fn has_daemon(home: &Home) -> bool {
    Watch::open(home).ok().flatten().is_some_and(|watch| watch.is_held())
}
