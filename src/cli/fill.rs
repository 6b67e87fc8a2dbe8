//! `fill` and `fill-form`: values into fields, from flags, files or standard input.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use clap::Args;

use super::Error;
use super::every_act::EveryAct;
use super::global_args::word;
use super::target::RequiredTarget;
use crate::protocol::{self, Action, Fields, FillMethod, MAX_BODY_BYTES, World};

/// Fill a field
#[derive(Args)]
#[command(after_help = "Examples:\n  bproxy fill --selector '#name' --value Ada -s m4q7z2\n  \
    bproxy fill --element el4 --value-file letter.txt -s m4q7z2\n  \
    printf %s hello | bproxy fill --element el4 --value-stdin -s m4q7z2")]
pub(super) struct Fill {
    #[command(flatten)]
    target: RequiredTarget,

    #[command(flatten)]
    value: Value,

    /// How to enter the value [default: auto, the way that the field takes]
    #[arg(long, value_name = "METHOD", value_parser = word::<FillMethod>(FillMethod::WORDS))]
    method: Option<FillMethod>,

    /// The JavaScript world to do it in [default: main for runtime-api, otherwise isolated]
    #[arg(long, value_name = "WORLD", value_parser = word::<World>(World::WORDS))]
    world: Option<World>,

    /// Stay in the field afterwards
    #[arg(long)]
    keep_focus: bool,

    #[command(flatten)]
    every: EveryAct,
}

#[derive(Args)]
#[group(required = true, multiple = false)]
struct Value {
    /// The value
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    value: Option<String>,

    /// A file with the value, used unchanged and kept out of the answer
    #[arg(long, value_name = "FILE")]
    value_file: Option<PathBuf>,

    /// Read the value from standard input, use it unchanged, and keep it out of the answer
    #[arg(long)]
    value_stdin: bool,
}

impl Fill {
    pub(super) fn action(self) -> Result<Action, Error> {
        let Fill { target, value, method, world, keep_focus, every } = self;
        let (dialog, then) = every.given();
        // Whoever does not write the value into the command line does not want to read it in the answer either.
        let (value, private) = match value {
            Value { value: Some(text), .. } => (text, None),
            Value { value_file: Some(path), .. } => (read_file("--value-file", &path)?, Some(true)),
            Value { .. } => (read_text("--value-stdin", io::stdin())?, Some(true)),
        };
        let blur = keep_focus.then_some(false);
        let target = target.named();
        Ok(protocol::Fill { target, value, method, world, blur, private, dialog, then }.into())
    }
}

/// Fill several fields, one after the other
///
/// The fields are a JSON list, each as
/// {"target":{"selector":CSS},"value":TEXT}; a target may also be {"handle":"el1"}, and "method", "world" and "blur":false
/// say what the flags of fill do.
/// "private":true keeps a value out of the answer; it is the default for fields from a file or standard input.
#[derive(Args)]
#[command(after_help = "Examples:\n  \
    bproxy fill-form --json '[{\"target\":{\"selector\":\"#a\"},\"value\":\"x\"}]' -s m4q7z2\n  \
    bproxy fill-form --file fields.json -s m4q7z2")]
pub(super) struct FillForm {
    #[command(flatten)]
    fields: Source,

    #[command(flatten)]
    every: EveryAct,
}

#[derive(Args)]
#[group(required = true, multiple = false)]
struct Source {
    /// The fields
    #[arg(long, value_name = "JSON")]
    json: Option<String>,

    /// A file with the fields
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,

    /// Read the fields from standard input
    #[arg(long)]
    stdin: bool,
}

impl FillForm {
    pub(super) fn action(self) -> Result<Action, Error> {
        let (flag, json, private) = match self.fields {
            Source { json: Some(json), .. } => ("--json", json, None),
            Source { file: Some(path), .. } => ("--file", read_file("--file", &path)?, Some(true)),
            Source { .. } => ("--stdin", read_text("--stdin", io::stdin())?, Some(true)),
        };
        let mut fields = parse_fields(&json).map_err(|problem| Error::Flag { flag, problem })?;
        for field in fields.iter_mut() {
            field.private = field.private.or(private);
        }
        let (dialog, then) = self.every.given();
        Ok(protocol::FillForm { fields, dialog, then }.into())
    }
}

fn parse_fields(json: &str) -> Result<Fields, String> {
    let mut json = serde_json::Deserializer::from_str(json);
    let fields = serde_path_to_error::deserialize(&mut json)
        .map_err(|error| format!("`{}`: {}", error.path(), error.inner()))?;
    json.end().map_err(|error| error.to_string())?;
    Ok(fields)
}

pub(super) fn read_file(flag: &'static str, path: &Path) -> Result<String, Error> {
    let file = File::open(path).map_err(|error| Error::Flag {
        flag,
        problem: format!("cannot read {}: {error}", path.display()),
    })?;
    read_text(flag, file)
}

/// Reads all of `source`, up to the size of a request.
pub(super) fn read_text(flag: &'static str, source: impl Read) -> Result<String, Error> {
    let mut text = String::new();
    let read = source.take(MAX_BODY_BYTES as u64 + 1).read_to_string(&mut text);
    let problem = match read {
        Ok(length) if length <= MAX_BODY_BYTES => return Ok(text),
        Ok(_) => format!("this is larger than a request may be ({MAX_BODY_BYTES} bytes)"),
        Err(error) if error.kind() == io::ErrorKind::InvalidData => {
            "this is not UTF-8 text".to_owned()
        }
        Err(error) => format!("cannot read it: {error}"),
    };
    Err(Error::Flag { flag, problem })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_a_list_and_a_fault_is_named_with_its_place() {
        let good =
            r##"[{"target":{"selector":"#a"},"value":"x","method":"direct","world":"isolated"}]"##;
        assert_eq!(parse_fields(good).unwrap().len(), 1);
        for (bad, place) in [
            ("[]", "1 to 100"),
            (r##"[{"target":{"selector":"#a"},"method":"direct"}]"##, "`value`"),
            (
                r##"[{"target":{"selector":"#a"},"value":1,"method":"direct","world":"main"}]"##,
                "[0].value",
            ),
            ("{}", "sequence"),
            (&format!("{good}]"), "trailing"),
        ] {
            let problem = parse_fields(bad).unwrap_err();
            assert!(problem.contains(place), "{problem}");
        }
    }

    #[test]
    fn a_value_is_used_unchanged_if_it_fits_into_a_request() {
        assert_eq!(read_text("--value-stdin", &b"a\n"[..]).unwrap(), "a\n");
        let problem = |bytes: &[u8]| read_text("--value-stdin", bytes).unwrap_err().to_string();
        assert!(problem(b"\xff").contains("UTF-8"));
        assert!(problem(&vec![b'x'; MAX_BODY_BYTES + 1]).contains("1048576"));
    }
}
