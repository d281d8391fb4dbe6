//! A filter of services by what they are, not by what happens to be drawn.
//!
//! Words that all must match: a plain word is looked for in name, server, state, release and URLs; `state:down`,
//! `name:api`, `server:s2`, `release:r12` and `url:example.com` in one of them; `cpu>50`, `mem>200m`, `age<1h` and
//! `restarts>0` compare what is used; `!word` must not match.

mod figure;

use mypaas::api::{ServiceState, ServiceView};

use self::figure::Comparison;
use super::fleet::ServerEntry;
use super::line::Line;

/// The filter as it is typed, and what it means.
#[derive(Debug, Clone, Default)]
pub(crate) struct Filter {
    pub line: Line,
    terms: Vec<Term>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Term {
    what: What,
    negated: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum What {
    Is {
        field: Field,
        /// Lower case.
        text: String,
    },
    Compares(Comparison),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Field {
    Any,
    Name,
    Server,
    State,
    Release,
    Url,
}

const FIELDS: [(&str, Field); 5] = [
    ("name:", Field::Name),
    ("server:", Field::Server),
    ("state:", Field::State),
    ("release:", Field::Release),
    ("url:", Field::Url),
];

impl Filter {
    pub(crate) fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }

    /// To be called after the line changed.
    pub(crate) fn read(&mut self) {
        self.terms = self.line.text().split_whitespace().filter_map(term).collect();
    }

    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }

    pub(crate) fn matches(&self, server: &ServerEntry, service: &ServiceView) -> bool {
        self.terms.iter().all(|term| term.matches(server, service) != term.negated)
    }
}

fn term(word: &str) -> Option<Term> {
    let lower = word.to_lowercase();
    let (negated, rest) = match lower.strip_prefix('!') {
        Some(rest) => (true, rest),
        None => (false, lower.as_str()),
    };
    if figure::is_begun(rest) {
        return Comparison::read(rest).map(|comparison| Term { what: What::Compares(comparison), negated });
    }
    let named = FIELDS.iter().find_map(|(name, field)| Some((*field, rest.strip_prefix(name)?)));
    let (field, text) = named.unwrap_or((Field::Any, rest));
    (!text.is_empty()).then(|| Term { what: What::Is { field, text: text.to_owned() }, negated })
}

impl Term {
    fn matches(&self, server: &ServerEntry, service: &ServiceView) -> bool {
        match &self.what {
            What::Is { field, text } => field.has(text, server, service),
            What::Compares(comparison) => comparison.matches(server, service),
        }
    }
}

impl Field {
    fn has(self, text: &str, server: &ServerEntry, service: &ServiceView) -> bool {
        let is_release = || service.release.is_some_and(|release| release.to_string() == text);
        match self {
            Field::Name => service.name.as_str().contains(text),
            Field::Server => server.name.as_str().contains(text),
            Field::State => is_state(service, text),
            Field::Release => is_release(),
            Field::Url => service.urls.iter().any(|url| url.to_string().contains(text)),
            Field::Any => {
                is_release()
                    || [Field::Name, Field::Server, Field::State, Field::Url]
                        .into_iter()
                        .any(|field| field.has(text, server, service))
            }
        }
    }
}

/// A state matches by the beginning of its word, so that `down` typed half narrows already.
fn is_state(service: &ServiceView, text: &str) -> bool {
    let deploying = service.last_deploy.as_ref().is_some_and(|deploy| !deploy.is_finished());
    state_word(service.state).starts_with(text) || deploying && "deploying".starts_with(text)
}

/// The state of a service in one word.
pub(crate) fn state_word(state: ServiceState) -> &'static str {
    match state {
        ServiceState::Running => "running",
        ServiceState::Degraded => "degraded",
        ServiceState::Down => "down",
        ServiceState::Stopped => "stopped",
        ServiceState::NeverLive => "never live",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::fixture;

    fn names(filter: &str) -> Vec<String> {
        let fleet = fixture::fleet();
        let mut it = Filter { line: Line::of(filter), terms: Vec::new() };
        it.read();
        let all =
            fleet.servers.iter().flat_map(|server| server.services().iter().map(move |service| (server, service)));
        all.filter(|(server, service)| it.matches(server, service))
            .map(|(_, service)| service.name.to_string())
            .collect()
    }

    #[test]
    fn a_filter_looks_at_meanings() {
        assert_eq!(names("state:down"), ["blog"]);
        assert_eq!(names("shop.example"), ["shop", "shop.worker"]);
        assert_eq!(names("server:s2 !cron"), ["metrics"]);
        assert_eq!(names("r14"), ["api"]);
        assert_eq!(names("deploying"), ["shop"]);
        assert_eq!(names("state:r14"), [""; 0]);
        assert_eq!(names("BLOG"), ["blog"]);
    }

    #[test]
    fn a_filter_compares_figures_not_their_digits() {
        assert_eq!(names("cpu>15"), ["api"]);
        assert_eq!(names("mem>100m !api"), ["shop"]);
        assert_eq!(names("age<1d"), ["docs", "metrics"]);
        assert_eq!(names("restarts>4"), ["blog"]);
        assert_eq!(names("req>10"), ["api"]);
        assert_eq!(names("errors>1%"), ["shop"]);
        assert_eq!(names("p95>500ms"), ["shop"]);
        assert_eq!(names("cert<14d"), ["blog", "shop"]);
        assert_eq!(names("!cpu>0 state:never"), ["draft"]);
    }

    #[test]
    fn a_half_typed_filter_hides_nothing() {
        assert_eq!(names("state:").len(), names("").len());
        assert_eq!(names("!").len(), names("").len());
        assert_eq!(names("cpu>").len(), names("").len());
    }
}
