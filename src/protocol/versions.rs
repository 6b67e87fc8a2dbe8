//! Versions of the protocol: which of them this build speaks.
//!
//! The parts of bproxy are updated separately, so that two communicating parts may have different versions. The newer
//! one adapts: it speaks the older version too, as long as that is in its range.

use std::fmt;

/// The newest protocol version that this build speaks.
pub const VERSION: u32 = 1;

/// The oldest.
pub const OLDEST: u32 = 1;

/// A range of protocol versions.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Versions {
    /// The first of them.
    pub oldest: u32,
    /// The last of them.
    pub newest: u32,
}

impl Versions {
    /// Those that this build speaks.
    pub const SPOKEN: Self = Self { oldest: OLDEST, newest: VERSION };

    /// The named version, if it is in the range.
    pub fn find(self, named: i64) -> Option<u32> {
        u32::try_from(named).ok().filter(|named| (self.oldest..=self.newest).contains(named))
    }
}

impl fmt::Display for Versions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self { oldest, newest } if oldest == newest => write!(f, "{newest}"),
            Self { oldest, newest } => write!(f, "{oldest} to {newest}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_found_in_its_range_and_nowhere_else() {
        let versions = Versions { oldest: 2, newest: 3 };
        assert_eq!([2, 3].map(|named| versions.find(named)), [Some(2), Some(3)]);
        for named in [i64::MIN, -2, 0, 1, 4, i64::from(u32::MAX) + 3, i64::MAX] {
            assert_eq!(versions.find(named), None, "{named}");
        }
        assert_eq!(Versions::SPOKEN.find(VERSION.into()), Some(VERSION));
    }

    #[test]
    fn a_range_is_told_by_its_ends() {
        assert_eq!(Versions { oldest: 2, newest: 2 }.to_string(), "2");
        assert_eq!(Versions { oldest: 1, newest: 3 }.to_string(), "1 to 3");
    }
}
