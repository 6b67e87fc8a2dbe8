//! What a store keeps for each token: text that only this crate reads and writes.
//!
//! The daemon token is one line; the extension's is followed by a line with its Origin, once that is known.

use super::{Error, ExtensionCredential, Secret};

/// Reads a daemon token that was found at `place`.
///
/// # Errors
/// When it is something else.
pub(super) fn daemon_token(bytes: Vec<u8>, place: &str) -> Result<Secret, Error> {
    match lines(bytes) {
        Some((token, None)) => Ok(token),
        _ => Err(Error::Damaged {
            what: "daemon token",
            place: place.to_owned(),
            then: " and run `bproxy service restart`",
        }),
    }
}

/// Reads an extension token that was found at `place`.
///
/// # Errors
/// When it is something else.
pub(super) fn extension(bytes: Vec<u8>, place: &str) -> Result<ExtensionCredential, Error> {
    let (token, origin) = lines(bytes).ok_or_else(|| Error::Damaged {
        what: "extension token",
        place: place.to_owned(),
        then: " and pair the extension again (`bproxy pair`)",
    })?;
    Ok(ExtensionCredential { token, origin })
}

/// The text for an extension token.
pub(super) fn of_extension(credential: &ExtensionCredential) -> Secret {
    let token = credential.token.expose();
    match &credential.origin {
        None => credential.token.clone(),
        // In one piece, so that growing leaves no copy behind.
        Some(origin) => Secret::new([token, "\n", origin].concat()),
    }
}

/// A token, and what a second line says. `None` for anything that cannot be a token or has more than two lines.
fn lines(bytes: Vec<u8>) -> Option<(Secret, Option<String>)> {
    // The record is a secret as a whole, so that it is wiped when its parts have been taken out.
    let record = Secret::new(String::from_utf8(bytes).ok()?);
    let mut lines = record.expose().trim_end().lines();
    let token = lines.next()?;
    let second = lines.next().map(str::to_owned);
    let is_token =
        (16..=256).contains(&token.len()) && token.bytes().all(|byte| byte.is_ascii_graphic());
    (is_token && lines.next().is_none()).then(|| (Secret::new(token.to_owned()), second))
}
