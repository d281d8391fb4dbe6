//! A certificate authority of files, for certificates of the operator's own.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Makes `NAME.crt` and `NAME.key` in the folder for the domain, and the certificate of whoever vouches for it, whose
/// path is handed back.
pub(crate) fn issue(folder: &Path, name: &str, domain: &str, authority: &Path) -> PathBuf {
    let file = |folder: &Path, name: &str| folder.join(name).to_str().unwrap().to_owned();
    let (key, certificate) = (file(authority, "authority.key"), file(authority, "authority.crt"));
    let new_key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
    let request = file(authority, "request.csr");
    openssl(
        &[&["req", "-x509", "-days", "30", "-subj", "/O=A test's authority"], &new_key[..]].concat(),
        &[("-keyout", &key), ("-out", &certificate)],
    );
    openssl(
        &[&["req", "-new", "-subj", "/O=Made for a test"], &new_key[..]].concat(),
        &[("-keyout", &file(folder, &format!("{name}.key"))), ("-out", &request)],
    );
    let extensions = file(authority, "extensions");
    fs::write(&extensions, format!("basicConstraints=CA:FALSE\nsubjectAltName=DNS:{domain}\n")).unwrap();
    openssl(
        &["x509", "-req", "-days", "30", "-CAcreateserial"],
        &[
            ("-in", &request),
            ("-CA", &certificate),
            ("-CAkey", &key),
            ("-extfile", &extensions),
            ("-out", &file(folder, &format!("{name}.crt"))),
        ],
    );
    certificate.into()
}

fn openssl(arguments: &[&str], files: &[(&str, &str)]) {
    let mut command = Command::new("openssl");
    command.args(arguments);
    for (option, file) in files {
        command.args([option, file]);
    }
    let made = command.output().unwrap();
    assert!(made.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&made.stderr));
}
