//! The pages that reading is measured on: documentation, admin templates, component galleries, widgets. They come from
//! packages, and are laid out by `tests/corpus/build`.

use std::path::{Path, PathBuf};

/// Where everything is that was made from packages.
pub(super) fn folder() -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/corpus");
    assert!(folder.join("site/govuk.html").exists(), "no corpus: run `make corpus` first");
    folder
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
