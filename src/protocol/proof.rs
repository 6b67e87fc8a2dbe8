//! Proofs that daemon and extension know the extension's token, which itself is never sent (§2).

use data_encoding::{HEXLOWER, HEXLOWER_PERMISSIVE};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::Serialize;
use sha2::Sha256;

/// The answer to `GET /challenge`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Challenge {
    /// The daemon's nonce, which the extension's proof is about.
    pub nonce: String,
    /// The daemon's proof.
    pub proof: String,
}

/// Who proves to know the token, and about which nonces. Each has a first line of its own, so that none passes for
/// another.
#[derive(Clone, Copy, Debug)]
pub enum Proof<'a> {
    /// The daemon, in its answer to a challenge.
    Daemon {
        /// The extension's nonce.
        challenge: &'a str,
        /// The daemon's nonce.
        nonce: &'a str,
    },
    /// The extension, in the request that opens its connection.
    Extension {
        /// The daemon's nonce.
        nonce: &'a str,
    },
    /// The daemon, on that connection.
    Socket {
        /// The daemon's nonce, with which the connection was opened.
        nonce: &'a str,
        /// The nonce in the extension's hello.
        hello: &'a str,
    },
    /// The extension, in the request for a file of a session.
    File {
        /// The daemon's nonce.
        nonce: &'a str,
        /// The session.
        session: &'a str,
        /// The file.
        file: &'a str,
    },
}

impl Proof<'_> {
    /// The proof in lower-case hexadecimal. `key` is the text of the token, `port` the one that `Host` names.
    pub fn of(self, key: &str, port: u16) -> String {
        HEXLOWER.encode(&self.mac(key, port).finalize().into_bytes())
    }

    /// Whether `given`, in hexadecimal, is this proof. The time this takes depends on its length alone.
    pub fn is(self, given: &str, key: &str, port: u16) -> bool {
        let given = HEXLOWER_PERMISSIVE.decode(given.as_bytes());
        given.is_ok_and(|given| self.mac(key, port).verify_slice(&given).is_ok())
    }

    fn mac(self, key: &str, port: u16) -> Hmac<Sha256> {
        let text = match self {
            Proof::Daemon { challenge, nonce } => {
                format!("bproxy daemon\n{port}\n{challenge}\n{nonce}")
            }
            Proof::Extension { nonce } => format!("bproxy extension\n{port}\n{nonce}"),
            Proof::Socket { nonce, hello } => format!("bproxy socket\n{port}\n{nonce}\n{hello}"),
            Proof::File { nonce, session, file } => {
                format!("bproxy file\n{port}\n{nonce}\n{session}\n{file}")
            }
        };
        // HMAC takes a key of any length.
        let mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).expect("any length is valid");
        mac.chain_update(text)
    }
}

/// Whether a text is a nonce of the extension: 32 to 64 hexadecimal digits.
pub fn is_nonce(text: &str) -> bool {
    (32..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "a token";
    const C: &str = "00112233445566778899aabbccddeeff";
    const N: &str = "ffeeddccbbaa99887766554433221100";

    /// `tests/extension/proof.test.js` has the same values.
    #[test]
    fn proofs_are_the_macs_that_the_extension_computes() {
        for (proof, expected) in [
            (
                Proof::Daemon { challenge: C, nonce: N },
                "8f7be3b093f0391723ca6b010b61aa70261d463fe59e42ec449a7593402467cc",
            ),
            (
                Proof::Extension { nonce: N },
                "5dae96dcb44783eda4c6b3137160f426caaf1efba5b1d7a7c0877b9dee06daba",
            ),
            (
                Proof::Socket { nonce: N, hello: C },
                "5920dae7316fa806ce816a1594e5f72cbdeaf127979d3e187a939cee3a90d936",
            ),
        ] {
            assert_eq!(proof.of(KEY, 9615), expected);
            assert!(proof.is(expected, KEY, 9615));
            assert!(proof.is(&expected.to_uppercase(), KEY, 9615));
            for wrong in ["", "0", "zz", &expected[2..], &expected.replace('a', "b")] {
                assert!(!proof.is(wrong, KEY, 9615), "{wrong}");
            }
            assert!(!proof.is(expected, KEY, 9616), "of another port");
            assert!(!proof.is(expected, "another token", 9615));
        }
    }

    #[test]
    fn a_nonce_is_32_to_64_hexadecimal_digits() {
        for good in ["0".repeat(32), "aF".repeat(32), "9".repeat(33)] {
            assert!(is_nonce(&good), "{good}");
        }
        for bad in ["0".repeat(31), "0".repeat(65), "g".repeat(32), "é".repeat(16), String::new()]
        {
            assert!(!is_nonce(&bad), "{bad}");
        }
    }
}
