//! Identifiers: parsed once, then valid by type.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// A session's id: six characters of `[a-z2-7]`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SessionId([u8; Self::LENGTH]);

impl SessionId {
    /// The alphabet of an id, 32 characters, so that five random bits choose one without bias.
    pub const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
    const LENGTH: usize = 6;

    /// The id that the lowest 30 of `bits` spell; the caller draws them from a CSPRNG.
    pub fn from_bits(bits: u32) -> Self {
        Self(std::array::from_fn(|at| Self::ALPHABET[(bits >> (5 * at)) as usize & 31]))
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl FromStr for SessionId {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let bytes: [u8; Self::LENGTH] = text.as_bytes().try_into().map_err(drop)?;
        let known = bytes.iter().all(|byte| Self::ALPHABET.contains(byte));
        known.then_some(Self(bytes)).ok_or(())
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for SessionId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(|()| D::Error::custom("not a session's id"))
    }
}

impl Serialize for SessionId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// The digits after `prefix`, when `text` is the prefix and at least one digit.
fn digits<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let digits = text.strip_prefix(prefix)?;
    (!digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())).then_some(digits)
}

/// The number in `digits`, if they are written as the daemon would write them: without leading zeros.
fn canonical(digits: &str) -> Option<u64> {
    let number = digits.parse().ok()?;
    (!digits.starts_with('0')).then_some(number)
}

/// The name of a frame within its tab, `f[0-9]+`: only the extension knows which frame it is.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct FrameName(String);

impl FromStr for FrameName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match digits(text, "f") {
            Some(_) => Ok(Self(text.to_owned())),
            None => Err(format!("`{text}` is not a frame: expected f1, f2, …")),
        }
    }
}

impl<'de> Deserialize<'de> for FrameName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

/// The name of a tab within its session, `t[0-9]+`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct TabHandle(String);

impl TabHandle {
    /// The tab with the given ordinal; ordinals start at 1.
    pub fn new(ordinal: u32) -> Self {
        Self(format!("t{ordinal}"))
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The ordinal of the tab that can have this name; none for names that the daemon never gives.
    pub fn ordinal(&self) -> Option<u32> {
        canonical(self.0.strip_prefix('t')?)?.try_into().ok()
    }
}

impl FromStr for TabHandle {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match digits(text, "t") {
            Some(_) => Ok(Self(text.to_owned())),
            None => Err(format!("`{text}` is not a tab: expected t1, t2, …")),
        }
    }
}

impl<'de> Deserialize<'de> for TabHandle {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

/// The kind of a handle. Each kind is numbered separately.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
pub enum HandleKind {
    /// `elN`, from `elements` and `snapshot`.
    Element,
    /// `lnN`, from `links`.
    Link,
}

impl HandleKind {
    /// What the handle's name starts with.
    pub fn prefix(self) -> &'static str {
        match self {
            Self::Element => "el",
            Self::Link => "ln",
        }
    }
}

/// The name of an element found by a read, `(el|ln)[0-9]+`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct ElementHandle(String);

impl ElementHandle {
    /// The handle with this number; numbers start at 1.
    pub fn new(kind: HandleKind, number: u64) -> Self {
        Self(format!("{}{number}", kind.prefix()))
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Kind and number; none for names that the daemon never gives, such as `el01`.
    pub fn parts(&self) -> Option<(HandleKind, u64)> {
        [HandleKind::Element, HandleKind::Link]
            .into_iter()
            .find_map(|kind| Some((kind, canonical(digits(&self.0, kind.prefix())?)?)))
    }
}

impl FromStr for ElementHandle {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match digits(text, "el").or_else(|| digits(text, "ln")) {
            Some(_) => Ok(Self(text.to_owned())),
            None => Err(format!("`{text}` is not an element handle: expected el1, ln1, …")),
        }
    }
}

impl<'de> Deserialize<'de> for ElementHandle {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

/// The name of a file that a client has given to a session, `fl[0-9]+`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct FileHandle(String);

impl FileHandle {
    /// The file with this number; numbers start at 1.
    pub fn new(number: u64) -> Self {
        Self(format!("fl{number}"))
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The number of the file that can have this name; none for names that the daemon never gives.
    pub fn number(&self) -> Option<u64> {
        canonical(self.0.strip_prefix("fl")?)
    }
}

impl FromStr for FileHandle {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match digits(text, "fl") {
            Some(_) => Ok(Self(text.to_owned())),
            None => Err(format!("`{text}` is not a file of a session: expected fl1, fl2, …")),
        }
    }
}

impl<'de> Deserialize<'de> for FileHandle {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn session_ids_are_six_characters_of_the_alphabet() {
        assert!("m4q7z2".parse::<SessionId>().is_ok());
        for bad in ["", "m4q7z", "m4q7z22", "M4q7z2", "m4q7z1", "m4q7z ", "ä4q7z"] {
            assert!(bad.parse::<SessionId>().is_err(), "{bad}");
        }
        assert_eq!(SessionId::from_bits(0).as_str(), "aaaaaa");
        assert_eq!(SessionId::from_bits(u32::MAX).as_str(), "777777");
    }

    #[test]
    fn names_that_are_never_given_parse_but_stand_for_nothing() {
        assert_eq!("t12".parse::<TabHandle>().unwrap().ordinal(), Some(12));
        assert_eq!("t012".parse::<TabHandle>().unwrap().ordinal(), None);
        assert_eq!("t99999999999999".parse::<TabHandle>().unwrap().ordinal(), None);
        assert!("t".parse::<TabHandle>().is_err());
        assert!("t-1".parse::<TabHandle>().is_err());
        let link = "ln7".parse::<ElementHandle>().unwrap();
        assert_eq!(link.parts(), Some((HandleKind::Link, 7)));
        assert_eq!("el0".parse::<ElementHandle>().unwrap().parts(), None);
        assert!("e1".parse::<ElementHandle>().is_err());
    }
}
