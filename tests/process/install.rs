//! What `extension install`, `skill install` and `man` write, and what they leave alone.

use std::fs;
use std::os::unix::fs::{FileTypeExt, symlink};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};

use crate::support::{Call, Home, bproxy, call, run, skipped};

/// A file that is somebody's own.
const DIARY: &str = "dear diary";

/// A folder for one test, and a state directory that has nothing to do with it.
struct Place {
    home: Home,
    root: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        Self { home: Home::new(), root: tempfile::tempdir().expect("a directory") }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    async fn run(&self, args: &[&str]) -> Call {
        let mut command = bproxy(&self.home.path());
        command.current_dir(self.root.path()).args(args);
        call(command, None).await
    }

    /// The three ways to write into `folder`, each with the path of one file that it writes there.
    fn writers<'a>(&self, folder: &'a str) -> [(Vec<&'a str>, PathBuf); 3] {
        [
            (vec!["extension", "install", folder], self.path(folder).join("background.js")),
            (vec!["man", folder], self.path(folder).join("man1/bproxy.1")),
            (
                vec!["skill", "install", "--agent", "claude", folder],
                self.path(folder).join(".claude/skills/bproxy/SKILL.md"),
            ),
        ]
    }

    /// Every path below the root, with what a file holds and where a link leads.
    fn tree(&self) -> Vec<(PathBuf, String)> {
        let mut found = Vec::new();
        walk(self.root.path(), &mut found);
        found.sort();
        found
    }
}

fn walk(folder: &Path, found: &mut Vec<(PathBuf, String)>) {
    for entry in fs::read_dir(folder).expect("a folder").flatten() {
        let (path, kind) = (entry.path(), entry.file_type().expect("a kind"));
        let content = match kind {
            _ if kind.is_dir() => {
                walk(&path, found);
                String::new()
            }
            _ if kind.is_symlink() => fs::read_link(&path).expect("a link").display().to_string(),
            _ if kind.is_file() => {
                String::from_utf8_lossy(&fs::read(&path).expect("a file")).into()
            }
            _ => "special".to_owned(),
        };
        found.push((path, content));
    }
}

fn mkfifo(path: &Path) {
    let mode = rustix::fs::Mode::from_raw_mode(0o600);
    rustix::fs::mknodat(rustix::fs::CWD, path, rustix::fs::FileType::Fifo, mode, 0)
        .expect("a named pipe");
}

#[tokio::test]
async fn a_file_in_place_of_the_folder_is_kept_and_named() {
    let place = Place::new();
    fs::write(place.path("diary"), DIARY).expect("a file");
    for (args, _) in place.writers("diary") {
        let refused = place.run(&args).await;
        let reason = refused.trouble();
        assert!(reason.contains("/diary is a file") && reason.contains("name another"), "{reason}");
        assert_eq!(fs::read_to_string(place.path("diary")).expect("a file"), DIARY);
    }
}

#[tokio::test]
async fn nothing_is_written_through_a_link() {
    for dangling in [false, true] {
        let place = Place::new();
        for (number, (args, file)) in place.writers("target").into_iter().enumerate() {
            // The file itself, in a folder that is bproxy's.
            assert_eq!(place.run(&args).await.code, 0, "{args:?}");
            let victim = place.path(&format!("victim{number}"));
            if !dangling {
                fs::write(&victim, DIARY).expect("a file");
            }
            fs::remove_file(&file).expect("a file");
            symlink(&victim, &file).expect("a link");
            let before = place.tree();
            let refused = place.run(&args).await;
            let name = file.display().to_string();
            assert!(
                refused.trouble().contains(&format!("{name} is a symbolic link")),
                "{refused:?}"
            );
            assert_eq!(place.tree(), before, "{args:?}");
            fs::remove_dir_all(place.path("target")).expect("a folder");
        }
    }
}

#[tokio::test]
async fn a_link_in_place_of_the_folder_or_of_one_on_the_way_is_refused() {
    let place = Place::new();
    fs::create_dir(place.path("elsewhere")).expect("a folder");
    symlink("elsewhere", place.path("link")).expect("a link");
    for args in [["extension", "install", "link"].as_slice(), &["man", "link"], &["man", "link/"]] {
        let refused = place.run(args).await;
        assert!(refused.trouble().contains("/link is a symbolic link"), "{args:?}: {refused:?}");
    }
    // A project that somebody else has made leads out of itself.
    for (project, link) in
        [("a", ".claude"), ("b", ".claude/skills"), ("c", ".claude/skills/bproxy")]
    {
        let link = place.path(project).join(link);
        fs::create_dir_all(link.parent().expect("a parent")).expect("folders");
        symlink(place.path("elsewhere"), &link).expect("a link");
        let refused = place.run(&["skill", "install", "--agent", "claude", project]).await;
        let reason = format!("{} is a symbolic link", link.display());
        assert!(refused.trouble().contains(&reason), "{refused:?}");
    }
    let mut inside = fs::read_dir(place.path("elsewhere")).expect("a folder");
    assert!(inside.next().is_none());
    // A link to the project, or above the folder, is the person's own.
    assert_eq!(place.run(&["skill", "install", "--agent", "any", "link"]).await.code, 0);
    assert_eq!(place.run(&["man", "link/man"]).await.code, 0);
    assert!(place.path("elsewhere/man/man1/bproxy.1").exists());
}

#[tokio::test]
async fn pipes_devices_sockets_and_folders_are_refused_at_once() {
    let place = Place::new();
    let zero = PathBuf::from("/dev/zero");
    for (args, file) in place.writers("target") {
        fs::create_dir_all(file.parent().expect("a parent")).expect("folders");
        let is_extension = args[0] == "extension";
        for kind in ["a named pipe", "a socket", "a folder", "a symbolic link"] {
            if is_extension {
                assert_eq!(place.run(&args).await.code, 0);
                fs::remove_file(&file).expect("a file");
            }
            match kind {
                "a named pipe" => mkfifo(&file),
                "a socket" => drop(UnixListener::bind(&file).expect("a socket")),
                "a folder" => fs::create_dir(&file).expect("a folder"),
                _ => symlink(&zero, &file).expect("a link"),
            }
            let before = place.tree();
            let refused = place.run(&args).await;
            let reason = format!("{} is {kind}", file.display());
            assert!(refused.trouble().contains(&reason), "{refused:?}");
            assert_eq!(place.tree(), before, "{args:?} {kind}");
            match kind {
                "a folder" => fs::remove_dir(&file).expect("a folder"),
                _ => fs::remove_file(&file).expect("an entry"),
            }
        }
    }
    for args in [["extension", "install", "/dev/zero"].as_slice(), &["man", "/dev/zero"]] {
        let refused = place.run(args).await;
        assert!(refused.trouble().contains("/dev/zero is a device"), "{refused:?}");
    }
    assert!(fs::metadata(&zero).expect("the device").file_type().is_char_device());
}

#[tokio::test]
async fn the_version_of_an_extension_is_asked_for_without_waiting_for_a_pipe() {
    let home = Home::new();
    fs::create_dir_all(home.file("extension")).expect("a folder");
    mkfifo(&home.file("extension/manifest.json"));
    let found = run(&home, &["extension", "path"]).await.json();
    assert_eq!((&found["current"], &found["installedVersion"]), (&false.into(), &().into()));
}

#[tokio::test]
async fn files_that_are_not_bproxys_are_neither_replaced_nor_removed() {
    let place = Place::new();
    // Beside the extension, whichever version installed it.
    let extension = ["extension", "install", "extension"];
    for _ in 0..2 {
        assert_eq!(place.run(&extension).await.code, 0);
        fs::write(place.path("extension/diary"), DIARY).expect("a file");
        fs::write(place.path("extension/page/diary"), DIARY).expect("a file");
    }
    assert_eq!(place.run(&extension).await.code, 0);
    for diary in ["extension/diary", "extension/page/diary"] {
        assert_eq!(fs::read_to_string(place.path(diary)).expect("a file"), DIARY);
    }
    // A name alone proves nothing.
    fs::create_dir(place.path("other")).expect("a folder");
    let manifest = r#"{"manifest_version":3,"name":"bproxy","version":"0.0.1"}"#;
    fs::write(place.path("other/manifest.json"), manifest).expect("a file");
    fs::write(place.path("other/background.js"), DIARY).expect("a file");
    let before = place.tree();
    let refused = place.run(&["extension", "install", "other"]).await;
    assert!(refused.trouble().contains("is not this extension"), "{refused:?}");
    assert_eq!(place.tree(), before);
    // Another program's page, another skill, in the places of bproxy's.
    for (args, file) in &place.writers("third")[1..] {
        fs::create_dir_all(file.parent().expect("a parent")).expect("folders");
        fs::write(file, DIARY).expect("a file");
        let before = place.tree();
        let refused = place.run(args).await;
        let reason = format!("{} was not written by bproxy", file.display());
        assert!(refused.trouble().contains(&reason), "{refused:?}");
        assert_eq!(place.tree(), before);
    }
}

#[tokio::test]
async fn an_installation_twice_leaves_the_same_as_once() {
    let place = Place::new();
    for (args, file) in place.writers("target") {
        assert_eq!(place.run(&args).await.code, 0, "{args:?}");
        let once = place.tree();
        assert!(file.exists());
        assert_eq!(place.run(&args).await.code, 0, "{args:?}");
        assert_eq!(place.tree(), once);
        fs::remove_dir_all(place.path("target")).expect("a folder");
    }
}

/// Runs a script as root of a mount namespace in which `$0` is a file system of its own with these options. `$1` is the
/// program.
#[cfg(target_os = "linux")]
async fn in_a_mount(options: &str, script: &str) -> Call {
    let home = Home::new();
    let mut command = tokio::process::Command::new("unshare");
    if !rustix::process::geteuid().is_root() {
        command.arg("--map-root-user");
    }
    let mount = format!("mount -t tmpfs -o {options} tmpfs \"$0\" && {script}");
    command
        .args(["--mount", "--propagation=private", "sh", "-c", &mount])
        .arg(home.path())
        .arg(env!("CARGO_BIN_EXE_bproxy"))
        .env("HOME", home.path())
        .stdin(std::process::Stdio::null())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .kill_on_drop(true);
    call(command, None).await
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn on_a_full_disk_or_a_read_only_one_an_installation_changes_nothing() {
    // Each installs into an empty file system, then over an older installation.
    let verbs = [
        ("extension install \"$0/x\"", "x/background.js"),
        ("man \"$0/x\"", "x/man1/bproxy.1"),
        ("skill install --agent any \"$0\"", ".agents/skills/bproxy/SKILL.md"),
    ];
    for (verb, file) in verbs {
        let full = format!(
            "cd \"$0\" && dd if=/dev/zero of=filler bs=4k 2>/dev/null; \"$1\" {verb}; echo $?; find . | sort"
        );
        let ran = in_a_mount("size=64k", &full).await;
        assert!(ran.stderr.contains("No space left"), "{verb}: {ran:?}");
        assert_eq!(ran.stdout, "2\n.\n./filler\n", "{verb}: {ran:?}");

        let older = format!(
            "cd \"$0\" && \"$1\" {verb} >/dev/null 2>&1; sed -i 's/bproxy 0/bproxy  0/' {file}; \
             dd if=/dev/zero of=filler bs=4k 2>/dev/null; find . -type f | sort | xargs cksum >/tmp/before.$$; \
             \"$1\" {verb}; echo $?; find . -type f | sort | xargs cksum | diff /tmp/before.$$ - && echo same; \
             rm /tmp/before.$$"
        );
        let ran = in_a_mount("size=2m", &older).await;
        assert!(ran.stderr.contains("No space left"), "{verb}: {ran:?}");
        assert_eq!(ran.stdout, "2\nsame\n", "{verb}: {ran:?}");

        let locked = format!(
            "cd \"$0\" && \"$1\" {verb} >/dev/null 2>&1; mount -o remount,ro \"$0\"; \"$1\" {verb}; echo $?; ls {file}"
        );
        let ran = in_a_mount("size=2m", &locked).await;
        assert!(ran.stderr.contains("Read-only file system"), "{verb}: {ran:?}");
        assert_eq!(ran.stdout, format!("2\n{file}\n"), "{verb}: {ran:?}");
    }
}

#[tokio::test]
async fn a_folder_that_may_not_be_written_to_keeps_an_installation_from_beginning() {
    let place = Place::new();
    assert_eq!(place.run(&["extension", "install", "extension"]).await.code, 0);
    fs::write(place.path("extension/background.js"), "older").expect("a file");
    let page = place.path("extension/page");
    // Root may write anywhere but into what is immutable; others need only the mode.
    let lock = |on: bool| {
        let (program, args) = match (rustix::process::geteuid().is_root(), on) {
            (true, true) => ("chattr", "+i"),
            (true, false) => ("chattr", "-i"),
            (false, true) => ("chmod", "555"),
            (false, false) => ("chmod", "755"),
        };
        std::process::Command::new(program)
            .arg(args)
            .arg(&page)
            .stderr(std::process::Stdio::null())
            .status()
            .is_ok_and(|status| status.success())
    };
    if !lock(true) {
        return skipped("nothing can be made immutable here");
    }
    let before = place.tree();
    let refused = place.run(&["extension", "install", "extension"]).await;
    let after = place.tree();
    lock(false);
    assert!(refused.trouble().contains("page"), "{refused:?}");
    assert_eq!(after, before);
}
