//! The text format in which every store keeps a token.
//!
//! The daemon token is one line. The extension's token has its Origin on a second line, once that is known.

use super::{Error, ExtensionCredential, Secret};

/// Parses a daemon token; `location` is where it was found, for the error.
///
/// # Errors
/// When it is not one.
pub(super) fn parse_daemon_token(bytes: Vec<u8>, location: &str) -> Result<Secret, Error> {
    match parse(bytes) {
        Some((token, None)) => Ok(token),
        _ => Err(Error::Damaged {
            token: "daemon token",
            location: location.to_owned(),
            next_step: " and run `bproxy service restart`",
        }),
    }
}

/// Parses an extension token; `location` is where it was found, for the error.
///
/// # Errors
/// When it is not one.
pub(super) fn parse_extension(
    bytes: Vec<u8>,
    location: &str,
) -> Result<ExtensionCredential, Error> {
    let (token, origin) = parse(bytes).ok_or_else(|| Error::Damaged {
        token: "extension token",
        location: location.to_owned(),
        next_step: " and pair the extension again (`bproxy pair`)",
    })?;
    Ok(ExtensionCredential { token, origin })
}

/// Formats an extension token.
pub(super) fn format_extension(credential: &ExtensionCredential) -> Secret {
    let token = credential.token.expose();
    match &credential.origin {
        None => credential.token.clone(),
        // Allocated once at its final size, because a reallocation would leave an unwiped copy behind.
        Some(origin) => Secret::new([token, "\n", origin].concat()),
    }
}

/// The token, and the second line if there is one. `None` if the first line cannot be a token or there are more than
/// two lines.
fn parse(bytes: Vec<u8>) -> Option<(Secret, Option<String>)> {
    // The whole record is a `Secret`, so that it is wiped on return.
    let record = Secret::new(String::from_utf8(bytes).ok()?);
    let mut lines = record.expose().trim_end().lines();
    let token = lines.next()?;
    let second = lines.next().map(str::to_owned);
    let is_token =
        (16..=256).contains(&token.len()) && token.bytes().all(|byte| byte.is_ascii_graphic());
    (is_token && lines.next().is_none()).then(|| (Secret::new(token.to_owned()), second))
}
