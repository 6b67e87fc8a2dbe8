//! Printing: one line of JSON on standard output, messages on standard error.

use std::io::{self, Write};

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::Error;

/// Writes a JSON text as one line.
pub(super) fn line(mut json: Vec<u8>) -> Result<(), Error> {
    // Line breaks within JSON strings are escaped. Others are whitespace, which the extension's JSON may contain.
    for byte in &mut json {
        if matches!(byte, b'\n' | b'\r') {
            *byte = b' ';
        }
    }
    json.truncate(json.trim_ascii_end().len());
    json.push(b'\n');
    let mut stdout = io::stdout().lock();
    stdout.write_all(&json).and_then(|()| stdout.flush()).map_err(Error::Output)
}

/// Writes a text as it is.
pub(super) fn text(text: &str) -> Result<(), Error> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()).map_err(Error::Output)
}

/// Writes a message for people to standard error, and ignores it if that is closed.
pub(super) fn say(text: &str) {
    let _ = writeln!(io::stderr(), "bproxy: {text}");
}

/// Replaces the `data` of a successful answer with the result of `change`.
pub(super) fn change_data<'a, D, C>(
    body: &'a [u8],
    change: impl FnOnce(D) -> Result<C, Error>,
) -> Result<Vec<u8>, Error>
where
    D: Deserialize<'a>,
    C: Serialize,
{
    #[derive(Serialize, Deserialize)]
    struct Success<'a, D> {
        protocol_version: u32,
        #[serde(borrow)]
        id: &'a RawValue,
        ok: bool,
        data: D,
        #[serde(borrow)]
        page: &'a RawValue,
        replay: bool,
    }
    let unusable = |error: serde_json::Error| Error::Answer(error.to_string());
    let Success::<D> { protocol_version, id, ok, data, page, replay } =
        serde_json::from_slice(body).map_err(unusable)?;
    let data = change(data)?;
    serde_json::to_vec(&Success { protocol_version, id, ok, data, page, replay }).map_err(unusable)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_data_of_an_answer_changes() {
        let body = br#"{"protocol_version":1,"id":"a","ok":true,"data":{"text":"x"},"page":{"url":"u"},"replay":false}"#;
        #[derive(Serialize, Deserialize)]
        struct Data {
            text: String,
        }
        let changed = change_data(body, |data: Data| Ok(Data { text: data.text + "y" })).unwrap();
        let expected = String::from_utf8(body.to_vec()).unwrap().replace(r#""x""#, r#""xy""#);
        assert_eq!(String::from_utf8(changed).unwrap(), expected);
        assert!(matches!(change_data(b"{}", |data: Data| Ok(data)), Err(Error::Answer(_))));
    }
}
