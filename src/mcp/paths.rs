//! Files that a model names by their paths: only those below the folders that the client says it works in, or else below the
//! one that this server was started in.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::Duration;

use percent_encoding::percent_decode_str;
use rmcp::model::{JsonObject, ProtocolVersion};
use rmcp::service::RequestContext;
use rmcp::{Peer, RoleServer};
use schemars::{JsonSchema, Schema};
use serde::Deserialize;
use serde_json::{Value, json};

use super::arguments::parse;
use crate::client::LocalFile;
use crate::protocol::{Facts, MAX_FILES, schema_of};

/// The parameter of actions that names files of a session; models name paths instead.
const FILES: &str = "files";

/// How long the client may take to say which folders it works in.
const ROOTS_TIME: Duration = Duration::from_secs(5);

/// The files of a call.
#[derive(Deserialize, JsonSchema)]
pub(super) struct Paths {
    /// The paths of the files, 1 to 20; only those below the folders that the client works in.
    #[schemars(length(min = 1, max = 20))]
    paths: Vec<PathBuf>,
}

impl Paths {
    /// Whether the tool takes paths.
    pub(super) fn are_taken(facts: &Facts) -> bool {
        let schema = (facts.params)();
        schema.get("properties").is_some_and(|properties| properties.get(FILES).is_some())
    }

    /// Has a tool take paths in place of the session's files, if it takes those.
    pub(super) fn in_place(schema: &mut Schema) {
        let schema = schema.ensure_object();
        let properties = schema.get_mut("properties").and_then(Value::as_object_mut);
        let Some(properties) = properties else { return };
        if properties.remove(FILES).is_none() {
            return;
        }
        if let Some(Value::Object(paths)) = schema_of::<Self>().get("properties") {
            properties.extend(paths.clone());
        }
        let required = schema.get_mut("required").and_then(Value::as_array_mut);
        let required = required.into_iter().flatten();
        required.filter(|name| *name == FILES).for_each(|name| *name = "paths".into());
    }

    /// Takes the paths out of the arguments, and puts as many names in their place, until the files have their own.
    pub(super) fn take(arguments: &mut JsonObject) -> Result<Vec<PathBuf>, String> {
        if arguments.contains_key(FILES) {
            return Err(format!("`params.{FILES}`: name the files by `paths`"));
        }
        let paths = arguments.remove_entry("paths").into_iter().collect();
        let Self { paths } = parse(paths)?;
        if !(1..=MAX_FILES).contains(&paths.len()) {
            return Err(format!("`params.paths`: expected 1 to {MAX_FILES}, got {}", paths.len()));
        }
        let names = (1..=paths.len()).map(|number| json!(format!("fl{number}")));
        arguments.insert(FILES.to_owned(), names.collect());
        Ok(paths)
    }
}

/// The client, as far as it says which folders it works in.
#[derive(Default)]
pub(super) struct Folders(OnceLock<Option<Peer<RoleServer>>>);

impl Folders {
    /// Remembers the client of this call.
    pub(super) fn know(&self, context: &RequestContext<RoleServer>) {
        self.0.get_or_init(|| {
            // Later versions of the protocol let no server ask.
            let asks = context
                .protocol_version()
                .is_none_or(|version| version < ProtocolVersion::V_2026_07_28);
            let tells = context.client_capabilities().is_some_and(|it| it.roots.is_some());
            (asks && tells).then(|| context.peer.clone())
        });
    }

    /// Opens files, if all of them are where they may be. The error is for the model to read.
    pub(super) async fn open(&self, paths: &[PathBuf]) -> Result<Vec<LocalFile>, String> {
        let folders = self.folders().await?;
        paths.iter().map(|path| open(path, &folders)).collect()
    }

    #[allow(deprecated)] // as long as clients say it in no other way
    async fn folders(&self) -> Result<Vec<PathBuf>, String> {
        let Some(Some(client)) = self.0.get() else { return working_folder() };
        let listed = tokio::time::timeout(ROOTS_TIME, client.list_roots()).await;
        let Ok(Ok(listed)) = listed else {
            return Err(
                "the client did not say which folders it works in, so no file was read".into()
            );
        };
        match listed.roots.is_empty() {
            true => working_folder(),
            false => Ok(listed.roots.iter().filter_map(|root| folder_of(&root.uri)).collect()),
        }
    }
}

/// The folder that a root names.
fn folder_of(uri: &str) -> Option<PathBuf> {
    let path = uri.strip_prefix("file://")?.trim_start_matches("localhost");
    let path = percent_decode_str(path).decode_utf8().ok()?;
    Path::new(&*path).canonicalize().ok()
}

/// The folder that this server works in, unless that holds far more than a task's files.
fn working_folder() -> Result<Vec<PathBuf>, String> {
    let folder = std::env::current_dir().and_then(|folder| folder.canonicalize());
    let folder = folder.map_err(|error| format!("the server's folder is not there: {error}"))?;
    let home = std::env::var_os("HOME").and_then(|home| PathBuf::from(home).canonicalize().ok());
    if folder.parent().is_none() || home.is_some_and(|home| home == folder) {
        return Err(format!(
            "no file may be given from {}: the client has to say which folders it works in (roots), or to start this server in \
             one of them",
            folder.display()
        ));
    }
    Ok(vec![folder])
}

fn open(path: &Path, folders: &[PathBuf]) -> Result<LocalFile, String> {
    let base = folders.first().ok_or("the client works in no folder of this machine")?;
    let outside = || {
        let names: Vec<_> = folders.iter().map(|folder| folder.display().to_string()).collect();
        let (path, names) = (path.display(), names.join(", "));
        format!(
            "{path} is not below a folder that the client works in ({names}): no file was given"
        )
    };
    // Whether something is there is told of these folders alone.
    let path = base.join(path);
    let file = LocalFile::open(&path);
    let real = match &file {
        Ok(file) => file.real_path().ok(),
        Err(_) => resolved(&path),
    };
    match real {
        Some(real) if folders.iter().any(|folder| real.starts_with(folder)) => file,
        _ => Err(outside()),
    }
}

/// A path with all links resolved, whether there is something at it or not.
fn resolved(path: &Path) -> Option<PathBuf> {
    let within = || Some(path.parent()?.canonicalize().ok()?.join(path.file_name()?));
    path.canonicalize().ok().or_else(within)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn only_files_below_the_folders_are_opened_wherever_links_lead() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path().canonicalize().unwrap();
        let (work, other) = (root.join("work"), root.join("work-other"));
        for folder in [&work, &other] {
            fs::create_dir_all(folder.join("in")).unwrap();
            fs::write(folder.join("in/a.txt"), "x").unwrap();
        }
        symlink(other.join("in/a.txt"), work.join("link")).unwrap();
        symlink(&other, work.join("folder")).unwrap();
        symlink(work.join("in"), other.join("back")).unwrap();
        let folders = [work.clone()];
        let opens = |path: &Path| open(path, &folders);
        for good in [Path::new("in/a.txt"), &work.join("in/../in/a.txt"), &other.join("back/a.txt")]
        {
            assert!(opens(good).is_ok(), "{}", good.display());
        }
        let bad = [
            "../work-other/in/a.txt",
            "link",
            "folder/in/a.txt",
            "/etc/passwd",
            "../none",
            "/none",
        ];
        for bad in bad.map(Path::new) {
            assert!(opens(bad).unwrap_err().contains("is not below"), "{}", bad.display());
        }
        assert!(opens(Path::new("none")).unwrap_err().contains("cannot be opened"));
        assert!(opens(Path::new("in")).unwrap_err().contains("is no file"));
        assert!(open(Path::new("a"), &[]).is_err());
    }

    #[test]
    fn a_root_is_a_folder_of_this_machine() {
        let folder = tempfile::tempdir().unwrap();
        let odd = folder.path().canonicalize().unwrap().join("two words %");
        fs::create_dir(&odd).unwrap();
        let uri = format!("file://{}", odd.display()).replace('%', "%25").replace(' ', "%20");
        assert_eq!(folder_of(&uri), Some(odd));
        assert_eq!(folder_of("https://example.org/"), None);
    }
}
