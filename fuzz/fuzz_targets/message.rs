//! Fuzzes text messages from an extension.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &str| bproxy_fuzz::message(data));
