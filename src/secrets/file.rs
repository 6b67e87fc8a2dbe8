//! The store that keeps tokens in files of the state directory, mode 0600.

use super::{Error, ExtensionCredential, Secret, SecretStore, record};
use crate::home::Home;

/// Keeps `token` and `extension-token` in the state directory.
pub struct FileStore {
    home: Home,
}

impl FileStore {
    /// A store in `home`. Does no I/O.
    pub fn new(home: Home) -> FileStore {
        FileStore { home }
    }
}

impl SecretStore for FileStore {
    fn name(&self) -> &'static str {
        "file"
    }

    fn daemon_token(&self) -> Result<Option<Secret>, Error> {
        let path = self.home.token();
        let bytes = self.home.read_secret(&path)?;
        bytes
            .map(|bytes| record::parse_daemon_token(bytes, &path.display().to_string()))
            .transpose()
    }

    fn set_daemon_token(&self, token: &Secret) -> Result<(), Error> {
        Ok(self.home.write_durable_secret(&self.home.token(), token.expose().as_bytes())?)
    }

    fn remove_daemon_token(&self) -> Result<(), Error> {
        Ok(self.home.remove(&self.home.token())?)
    }

    fn extension(&self) -> Result<Option<ExtensionCredential>, Error> {
        let path = self.home.extension_token();
        let bytes = self.home.read_secret(&path)?;
        bytes.map(|bytes| record::parse_extension(bytes, &path.display().to_string())).transpose()
    }

    fn set_extension(&self, credential: &ExtensionCredential) -> Result<(), Error> {
        let record = record::format_extension(credential);
        let path = self.home.extension_token();
        Ok(self.home.write_durable_secret(&path, record.expose().as_bytes())?)
    }

    fn remove_extension(&self) -> Result<(), Error> {
        Ok(self.home.remove(&self.home.extension_token())?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn store() -> (tempfile::TempDir, FileStore) {
        let parent = tempfile::tempdir().unwrap();
        let home = Home::open(&parent.path().join("home")).unwrap();
        (parent, FileStore::new(home))
    }

    #[test]
    fn a_daemon_token_is_kept_until_it_is_removed() {
        let (_parent, store) = store();
        assert!(store.daemon_token().unwrap().is_none());
        let token = Secret::random_hex();
        store.set_daemon_token(&token).unwrap();
        assert!(store.daemon_token().unwrap().unwrap().matches(token.expose().as_bytes()));
        store.remove_daemon_token().unwrap();
        store.remove_daemon_token().unwrap();
        assert!(store.daemon_token().unwrap().is_none());
    }

    #[test]
    fn an_extension_credential_comes_back_with_its_origin_if_it_has_one() {
        let (_parent, store) = store();
        for origin in [None, Some("chrome-extension://abcdefghijklmnopabcdefghijklmnop".to_owned())]
        {
            let credential = ExtensionCredential { token: Secret::random_base64url(), origin };
            store.set_extension(&credential).unwrap();
            let stored = store.extension().unwrap().unwrap();
            assert!(stored.token.matches(credential.token.expose().as_bytes()));
            assert_eq!(stored.origin, credential.origin);
        }
        store.remove_extension().unwrap();
        assert!(store.extension().unwrap().is_none());
    }

    #[test]
    fn a_damaged_record_is_an_error_that_names_its_file() {
        let (_parent, store) = store();
        for text in ["", "\n", "short", "a token with spaces in it", "0123456789abcdef\nx\ny"] {
            store.home.write_secret(&store.home.extension_token(), text.as_bytes()).unwrap();
            let error = store.extension().err().unwrap().to_string();
            assert!(error.contains("extension-token") && error.contains("bproxy pair"), "{error}");
        }
        for text in ["", "short", "0123456789abcdef\nchrome-extension://x"] {
            store.home.write_secret(&store.home.token(), text.as_bytes()).unwrap();
            let error = store.daemon_token().err().unwrap().to_string();
            assert!(error.contains("/token is") && error.contains("service restart"), "{error}");
        }
    }
}
