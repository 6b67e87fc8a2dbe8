//! Fuzzes targets of actions: selectors, routes, handles.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &str| bproxy_fuzz::target(data));
