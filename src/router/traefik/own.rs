//! The operator's own certificates: `NAME.crt`, with those that vouch for it, and `NAME.key` beside it.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::SystemTime;

use jiff::Timestamp;
use rustls::crypto::ring::sign::any_supported_type;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use x509_parser::prelude::{FromDer, X509Certificate};
use x509_parser::x509::SubjectPublicKeyInfo;

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
        match read_pair(folder, &path) {
            Ok(pair) => {
                own.usable.insert(name.to_owned(), pair);
            }
            Err((domains, reason)) => {
                let domains = if domains.is_empty() { vec![name.to_owned()] } else { domains };
                let at = changed_last(&path);
                let refusal = |domain| Refusal { domain, at, reason: format!("{}: {reason}", path.display()) };
                own.unusable.extend(domains.into_iter().map(refusal));
            }
        }
    }
    Ok(own)
}

/// As long as the files stay as they are, what is told of them stays the same. One that was copied with its old time has
/// changed all the same.
fn changed_last(path: &Path) -> Timestamp {
    let changed = |path: &Path| fs::symlink_metadata(path).map_or(0, |metadata| metadata.mtime().max(metadata.ctime()));
    let newest = changed(path).max(changed(&path.with_extension(KEY)));
    Timestamp::from_second(newest).unwrap_or_default()
}

/// Fails with the domains that the certificate is for, where it tells them, and the reason.
fn read_pair(folder: &Path, path: &Path) -> Result<(Certificate, SystemTime), (Vec<String>, String)> {
    let unread = |error: io::Error| (Vec::new(), format!("it cannot be read: {error}"));
    let pem = fs::read(path).map_err(unread)?;
    let certificate = Certificate::read(&pem).map_err(|reason| (Vec::new(), reason))?;
    let key = path.with_extension(KEY);
    let useless = |reason| (certificate.domains.iter().cloned().collect(), reason);
    if let Some(link) = [path, &key].into_iter().find(|file| leads_out(folder, file)) {
        let why = "is a link that Traefik cannot follow, as it sees this folder only: copy the file into it";
        return Err(useless(format!("{} {why}", link.display())));
    }
    let text = fs::read(&key).map_err(|error| useless(format!("its key {} cannot be read: {error}", key.display())))?;
    check_key(&pem, &text).map_err(|reason| useless(format!("{} {reason}", key.display())))?;
    let changed = |path: &Path| fs::metadata(path).and_then(|metadata| metadata.modified()).map_err(unread);
    let newest = changed(path)?.max(changed(&key)?);
    Ok((certificate, newest))
}

/// Traefik sees the folder by another path, so it can follow nothing but a relative link within it.
fn leads_out(folder: &Path, file: &Path) -> bool {
    let Ok(target) = fs::read_link(file) else { return false };
    let lies_within = || Ok::<_, io::Error>(file.canonicalize()?.starts_with(folder.canonicalize()?));
    target.is_absolute() || !lies_within().unwrap_or(false)
}

/// Fails with what is wrong with the key of a certificate.
fn check_key(certificate: &[u8], key: &[u8]) -> Result<(), &'static str> {
    if String::from_utf8_lossy(key).contains("ENCRYPTED") {
        return Err("is encrypted, and nobody tells Traefik its passphrase: `openssl pkey -in FILE` writes it without");
    }
    let key = PrivateKeyDer::from_pem_slice(key).map_err(|_| "holds no private key")?;
    match is_key_of(certificate, &key) {
        Some(false) => Err("is the key of another certificate"),
        _ => Ok(()),
    }
}

/// None where it cannot be told: Traefik knows more kinds of keys than this program.
fn is_key_of(certificate: &[u8], key: &PrivateKeyDer<'_>) -> Option<bool> {
    let certificate = CertificateDer::from_pem_slice(certificate).ok()?;
    let (_, certificate) = X509Certificate::from_der(&certificate).ok()?;
    let key = any_supported_type(key).ok()?;
    let public = key.public_key()?;
    let (_, public) = SubjectPublicKeyInfo::from_der(&public).ok()?;
    Some(public.subject_public_key == certificate.public_key().subject_public_key)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use rcgen::KeyPair;

    use super::*;

    /// A certificate with its key.
    fn pair(domain: &str) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let certificate = rcgen::CertificateParams::new([domain.to_owned()]).unwrap().self_signed(&key).unwrap();
        (certificate.pem(), key.serialize_pem())
    }

    #[test]
    fn certificates_with_their_keys_are_usable_and_others_are_told() {
        let (above, (pem, key)) = (tempfile::tempdir().unwrap(), pair("shop.example.com"));
        let folder = above.path().join("certificates");
        fs::create_dir(&folder).unwrap();
        let encrypted = key.replace("PRIVATE KEY", "ENCRYPTED PRIVATE KEY");
        let other = pair("other.example.com").1;
        for (name, text) in [
            ("shop.crt", &*pem),
            ("shop.key", &*key),
            ("keyless.crt", &*pem),
            ("wrong.crt", &*pem),
            ("wrong.key", &*pem),
            ("locked.crt", &*pem),
            ("locked.key", &*encrypted),
            ("other.crt", &*pem),
            ("other.key", &*other),
            ("empty.crt", ""),
            ("README", "x"),
            ("../elsewhere.pem", &*pem),
        ] {
            fs::write(folder.join(name), text).unwrap();
        }
        symlink("shop.crt", folder.join("inside.crt")).unwrap();
        symlink("shop.key", folder.join("inside.key")).unwrap();
        symlink("../elsewhere.pem", folder.join("outside.crt")).unwrap();
        symlink("shop.key", folder.join("outside.key")).unwrap();
        symlink("shop.crt", folder.join("absolute.crt")).unwrap();
        symlink(folder.join("shop.key"), folder.join("absolute.key")).unwrap();

        let own = read(&folder).unwrap();
        assert_eq!(own.names(), ["inside", "shop"]);
        let is_told = |name: &str, of: &str, part: &str| {
            let told = own.unusable.iter().find(|told| told.reason.contains(&format!("/{name}.crt: "))).unwrap();
            assert!(told.domain == of && told.reason.contains(part), "{told:?}");
        };
        for (name, part) in [
            ("keyless", "keyless.key cannot be read"),
            ("wrong", "wrong.key holds no private key"),
            ("locked", "locked.key is encrypted"),
            ("other", "other.key is the key of another certificate"),
            ("outside", "outside.crt is a link that Traefik cannot follow"),
            ("absolute", "absolute.key is a link that Traefik cannot follow"),
        ] {
            is_told(name, "shop.example.com", part);
        }
        is_told("empty", "empty", "it holds no certificate");
        assert_eq!(own.unusable.len(), 7);
        assert_eq!(read(&folder.join("none")).unwrap(), Own::default());
    }

    #[test]
    fn a_key_of_a_kind_that_cannot_be_told_is_left_to_traefik() {
        let p521 = "-----BEGIN PRIVATE KEY-----\nMAA=\n-----END PRIVATE KEY-----\n";
        assert_eq!(check_key(pair("shop.example.com").0.as_bytes(), p521.as_bytes()), Ok(()));
    }
}
