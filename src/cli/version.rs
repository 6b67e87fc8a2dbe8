//! The output of `--version`: after name and version, which is all that `-V` prints, the facts that a bug report needs.

use std::sync::LazyLock;

use crate::protocol;

/// Version, protocol, commit and target. All of it was known when the program was built.
pub(super) fn long() -> &'static str {
    static TEXT: LazyLock<String> = LazyLock::new(|| {
        format!(
            "{}\nprotocol: {}\ncommit: {}\ntarget: {}",
            env!("CARGO_PKG_VERSION"),
            protocol::VERSION,
            env!("BPROXY_COMMIT"),
            env!("BPROXY_TARGET"),
        )
    });
    &TEXT
}
