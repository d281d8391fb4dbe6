//! The operator's own certificates: `NAME.crt`, with those that vouch for it, and `NAME.key` beside it.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;
use std::time::SystemTime;

use jiff::Timestamp;

use crate::router::{Certificate, Refusal};

pub(super) const CERTIFICATE: &str = "crt";
pub(super) const KEY: &str = "key";

/// More than anybody has files for.
const MOST: usize = 500;

/// By name; with when their files changed last.
pub(super) type Usable = BTreeMap<String, (Certificate, SystemTime)>;

/// What is in the folder.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Own {
    pub(super) usable: Usable,
    /// Those that cannot; the domain is the file's name where no certificate tells it.
    pub(super) unusable: Vec<Refusal>,
}

impl Own {
    pub(super) fn names(&self) -> Vec<String> {
        self.usable.keys().cloned().collect()
    }
}

/// A folder that is missing holds none.
pub(super) fn read(folder: &Path) -> io::Result<Own> {
    let mut own = Own::default();
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(own),
        entries => entries?,
    };
    for entry in entries.take(2 * MOST) {
        let path = entry?.path();
        let name = path.file_stem().and_then(|stem| stem.to_str());
        let Some(name) = name.filter(|_| path.extension().is_some_and(|ending| ending == CERTIFICATE)) else {
            continue;
        };
        match read_pair(&path) {
            Ok(pair) => {
                own.usable.insert(name.to_owned(), pair);
            }
            Err((domains, reason)) => {
                let domains = if domains.is_empty() { vec![name.to_owned()] } else { domains };
                let at = Timestamp::now();
                let refusal = |domain| Refusal { domain, at, reason: format!("{}: {reason}", path.display()) };
                own.unusable.extend(domains.into_iter().map(refusal));
            }
        }
    }
    Ok(own)
}

/// Fails with the domains that the certificate is for, where it tells them, and the reason.
fn read_pair(path: &Path) -> Result<(Certificate, SystemTime), (Vec<String>, String)> {
    let unread = |error: io::Error| (Vec::new(), format!("it cannot be read: {error}"));
    let pem = fs::read(path).map_err(unread)?;
    let certificate = Certificate::read(&pem).map_err(|reason| (Vec::new(), reason))?;
    let key = path.with_extension(KEY);
    let keyless = |reason| (certificate.domains.iter().cloned().collect(), reason);
    match fs::read(&key) {
        Ok(text) if String::from_utf8_lossy(&text).contains("PRIVATE KEY-----") => {}
        Ok(_) => return Err(keyless(format!("{} holds no private key", key.display()))),
        Err(error) => return Err(keyless(format!("its key {} cannot be read: {error}", key.display()))),
    }
    let changed = |path: &Path| fs::metadata(path).and_then(|metadata| metadata.modified()).map_err(unread);
    let newest = changed(path)?.max(changed(&key)?);
    Ok((certificate, newest))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PEM: &[u8] = include_bytes!("../../../tests/fixtures/certificates/two_domains.pem");

    #[test]
    fn certificates_with_their_keys_are_usable_and_others_are_told() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &[u8]| fs::write(folder.path().join(name), text).unwrap();
        let key = b"-----BEGIN PRIVATE KEY-----\n";
        for (name, text) in [
            ("shop.crt", PEM),
            ("shop.key", key),
            ("keyless.crt", PEM),
            ("wrong.crt", PEM),
            ("wrong.key", PEM),
            ("empty.crt", b""),
            ("README", b"x"),
        ] {
            write(name, text);
        }
        let own = read(folder.path()).unwrap();
        assert_eq!(own.names(), ["shop"]);
        let mut told: Vec<_> = own.unusable.iter().map(|refusal| (&*refusal.domain, &*refusal.reason)).collect();
        told.sort_unstable();
        let domains: Vec<_> = told.iter().map(|(domain, _)| *domain).collect();
        let pair = ["*.shop.example.com", "*.shop.example.com", "empty", "example.com", "example.com"];
        assert_eq!(domains, pair);
        assert!(told[2].1.ends_with("empty.crt: it holds no certificate"), "{told:?}");
        assert!(told.iter().any(|(_, reason)| reason.contains("keyless.key cannot be read")), "{told:?}");
        assert!(told.iter().any(|(_, reason)| reason.ends_with("wrong.key holds no private key")), "{told:?}");
        assert_eq!(read(&folder.path().join("none")).unwrap(), Own::default());
    }
}
