//! What people install and what a release is made of. `make test-release` makes it, then runs these.

mod adding_an_action;
mod install;
mod mcp;
mod packages;
mod release;
#[path = "../support/mod.rs"]
mod support;
