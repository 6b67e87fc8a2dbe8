//! The `bproxy` binary.
fn main() {}
