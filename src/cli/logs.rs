//! `service logs`: the daemon's log, as it was written.

use std::io;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use clap::Args;

use super::global_args::Globals;
use super::{Error, Outcome, output};
use crate::config::Config;
use crate::home::Home;
use crate::service::logs::{self, Query};

/// Show the daemon's log, from its files and from the journal
///
/// One line of JSON for each record, oldest first. With -s, the records of that session and of its requests.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  bproxy service logs --since 10m\n  bproxy service logs --id 01HZX9C2K8\n  bproxy service logs -f"
)]
pub(super) struct Logs {
    /// Show new records as they are written, after the latest 10 or those asked for
    #[arg(short, long)]
    follow: bool,
    /// Only records of the request with this id
    #[arg(long, value_name = "ID")]
    id: Option<String>,
    /// Only records since then: 30s, 10m, 2h or 3d ago, or a time in Unix milliseconds
    #[arg(long, value_name = "T", value_parser = time)]
    since: Option<u64>,
}

impl Logs {
    pub(super) fn run(self, globals: &Globals) -> Result<Outcome, Error> {
        let session = Some(globals.session()).filter(|session| !session.is_empty());
        let wanted = Query { id: self.id, session: session.map(str::to_owned), since: self.since };
        let path = globals.home_path()?;
        if let Some(home) = Home::find(&path)? {
            let choice = Config::from_env(Some(&path))?.log;
            let mut out = io::BufWriter::new(io::stdout().lock());
            logs::show(&home, choice, wanted, self.follow, &mut out, output::say)?;
        }
        Ok(Outcome::Done)
    }
}

/// Parses a time, into Unix milliseconds.
fn time(text: &str) -> Result<u64, String> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    time_at(text, now).ok_or_else(|| {
        "expected a number with s, m, h or d after it, such as 10m, or Unix milliseconds".into()
    })
}

fn time_at(text: &str, now: Duration) -> Option<u64> {
    let number = text.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
    let count: u64 = number.parse().ok()?;
    let seconds = match &text[number.len()..] {
        "" => return Some(count),
        "s" => 1,
        "m" => 60,
        "h" => 60 * 60,
        "d" => 24 * 60 * 60,
        _ => return None,
    };
    let ago = Duration::from_secs(count.checked_mul(seconds)?);
    Some(now.saturating_sub(ago).as_millis() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_a_duration_ago_or_absolute() {
        let now = Duration::from_secs(1_000_000);
        for (text, expected) in [
            ("1714000030000", Some(1_714_000_030_000)),
            ("30s", Some(999_970_000)),
            ("10m", Some(999_400_000)),
            ("2h", Some(992_800_000)),
            ("1d", Some(913_600_000)),
            ("99d", Some(0)),
            ("", None),
            ("m", None),
            ("10", Some(10)),
            ("10w", None),
            ("-1s", None),
            ("yesterday", None),
            ("99999999999999999999d", None),
            ("9999999999999999999d", None),
        ] {
            assert_eq!(time_at(text, now), expected, "{text}");
        }
    }
}
