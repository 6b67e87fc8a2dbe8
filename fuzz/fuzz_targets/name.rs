//! The names of sessions, tabs and elements.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &str| bproxy_fuzz::name(data));
