//! Fuzzes the body of `POST /`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| bproxy_fuzz::request(data));
