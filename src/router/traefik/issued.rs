//! What Traefik got from the certificate authority, and what it was refused: from the file that it keeps certificates in,
//! and from its log, since it tells the reason nowhere else.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde::Deserialize;

use crate::engine::LogLine;
use crate::router::{Certificate, Refusal};

/// How Traefik begins the line of a certificate that it could not get.
const REFUSED: &str = "Unable to obtain ACME certificate for domains";
/// And of one that it could not renew.
const NOT_RENEWED: &str = "Error renewing ACME certificate:";

/// `acme.json`, by certificate resolver.
type Storage = BTreeMap<String, Option<Resolver>>;

#[derive(Deserialize)]
struct Resolver {
    #[serde(rename = "Certificates")]
    certificates: Option<Vec<Stored>>,
}

#[derive(Deserialize)]
struct Stored {
    /// PEM in base64.
    certificate: String,
}

/// What cannot be read is left out: Traefik tells about it itself.
pub(super) fn read(file: &Path) -> io::Result<Vec<Certificate>> {
    let text = match std::fs::read_to_string(file) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        text => text?,
    };
    // Traefik may be writing it at this moment.
    let storage: Storage = serde_json::from_str(&text).unwrap_or_default();
    let stored = storage.into_values().flatten().flat_map(|resolver| resolver.certificates.unwrap_or_default());
    Ok(stored.filter_map(|stored| Certificate::read(&BASE64_STANDARD.decode(stored.certificate).ok()?).ok()).collect())
}

/// What a line of Traefik's log tells of certificates that could not be got, one a domain.
pub(super) fn refusals(line: &LogLine) -> Vec<Refusal> {
    if !line.text.contains(REFUSED) && !line.text.contains(NOT_RENEWED) {
        return Vec::new();
    }
    let reason = field(&line.text, "error").map_or_else(|| line.text.clone(), |error| in_short(&error));
    let renewed =
        || line.text.split_once(NOT_RENEWED).map(|(_, rest)| rest.split(" error=").next().unwrap_or_default());
    let named = field(&line.text, "domains").or_else(|| renewed().map(str::to_owned)).unwrap_or_default();
    let domains = named.split(|c: char| !c.is_alphanumeric() && !"-._*".contains(c)).filter(|word| word.contains('.'));
    domains.map(|domain| Refusal { domain: domain.to_owned(), at: line.at, reason: reason.clone() }).collect()
}

/// The value of `name=…` in a line of Traefik's log; in quotes where it has blanks.
fn field(line: &str, name: &str) -> Option<String> {
    let begin = line.find(&format!(" {name}="))? + name.len() + 2;
    let value = &line[begin..];
    let Some(quoted) = value.strip_prefix('"') else {
        return value.split(' ').next().map(str::to_owned);
    };
    let mut text = String::new();
    let mut rest = quoted.chars();
    while let Some(character) = rest.next() {
        match character {
            '"' => break,
            '\\' => match rest.next()? {
                'n' | 't' | 'r' => text.push(' '),
                escaped => text.push(escaped),
            },
            other => text.push(other),
        }
    }
    Some(text)
}

/// Without what the library wraps around the authority's own words.
fn in_short(error: &str) -> String {
    let words = error.rsplit_once("acme: error: ").map_or(error, |(_, words)| words);
    let words = words.split(", url: ").next().unwrap_or(words).trim_end_matches(']');
    words.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The domains that a line of Traefik's log says were refused a certificate. Only for fuzzing.
#[cfg(fuzzing)]
pub fn refused_domains(line: &str) -> Vec<String> {
    let container = crate::name::ContainerName::from_engine("router");
    let (at, stream) = (jiff::Timestamp::UNIX_EPOCH, crate::engine::LogStream::Stdout);
    let line = LogLine { container, at, stream, text: line.to_owned() };
    refusals(&line).into_iter().map(|refusal| refusal.domain).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::LogStream;
    use crate::name::ContainerName;

    fn line(text: &str) -> LogLine {
        let container = ContainerName::from_engine("router");
        LogLine { container, at: "2026-01-31T12:00:00Z".parse().unwrap(), stream: LogStream::Stdout, text: text.into() }
    }

    #[test]
    fn the_reason_of_a_refusal_is_found_in_the_log() {
        let log = include_str!("../../../tests/fixtures/certificates/refusals.log");
        let told: Vec<String> = log
            .lines()
            .flat_map(|text| refusals(&line(text)))
            .map(|refusal| format!("{}: {}", refusal.domain, refusal.reason))
            .collect();
        insta::assert_snapshot!(told.join("\n"));
        assert!(refusals(&line("2026-01-31T12:00:00Z INF Configuration loaded domains=[\"a.test\"]")).is_empty());
    }

    #[test]
    fn certificates_are_read_from_the_storage_and_half_a_file_holds_none() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("acme.json");
        assert_eq!(read(&file).unwrap(), []);
        let pem = BASE64_STANDARD.encode(include_bytes!("../../../tests/fixtures/certificates/two_domains.pem"));
        let text = format!(
            r#"{{"default": {{"Account": {{}}, "Certificates": [{{"domain": {{"main": "x"}}, "certificate": "{pem}",
            "key": "", "Store": "default"}}, {{"certificate": "?"}}]}}, "empty": {{"Certificates": null}}, "none": null}}"#
        );
        std::fs::write(&file, &text).unwrap();
        assert!(read(&file).unwrap()[0].covers("example.com"));
        std::fs::write(&file, &text[..100]).unwrap();
        assert_eq!(read(&file).unwrap(), []);
    }
}
