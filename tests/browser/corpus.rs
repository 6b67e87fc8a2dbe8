//! The pages that reading is measured on: documentation, admin templates, component galleries, widgets. They come from
//! packages, and are laid out by `tests/corpus/build`.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde_json::Value;
use tokio::process::Command;

/// Where everything is that was made from packages.
pub(super) fn folder() -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/corpus");
    assert!(folder.join("site/govuk.html").exists(), "no corpus: run `make corpus` first");
    folder
}

/// What a script of the other tools' prints, a line of JSON each. They work in this folder.
pub(super) async fn peers(script: &str, work: &Path, args: &[&str]) -> Vec<Value> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus/peers");
    let installed = folder.join("node_modules").exists();
    assert!(installed, "no peers: run `make tokens` or `make tasks` with PEERS=1");
    let output = Command::new("node")
        .arg(folder.join(script))
        .arg("/usr/bin/chromium")
        .args(args)
        .current_dir(work)
        .stderr(Stdio::inherit())
        .kill_on_drop(true)
        .output()
        .await
        .expect("node runs");
    assert!(output.status.success(), "{output:?}");
    let lines = String::from_utf8(output.stdout).expect("UTF-8");
    lines.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

/// Documentation, by its address in the site.
pub(super) const DOCUMENTATION: [&str; 9] = [
    "debian/debian-reference/ch02.en.html",
    "debian/doc/git-doc/git-rebase.html",
    "debian/doc/nodejs/api/path.html",
    "debian/doc/nodejs/api/fs.html",
    "debian/doc/postgresql-doc-15/html/functions-string.html",
    "debian/doc/postgresql-doc-15/html/sql-select.html",
    "debian/doc/python3.11/html/library/functions.html",
    "debian/doc/python3.11/html/index.html",
    "debian/doc/sqlite3/lang_select.html",
];

/// Admin templates and galleries of components.
pub(super) const TEMPLATES: [&str; 16] = [
    "govuk.html",
    "npm/startbootstrap-sb-admin-2/buttons.html",
    "npm/startbootstrap-sb-admin-2/index.html",
    "npm/startbootstrap-sb-admin-2/register.html",
    "npm/startbootstrap-sb-admin-2/tables.html",
    "npm/uikit/tests/accordion.html",
    "npm/uikit/tests/form.html",
    "npm/uikit/tests/nav.html",
    "npm/uikit/tests/table.html",
    "production/file_manager.html",
    "production/form.html",
    "production/form_wizards.html",
    "production/inbox.html",
    "production/index.html",
    "production/tables_dynamic.html",
    "production/user_management.html",
];

/// Widgets of component libraries, and editors.
pub(super) const WIDGETS: [&str; 20] = [
    "editors/lexical.html",
    "editors/monaco.html",
    "editors/quill.html",
    "widgets/antd.html",
    "widgets/board.html",
    "widgets/calendar.html",
    "widgets/chat.html",
    "widgets/checkout.html",
    "widgets/editors.html",
    "widgets/elements.html",
    "widgets/files.html",
    "widgets/headless.html",
    "widgets/lists.html",
    "widgets/map.html",
    "widgets/menubar.html",
    "widgets/mui.html",
    "widgets/plain.html",
    "widgets/sheet.html",
    "widgets/vue.html",
    "widgets/wizard.html",
];
