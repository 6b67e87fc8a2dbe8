//! The verb that gives files to a page.

use std::path::PathBuf;

use clap::Args;

use super::every_act::EveryAct;
use super::global_args::Globals;
use super::spinner::Spinner;
use super::target::RequiredTarget;
use super::{Error, Outcome, call};
use crate::agent;
use crate::client::{CancelToken, LocalFile};
use crate::protocol::{self, FileHandle, FileHandles};

/// Give files to a page: to a field for files, a drop zone, or a button that asks for files
#[derive(Args)]
#[command(
    after_help = "Examples:\n  bproxy upload --element el3 --file report.pdf -s m4q7z2\n  bproxy upload --selector '#photos' --drop --file one.png two.png -s m4q7z2"
)]
pub(super) struct Upload {
    #[command(flatten)]
    target: RequiredTarget,

    /// The files, at most 20; each has at most 1 GiB
    #[arg(long = "file", value_name = "PATH", required = true, num_args = 1..)]
    files: Vec<PathBuf>,

    /// Drop them on the element, even if it is, or contains, a field for files
    #[arg(long)]
    drop: bool,

    #[command(flatten)]
    every: EveryAct,
}

impl Upload {
    pub(super) fn run(self, globals: &Globals) -> Result<Outcome, Error> {
        let Upload { target, files, drop, every } = self;
        let flag = |problem| Error::Flag { flag: "--file", problem };
        // Before anything is sent: one that cannot be read keeps all of them.
        let names = (1..).take(files.len()).map(FileHandle::new).collect::<Vec<_>>();
        let names = FileHandles::try_from(names).map_err(flag)?;
        let opened: Result<Vec<_>, _> = files.iter().map(|path| LocalFile::open(path)).collect();
        let mut opened = opened.map_err(flag)?;
        let session = globals.session();
        // Without a session there is nobody to give them to: the daemon says so.
        let files = match session {
            "" => names,
            _ => {
                let client = globals.client()?;
                let give =
                    |file: &mut LocalFile| client.give_file(&CancelToken::default(), session, file);
                let limit = globals.timeout();
                match agent::give_files(&mut opened, session, limit, Spinner::new(), give)? {
                    Ok(given) => FileHandles::try_from(given).map_err(flag)?,
                    Err(refused) => return call::show_answer(globals, refused),
                }
            }
        };
        let (dialog, then) = every.given();
        let drop = drop.then_some(true);
        let upload = protocol::Upload { target: target.named(), files, drop, dialog, then };
        call::show(globals, &upload.into())
    }
}
