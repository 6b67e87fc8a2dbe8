//! Probes of this program and its machine.

use std::fs;
use std::time::{Duration, SystemTime};

use super::{Failure, Probe};
use crate::protocol;

/// Clocks that are set by hand, or to another time zone, are off by a day at most.
const CLOCK_LEEWAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Whether this binary is still the installed one: an upgrade may have removed it.
pub(in crate::service::doctor) fn program() -> Probe {
    let other = "run the one that `which bproxy` names";
    let path = std::env::current_exe().map_err(|error| {
        Failure::for_person(format!("cannot find this program: {error}"), other)
    })?;
    let detail = format!(
        "bproxy {}, protocol {}, {}",
        env!("CARGO_PKG_VERSION"),
        protocol::VERSION,
        path.display()
    );
    match path.exists() {
        true => Ok((detail, ())),
        false => Err(Failure::for_person(format!("{detail} is no longer there"), other)),
    }
}

/// Whether the clock is plausible: requests carry their deadlines as absolute times.
pub(in crate::service::doctor) fn clock() -> Probe {
    let built = std::env::current_exe().and_then(fs::metadata).and_then(|file| file.modified());
    let now = SystemTime::now();
    match built {
        Ok(built) if now + CLOCK_LEEWAY < built => Err(Failure::new(
            "the clock is behind: this program's file has a later date",
            "sudo timedatectl set-ntp true",
        )),
        _ => Ok(("not behind this program's file".into(), ())),
    }
}
