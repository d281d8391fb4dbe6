//! The options before a key: `name`, or `name="value"`, separated by commas. Within quotes everything is text, also
//! blanks and commas; `\"` is a quote.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use super::Rights;
use crate::name::{NameError, ServiceName};

/// OpenSSH's options that concern ssh sessions only. They mean nothing here, and may stand in a copied line.
const OF_SESSIONS: [&str; 17] = [
    "agent-forwarding",
    "command",
    "environment",
    "no-agent-forwarding",
    "no-port-forwarding",
    "no-pty",
    "no-touch-required",
    "no-user-rc",
    "no-x11-forwarding",
    "permitlisten",
    "permitopen",
    "port-forwarding",
    "pty",
    "restrict",
    "tunnel",
    "user-rc",
    "x11-forwarding",
];

/// OpenSSH's options that say who may use the key. To leave them out of account would let others in.
const UNKNOWN_LIMITS: [&str; 4] = ["cert-authority", "from", "principals", "verify-required"];

/// Ours, and the one of OpenSSH's that is kept to.
const ROLE: &str = "mypaas-role";
const SERVICES: &str = "mypaas-services";
const EXPIRY: &str = "expiry-time";

/// What somebody may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Look, and change nothing.
    Viewer,
    /// Everything.
    Operator,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a role; there are viewer and operator")]
pub struct RoleError(String);

impl FromStr for Role {
    type Err = RoleError;

    fn from_str(text: &str) -> Result<Self, RoleError> {
        match text {
            "viewer" => Ok(Role::Viewer),
            "operator" => Ok(Role::Operator),
            other => Err(RoleError(other.to_owned())),
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Role::Viewer => "viewer",
            Role::Operator => "operator",
        })
    }
}

/// What is wrong with the options of a line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OptionError {
    #[error("a quote is not closed")]
    OpenQuote,
    #[error("{name:?} is neither an option nor a kind of key{}", meant(*.nearest))]
    Unknown { name: String, nearest: Option<&'static str> },
    #[error("the option {0} is not kept to here, so the key would let in others than meant; remove the option")]
    Limit(String),
    #[error("{0} is given twice")]
    Twice(&'static str),
    #[error("{name} needs a value in quotes, as in {name}={example:?}")]
    NoValue { name: &'static str, example: &'static str },
    #[error(transparent)]
    Role(#[from] RoleError),
    #[error("{SERVICES} names {name:?}: {error}")]
    Service { name: String, error: NameError },
    #[error("{0:?} is not a time; {EXPIRY} is written as 20301231 or 203012312359, with a Z behind it for UTC")]
    Time(String),
}

/// The options, and what follows behind the blanks after them.
pub(super) fn split(line: &str) -> Result<(&str, &str), OptionError> {
    let end = unquoted(line, char::is_whitespace)?.unwrap_or(line.len());
    let (options, rest) = line.split_at(end);
    Ok((options, rest.trim_start()))
}

/// What a key with these options may do.
pub(super) fn rights(mut options: &str) -> Result<Rights, OptionError> {
    let (mut role, mut services, mut until) = (None, None, None);
    while !options.is_empty() {
        let end = unquoted(options, |character| character == ',')?;
        let (option, rest) = end.map_or((options, ""), |end| (&options[..end], &options[end + 1..]));
        options = rest;
        let (name, value) = option.split_once('=').map_or((option, None), |(name, value)| (name, unquote(value)));
        match name.to_ascii_lowercase().as_str() {
            ROLE => once(ROLE, &mut role, needed(ROLE, "viewer", value)?.parse()?)?,
            SERVICES => once(SERVICES, &mut services, service_names(&needed(SERVICES, "blog,api", value)?)?)?,
            EXPIRY => once(EXPIRY, &mut until, time(&needed(EXPIRY, "20301231", value)?)?)?,
            name if UNKNOWN_LIMITS.contains(&name) => return Err(OptionError::Limit(name.to_owned())),
            name if OF_SESSIONS.contains(&name) => {}
            name => return Err(unknown(name)),
        }
    }
    Ok(Rights { role: role.unwrap_or(Role::Operator), services, until })
}

fn unknown(name: &str) -> OptionError {
    let nearest = [ROLE, SERVICES, EXPIRY].into_iter().find(|known| strsim::jaro_winkler(known, name) > 0.9);
    OptionError::Unknown { name: name.chars().take(60).collect(), nearest }
}

fn meant(nearest: Option<&str>) -> String {
    nearest.map(|name| format!("; did you mean {name}?")).unwrap_or_default()
}

/// Where the first such character outside of quotes stands.
fn unquoted(text: &str, wanted: impl Fn(char) -> bool) -> Result<Option<usize>, OptionError> {
    let (mut quoted, mut escaped) = (false, false);
    for (at, character) in text.char_indices() {
        match character {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            _ if !quoted && wanted(character) => return Ok(Some(at)),
            _ => {}
        }
    }
    if quoted { Err(OptionError::OpenQuote) } else { Ok(None) }
}

/// What stands in the quotes; none when it stands in none.
fn unquote(value: &str) -> Option<String> {
    let inner = value.strip_prefix('"')?.strip_suffix('"')?;
    Some(inner.replace("\\\"", "\""))
}

fn needed(name: &'static str, example: &'static str, value: Option<String>) -> Result<String, OptionError> {
    value.filter(|value| !value.trim().is_empty()).ok_or(OptionError::NoValue { name, example })
}

fn once<T>(name: &'static str, place: &mut Option<T>, value: T) -> Result<(), OptionError> {
    match place.replace(value) {
        None => Ok(()),
        Some(_) => Err(OptionError::Twice(name)),
    }
}

fn service_names(value: &str) -> Result<BTreeSet<ServiceName>, OptionError> {
    let named =
        |name: &str| name.parse::<ServiceName>().map_err(|error| OptionError::Service { name: name.to_owned(), error });
    value.split(',').map(|name| named(name.trim())).collect()
}

/// As OpenSSH reads it: in the time zone of the server, unless a Z says otherwise.
fn time(value: &str) -> Result<Timestamp, OptionError> {
    let wrong = || OptionError::Time(value.to_owned());
    let (digits, zone) = match value.strip_suffix('Z') {
        Some(digits) => (digits, TimeZone::UTC),
        None => (value, TimeZone::system()),
    };
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(wrong());
    }
    let whole = match digits.len() {
        8 => format!("{digits}000000"),
        12 => format!("{digits}00"),
        14 => digits.to_owned(),
        _ => return Err(wrong()),
    };
    let there = DateTime::strptime("%Y%m%d%H%M%S", whole).map_err(|_| wrong())?;
    zone.to_timestamp(there).map_err(|_| wrong())
}
