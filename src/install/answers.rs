//! An operator's answers, and how they get into `config.toml`: what else stands there stays, with its comments.

use toml_edit::{DocumentMut, Item, Table, value};

use crate::manifest::ServiceUrl;
use crate::server::config::Config;

/// What an operator answered; none: what stands in the file stays, or else the default holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Answers {
    /// Under which the server itself is reached.
    pub domain: Option<Domain>,
    /// For the certificate authority.
    pub email: Option<String>,
    pub http_port: Option<u16>,
    pub https_port: Option<u16>,
    /// The API over plain http, although whoever is on the way reads along.
    pub plain_http: Option<bool>,
}

/// A name that requests can be addressed to: no scheme, no path, no port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Domain(String);

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no domain; one is written as paas.example.com")]
pub struct DomainError(String);

impl Domain {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::str::FromStr for Domain {
    type Err = DomainError;

    fn from_str(text: &str) -> Result<Self, DomainError> {
        let error = || DomainError(text.to_owned());
        let ServiceUrl { host, path, .. } = ServiceUrl::try_from(format!("https://{text}")).map_err(|_| error())?;
        let is_domain = path.is_empty() && host == text.to_ascii_lowercase();
        if is_domain { Ok(Self(host)) } else { Err(error()) }
    }
}

/// A setting that gets another value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// As in `init.domain`.
    pub key: String,
    /// As they are written.
    pub before: Option<String>,
    pub after: String,
}

/// Why the answers cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum AnswersError {
    #[error("config.toml cannot be read")]
    Text(#[from] toml_edit::TomlError),
    #[error("[{0}] in config.toml is written in a way that cannot be added to; write it as a section of its own")]
    Section(String),
    #[error("config.toml would not be as it should be")]
    Invalid(#[from] toml::de::Error),
}

/// The file's new text, and what is different in it. The same text when nothing is.
pub fn apply(text: &str, answers: &Answers) -> Result<(String, Vec<Change>), AnswersError> {
    let mut document: DocumentMut = text.parse()?;
    let mut changes = Vec::new();
    for (section, key, new) in answers.settings() {
        let table = document.entry(section).or_insert_with(|| Item::Table(Table::new()));
        let table = table.as_table_like_mut().ok_or_else(|| AnswersError::Section(section.to_owned()))?;
        let written = |item: &Item| item.as_value().map(|value| value.clone().decorated("", "").to_string());
        let (before, after) = (table.get(key).and_then(written), written(&new).unwrap_or_default());
        if before.as_ref() == Some(&after) {
            continue;
        }
        changes.push(Change { key: format!("{section}.{key}"), before, after });
        set(table, key, new);
    }
    if changes.is_empty() {
        return Ok((text.to_owned(), changes));
    }
    let text = document.to_string();
    toml::from_str::<Config>(&text)?;
    Ok((text, changes))
}

/// Keeps the comment behind the old value.
fn set(table: &mut dyn toml_edit::TableLike, key: &str, mut new: Item) {
    let old = table.get(key).and_then(Item::as_value).map(|old| old.decor().clone());
    if let (Some(decor), Some(new)) = (old, new.as_value_mut()) {
        *new.decor_mut() = decor;
    }
    table.insert(key, new);
}

impl Answers {
    /// Section, key and value of each that was given.
    fn settings(&self) -> Vec<(&'static str, &'static str, Item)> {
        let Self { domain, email, http_port, https_port, plain_http } = self;
        let port = |port: &u16| value(i64::from(*port));
        let settings = [
            ("init", "domain", domain.as_ref().map(|domain| value(domain.as_str()))),
            ("init", "email", email.as_ref().map(value)),
            ("router", "http_port", http_port.as_ref().map(port)),
            ("router", "https_port", https_port.as_ref().map(port)),
            ("api", "http", plain_http.map(value)),
        ];
        settings.into_iter().filter_map(|(section, key, value)| Some((section, key, value?))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answers() -> Answers {
        Answers {
            domain: Some("paas.example.com".parse().unwrap()),
            email: Some("ada@example.com".to_owned()),
            http_port: Some(8080),
            ..Answers::default()
        }
    }

    #[test]
    fn a_new_file_holds_what_was_answered_and_nothing_else() {
        let (text, changes) = apply("", &answers()).unwrap();
        assert_eq!(
            text,
            "[init]\ndomain = \"paas.example.com\"\nemail = \"ada@example.com\"\n\n[router]\nhttp_port = 8080\n"
        );
        assert_eq!(changes.len(), 3);
        assert_eq!(changes[2], Change { key: "router.http_port".into(), before: None, after: "8080".into() });
        assert_eq!(apply(&text, &answers()).unwrap(), (text, vec![]), "twice is once");
        assert_eq!(apply("", &Answers::default()).unwrap(), (String::new(), vec![]));
    }

    #[test]
    fn all_else_in_the_file_stays_with_its_comments() {
        let text = "# ours\n[init]\ndomain = \"old.example.com\" # since 2023\nweb_credentials = \"admin:x\"\n\n\
                    [env]\nTOKEN = 's3cret' # no one's business\n";
        let (after, changes) = apply(text, &Answers { email: None, http_port: None, ..answers() }).unwrap();
        assert_eq!(after, text.replace("old.example.com", "paas.example.com"));
        let old = Some("\"old.example.com\"".to_owned());
        assert_eq!(changes, [Change { key: "init.domain".into(), before: old, after: "\"paas.example.com\"".into() }]);
    }

    #[test]
    fn what_cannot_be_added_to_is_told() {
        assert!(matches!(apply("init = 3\n", &answers()), Err(AnswersError::Section(_))));
        assert!(matches!(apply("[init\n", &answers()), Err(AnswersError::Text(_))));
        assert!(matches!(apply("[deploy]\ndrane = 1\n", &answers()), Err(AnswersError::Invalid(_))));
        let (text, _) = apply("init = { email = \"b@example.com\" }\n", &answers()).unwrap();
        assert!(text.starts_with("init = { email = \"ada@example.com\" , domain = \"paas.example.com\" }"), "{text}");
    }

    #[test]
    fn a_domain_is_a_domain() {
        assert_eq!("PaaS.example.com".parse::<Domain>().unwrap().as_str(), "paas.example.com");
        for wrong in ["", "https://a.example", "a.example/x", "a.example:80", "a b", "x`)||Host(`y"] {
            assert!(wrong.parse::<Domain>().is_err(), "{wrong}");
        }
    }
}
