//! The certificate for those who ask for a domain that there is none for. Without it Traefik makes one by itself, with a new
//! RSA key at every change of any route: to make that takes some ten times as long as all the rest of the change.

use std::io;

use rcgen::{CertificateParams, DnType, KeyPair};

/// What a browser tells of who vouches for it.
const NAME: &str = "mypaas: there is no certificate for this domain";

/// A domain that nobody can have, by RFC 2606.
const DOMAIN: &str = "mypaas.invalid";

/// The certificate and its key in PEM. It vouches for itself, and is valid for longer than any server runs.
pub(super) fn make() -> io::Result<String> {
    let (key, mut certificate) = (KeyPair::generate(), CertificateParams::new([DOMAIN.to_owned()]));
    if let Ok(certificate) = &mut certificate {
        certificate.distinguished_name.push(DnType::CommonName, NAME);
    }
    let made = key.and_then(|key| Ok((certificate?.self_signed(&key)?.pem(), key.serialize_pem())));
    made.map(|(certificate, key)| certificate + &key).map_err(io::Error::other)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::router::Certificate;

    #[test]
    fn it_can_be_read_and_says_what_it_is() {
        let pem = make().unwrap();
        let certificate = Certificate::read(pem.as_bytes()).unwrap();
        assert_eq!(certificate.domains.into_iter().collect::<Vec<_>>(), [DOMAIN]);
        assert_eq!(certificate.issuer, NAME);
        assert!(certificate.expires > "2200-01-01T00:00:00Z".parse().unwrap());
        assert!(pem.contains("-----BEGIN PRIVATE KEY-----"));
        assert_ne!(pem, make().unwrap());
    }
}
