//! What an action acts on: a selector, a route, a handle.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &str| bproxy_fuzz::target(data));
