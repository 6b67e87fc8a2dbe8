//! The daemon over HTTP and WebSocket, with an extension that answers as the test says; and quick checks of the
//! repository itself. `make check` runs all of these, so none of them waits for seconds.

mod actions;
mod audit;
mod contract;
mod docs;
mod events;
mod files;
mod forwarding;
mod fuzz;
mod gate;
mod handles;
mod hostile;
mod identity;
mod library;
mod local;
mod observability;
mod outliving;
mod pairing;
mod person;
mod properties;
mod protocol;
mod references;
mod robustness;
mod sessions;
#[path = "../support/mod.rs"]
mod support;
mod then;
mod welcome;
