//! The text that is signed: RFC 9421, section 2.5.

use std::fmt::Write;

use sfv::{InnerList, Item, ListSerializer};

use super::component;

const METHOD: &str = "@method";
const AUTHORITY: &str = "@authority";
const PATH: &str = "@path";
const QUERY: &str = "@query";

/// All that has to be signed.
const COVERED: [&str; 5] = [METHOD, AUTHORITY, PATH, QUERY, super::CONTENT_DIGEST];

/// What of a request is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Request<'a> {
    /// As in `POST`.
    pub method: &'a str,
    /// The host, with its port unless that is the usual one; the case does not matter. The audience of the proof.
    pub authority: &'a str,
    /// As it is sent, percent-encoded.
    pub path: &'a str,
    /// Without its question mark.
    pub query: Option<&'a str>,
    /// The value of the header field `Content-Digest`.
    pub digest: &'a str,
}

/// What our signatures cover.
pub(super) fn covered() -> Vec<Item> {
    COVERED.into_iter().map(component).collect()
}

/// Whether these are all of the components, each once, and nothing else.
pub(super) fn covers_all(items: &[Item]) -> bool {
    let named = |item: &Item| {
        let name = item.bare_item.as_string()?;
        COVERED.iter().position(|component| *component == name.as_str()).filter(|_| item.params.is_empty())
    };
    let mut found: Vec<_> = items.iter().map(named).collect();
    found.sort_unstable();
    found.into_iter().eq((0..COVERED.len()).map(Some))
}

/// The signature base. `list` holds components that [`covers_all`] knows, with the parameters of the signature.
pub(super) fn text(request: &Request<'_>, list: &InnerList) -> String {
    let mut text = String::new();
    for item in &list.items {
        let name = item.bare_item.as_string().map_or("", |name| name.as_str());
        // Writing to a string cannot fail.
        let _ = writeln!(text, "\"{name}\": {}", value(request, name));
    }
    let mut parameters = ListSerializer::new();
    let mut inner = parameters.inner_list();
    inner.items(&list.items);
    let _ = inner.finish().parameters(&list.params);
    text.push_str("\"@signature-params\": ");
    text.push_str(&parameters.finish().unwrap_or_default());
    text
}

fn value(request: &Request<'_>, component: &str) -> String {
    match component {
        METHOD => request.method.to_owned(),
        AUTHORITY => request.authority.to_ascii_lowercase(),
        PATH => request.path.to_owned(),
        QUERY => format!("?{}", request.query.unwrap_or_default()),
        _ => request.digest.trim().to_owned(),
    }
}
