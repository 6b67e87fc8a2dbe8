//! Fuzzes session ids, tab handles and element handles.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &str| bproxy_fuzz::name(data));
