//! The names of users, for messages.

use std::fs;

/// A user for a sentence: `the user with id 1001 (ada)`. Users that only a directory service knows have no name here.
pub(crate) fn described(id: u32) -> String {
    let users = fs::read_to_string("/etc/passwd").unwrap_or_default();
    match name(&users, id) {
        Some(name) => format!("the user with id {id} ({name})"),
        None => format!("the user with id {id}"),
    }
}

/// The name in the lines of `passwd(5)`.
fn name(users: &str, id: u32) -> Option<&str> {
    users.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)?.parse() == Ok(id)).then_some(name)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_is_found_by_its_id() {
        let users = "root:x:0:0:root:/root:/bin/sh\nada:x:1001:1001::/home/ada:/bin/sh\n";
        assert_eq!(
            (name(users, 1001), name(users, 0), name(users, 7)),
            (Some("ada"), Some("root"), None)
        );
    }
}
