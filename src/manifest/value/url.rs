//! `mypaas.url=https://example.com/path`. Host and path go into a rule of the router, so nothing may be in them that
//! means something there.

use std::net::Ipv4Addr;

use super::{Fault, quoted};
use crate::manifest::{Scheme, ServiceUrl, is_invisible};

/// Why a text is not a URL of a service.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct UrlError(String);

impl TryFrom<String> for ServiceUrl {
    type Error = UrlError;

    fn try_from(text: String) -> Result<Self, UrlError> {
        url(&text).map_err(|fault| UrlError(fault.problem.message().to_owned()))
    }
}

impl From<ServiceUrl> for String {
    fn from(url: ServiceUrl) -> String {
        url.to_string()
    }
}

pub(in crate::manifest) fn url(value: &str) -> Result<ServiceUrl, Fault> {
    let (scheme, rest) = scheme(value)?;
    let (authority, path) = rest.split_at(rest.find(['/', '?', '#', '\\']).unwrap_or(rest.len()));
    Ok(ServiceUrl { scheme, host: host(value, authority)?, path: normal_path(value, path)? })
}

fn scheme(value: &str) -> Result<(Scheme, &str), Fault> {
    match value.split_once("://") {
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("https") => Ok((Scheme::Https, rest)),
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("http") => Ok((Scheme::Http, rest)),
        Some((scheme, _)) => {
            Err(Fault::new(format!("a URL starts with http:// or https://, not {}", quoted(scheme))).at(value, scheme))
        }
        None => Err(Fault::new(format!("{} does not start with http:// or https://", quoted(value)))),
    }
}

fn host(value: &str, authority: &str) -> Result<String, Fault> {
    if let Some((user, _)) = authority.rsplit_once('@') {
        let fault = Fault::new("a URL of a service names no user").hint("remove what is before and with the @");
        return Err(fault.at(value, &authority[..=user.len()]));
    }
    if authority.starts_with('[') {
        let fault = Fault::new("an IPv6 address cannot be the domain of a service");
        return Err(fault.hint("use a name or an IPv4 address").at(value, authority));
    }
    let (name, port) = authority.split_at(authority.find(':').unwrap_or(authority.len()));
    if !port.is_empty() {
        return Err(has_port(port).at(value, port));
    }
    if name.is_empty() {
        return Err(Fault::new("the URL names no domain"));
    }
    normal_host(name).map_err(|reason| {
        let fault = Fault::new(format!("{} is not a domain: {}", quoted(name), reason.text));
        let fault = reason.hint.into_iter().fold(fault, Fault::hint);
        fault.at(value, name)
    })
}

fn has_port(port: &str) -> Fault {
    let number = port.trim_start_matches(':');
    let hint = match super::whole_number(number) {
        Some(80 | 443) | None => "leave the port out".to_owned(),
        Some(_) => {
            format!("leave the port out; if the process in the container listens on it, write `# mypaas.port={number}`")
        }
    };
    Fault::new("a URL of a service has no port: http is always 80 and https 443").hint(hint)
}

struct BadHost {
    text: &'static str,
    hint: Option<&'static str>,
}

fn bad(text: &'static str) -> BadHost {
    BadHost { text, hint: None }
}

/// Lower case, ASCII, without the dot at the end.
fn normal_host(name: &str) -> Result<String, BadHost> {
    if name.contains('*') {
        let hint = Some("give each domain an option of its own");
        return Err(BadHost { text: "there are no wildcards", hint });
    }
    if name.contains(|c: char| c == '%' || c.is_whitespace()) {
        return Err(bad("it has a character that no domain has"));
    }
    let host = match url::Host::parse(name) {
        Ok(url::Host::Domain(domain)) => domain,
        Ok(url::Host::Ipv4(address)) if name.parse::<Ipv4Addr>() == Ok(address) => return Ok(address.to_string()),
        Ok(_) => return Err(bad("an address has four numbers, as in 127.0.0.1")),
        Err(url::ParseError::InvalidIpv4Address) => return Err(bad("it ends in a number and is no IPv4 address")),
        Err(_) => return Err(bad("it has a character that no domain has")),
    };
    let host = host.strip_suffix('.').unwrap_or(&host);
    check_labels(host)?;
    Ok(host.to_owned())
}

/// The underscore is no part of a host's name, but names with it are in use.
fn check_labels(host: &str) -> Result<(), BadHost> {
    let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_';
    for label in host.split('.') {
        match label {
            "" => return Err(bad("there is nothing between two dots, or before the first")),
            _ if !label.bytes().all(allowed) => return Err(bad("it has a character that no domain has")),
            _ if label.len() > 63 => return Err(bad("a part of it is longer than 63 characters")),
            _ if label.starts_with('-') || label.ends_with('-') => {
                return Err(bad("a part of it starts or ends with a hyphen"));
            }
            _ => {}
        }
    }
    if host.len() > 253 { Err(bad("it is longer than 253 characters")) } else { Ok(()) }
}

/// As the router compares it: escapes that mean the character itself are undone, the others are in upper case.
fn normal_path(value: &str, path: &str) -> Result<String, Fault> {
    if let Some(start) = path.find(['?', '#', ';']) {
        let fault = Fault::new("a URL of a service is a domain and a path, without query, fragment or parameters");
        return Err(fault.hint(format!("remove {}", quoted(&path[start..]))).at(value, &path[start..]));
    }
    let normal = unescape(value, path)?;
    let normal = normal.strip_suffix('/').unwrap_or(&normal);
    for segment in normal.split('/').skip(1) {
        if matches!(segment, "" | "." | "..") {
            let fault = Fault::new("an empty part, `.` or `..` in a path never matches a request");
            return Err(fault.hint("write the path without it").at(value, path));
        }
    }
    Ok(normal.to_owned())
}

fn unescape(value: &str, path: &str) -> Result<String, Fault> {
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path;
    while let Some(start) = rest.find('%') {
        bytes.extend_from_slice(&rest.as_bytes()[..start]);
        let escape = rest.get(start..start + 3).unwrap_or(&rest[start..=start]);
        let byte = escape.get(1..).and_then(|hex| u8::from_str_radix(hex, 16).ok());
        let byte = byte.filter(|_| !escape.contains('+'));
        match byte.ok_or_else(|| Fault::new("a % in a path is followed by two hexadecimal digits").at(value, escape))? {
            reserved if is_reserved(reserved) => bytes.extend_from_slice(escape.to_ascii_uppercase().as_bytes()),
            byte => bytes.push(byte),
        }
        rest = &rest[start + 3..];
    }
    bytes.extend_from_slice(rest.as_bytes());
    let text =
        String::from_utf8(bytes).map_err(|_| Fault::new("the escapes in the path are not UTF-8").at(value, path))?;
    match text.chars().find(|c| !is_path_character(*c)) {
        None => Ok(text),
        Some(character) => {
            let fault = Fault::new(format!("{} is not allowed in a path", quoted(&character.to_string())));
            let written = path.find(character).map(|start| &path[start..start + character.len_utf8()]);
            Err(fault.hint("use letters, digits and - . _ ~ between slashes").at(value, written.unwrap_or(path)))
        }
    }
}

/// Those that mean something else when they are not escaped, and the percent sign.
fn is_reserved(byte: u8) -> bool {
    b":/?#[]@!$&'()*+,;=%".contains(&byte)
}

pub(super) fn is_path_character(character: char) -> bool {
    match character {
        'a'..='z' | 'A'..='Z' | '0'..='9' => true,
        _ if character.is_ascii() => "-._~!$&'()*+,;=:@%/".contains(character),
        _ => !character.is_whitespace() && !character.is_control() && !is_invisible(character),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::told;
    use super::*;

    fn good(text: &str) -> String {
        url(text).unwrap_or_else(|fault| panic!("{text}: {fault:?}")).to_string()
    }

    #[test]
    fn urls_are_normalised_without_changing_their_meaning() {
        for (written, normal) in [
            ("https://example.com", "https://example.com"),
            ("HTTPS://Example.COM/", "https://example.com"),
            ("http://example.com./a/b/", "http://example.com/a/b"),
            ("http://localhost/x", "http://localhost/x"),
            ("http://127.0.0.1", "http://127.0.0.1"),
            ("https://bücher.example/über", "https://xn--bcher-kva.example/über"),
            ("https://a.example/%C3%BCber/%41%2fb%25", "https://a.example/über/A%2Fb%25"),
            ("http://my_app.lan/a@b,c=d", "http://my_app.lan/a@b,c=d"),
        ] {
            assert_eq!(good(written), normal);
            assert_eq!(good(normal), normal);
        }
    }

    #[test]
    fn what_is_no_part_of_a_services_url_is_marked() {
        for (written, marked) in [
            ("ftp://example.com", "ftp"),
            ("example.com", "example.com"),
            ("https://", "https://"),
            ("https:///a", "https:///a"),
            ("https://example.com:8080/a", ":8080"),
            ("https://example.com:443", ":443"),
            ("https://me:secret@example.com", "me:secret@"),
            ("https://example.com/a?b=c", "?b=c"),
            ("https://example.com?b", "?b"),
            ("https://example.com/a#b", "#b"),
            ("https://example.com/a;b", ";b"),
            ("http://[::1]/", "[::1]"),
            ("https://*.example.com", "*.example.com"),
            ("https://example..com", "example..com"),
            ("https://.com", ".com"),
            ("https://-a.com", "-a.com"),
            ("https://a`b.com", "a`b.com"),
            ("https://a b.com", "a b.com"),
            ("https://a%2eb.com", "a%2eb.com"),
            ("https://300.1.1.1", "300.1.1.1"),
            ("https://127.1", "127.1"),
            ("https://xn--a.com", "xn--a.com"),
            ("https://example.com/a`b", "`"),
            ("https://example.com/a%60b", "/a%60b"),
            ("https://example.com/a b", " "),
            ("https://example.com/{{x}}", "{"),
            ("https://example.com\\a", "\\"),
            ("https://example.com/a//b", "/a//b"),
            ("https://example.com//", "//"),
            ("https://example.com/a/%2e%2E/b", "/a/%2e%2E/b"),
            ("https://example.com/a%zzb", "%zz"),
            ("https://example.com/a%+1", "%+1"),
            ("https://example.com/a%2", "%"),
            ("https://example.com/a%é", "%é"),
            ("https://example.com/%ff", "/%ff"),
            ("https://example.com/a\u{202e}b", "\u{202e}"),
        ] {
            assert_eq!(told(written, url(written)).0, marked, "{written}");
        }
    }

    #[test]
    fn domains_are_limited_as_dns_limits_them() {
        let label = "a".repeat(63);
        assert!(url(&format!("http://{label}.com")).is_ok());
        assert!(url(&format!("http://{label}a.com")).is_err());
        assert!(url(&format!("http://{label}.{label}.{label}.{label}")).is_err());
    }

    #[test]
    fn a_url_from_elsewhere_is_checked_just_so() {
        assert_eq!(serde_json::from_str::<ServiceUrl>("\"http://A.b/c/\"").unwrap().to_string(), "http://a.b/c");
        let error = serde_json::from_str::<ServiceUrl>("\"http://a.b:1/`\"").unwrap_err();
        assert!(error.to_string().contains("has no port"), "{error}");
    }
}
