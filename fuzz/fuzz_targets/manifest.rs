//! Any bytes as a Dockerfile: no panic, every diagnostic points into the text, and a manifest is safe to hand on.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mypaas::manifest::{Checked, Diagnostic, HealthCheck, Manifest, ServiceUrl, check};

fuzz_target!(|bytes: &[u8]| {
    let Checked { manifest, diagnostics } = check(bytes);
    assert_eq!(manifest.is_none(), diagnostics.iter().any(Diagnostic::is_error));
    let text = String::from_utf8_lossy(bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes));
    diagnostics.iter().for_each(|diagnostic| points_into(&text, diagnostic));
    manifest.iter().for_each(is_safe);
    // Whole manifests are rare among random texts; URLs of their own are not.
    let values = text.lines().filter_map(|line| line.split_once("url="));
    values.filter_map(|(_, value)| ServiceUrl::try_from(value.to_owned()).ok()).for_each(|url| is_safe_url(&url));
});

fn points_into(text: &str, diagnostic: &Diagnostic) {
    assert!(!diagnostic.message.chars().any(char::is_control), "{diagnostic:?}");
    let Some(excerpt) = diagnostic.excerpt() else { return };
    let line = text.split('\n').nth(diagnostic.line as usize - 1);
    assert_eq!(line.map(|line| line.trim_end_matches('\r')), Some(diagnostic.source.as_str()));
    assert_eq!(excerpt.before.chars().count(), diagnostic.column as usize - 1);
    assert_eq!(excerpt.marked.chars().count(), diagnostic.length as usize);
}

fn is_safe(manifest: &Manifest) {
    manifest.urls.iter().for_each(is_safe_url);
    if let Some(HealthCheck { path, .. }) = &manifest.healthcheck {
        assert!(!path.contains(means_something) && !path.starts_with("//"), "{path}");
    }
}

fn is_safe_url(url: &ServiceUrl) {
    assert!(!url.to_string().contains(means_something), "{url}");
    assert_eq!(ServiceUrl::try_from(url.to_string()).as_ref(), Ok(url));
}

/// In a router's rule, or in the file that holds it.
fn means_something(character: char) -> bool {
    "`{}\"\\".contains(character) || character.is_control() || character.is_whitespace()
}
