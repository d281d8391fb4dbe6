//! Traefik's figures, in Prometheus' text format: a line a count, as in
//! `traefik_service_requests_total{code="200",service="hello@file"} 12`.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::config::UNCHECKED;
use crate::name::ServiceName;
use crate::router::traffic::Counts;

/// More than any server has; what comes after is left out.
const MOST_SERVICES: usize = 10_000;

/// Buckets of a histogram that are read.
const MOST_LIMITS: usize = 64;

/// Adds up what the lines say, service by service.
#[derive(Debug, Default)]
pub(super) struct Sum {
    services: BTreeMap<ServiceName, Counts>,
}

impl Sum {
    /// Lines that say something else are overlooked.
    pub(super) fn take(&mut self, line: &str) {
        let Some(rest) = line.strip_prefix("traefik_service_") else { return };
        let Some((metric, rest)) = rest.split_once('{') else { return };
        let Some((labels, value)) = rest.rsplit_once('}') else { return };
        let Some(Ok(value)) = value.split_whitespace().next().map(str::parse::<f64>) else { return };
        match metric {
            "requests_total" => self.count(labels, value),
            "request_duration_seconds_bucket" => self.measure(labels, value),
            "server_up" => self.judge(labels, value),
            _ => {}
        }
    }

    pub(super) fn into_counts(self) -> BTreeMap<ServiceName, Counts> {
        self.services
    }

    fn count(&mut self, labels: &str, value: f64) {
        let is_error = label(labels, "code").is_some_and(|code| code.starts_with('5'));
        let Some(counts) = self.counts(labels) else { return };
        counts.requests = counts.requests.saturating_add(value as u64);
        counts.errors = counts.errors.saturating_add(if is_error { value as u64 } else { 0 });
    }

    fn measure(&mut self, labels: &str, value: f64) {
        let Some(Ok(limit)) = label(labels, "le").map(|limit| limit.parse::<f64>()) else { return };
        let Some(counts) = self.counts(labels).filter(|_| !limit.is_nan()) else { return };
        match counts.durations.binary_search_by(|(known, _)| known.total_cmp(&limit)) {
            Ok(at) => {
                let known = &mut counts.durations[at].1;
                *known = known.saturating_add(value as u64);
            }
            Err(at) if counts.durations.len() < MOST_LIMITS => counts.durations.insert(at, (limit, value as u64)),
            Err(_) => {}
        }
    }

    fn judge(&mut self, labels: &str, value: f64) {
        let address = label(labels, "url").and_then(|url| url.strip_prefix("http://")?.parse().ok());
        if let (Some(address), true) = (address, value < 1.0)
            && let Some(counts) = self.counts(labels)
        {
            counts.unwell.insert(address);
        }
    }

    /// Of the service that is meant, if it is one of ours: they come from the files that we write.
    fn counts(&mut self, labels: &str) -> Option<&mut Counts> {
        let name = label(labels, "service")?;
        let name = name.strip_suffix("@file")?;
        let name = ServiceName::from_flat(name.strip_prefix(UNCHECKED).unwrap_or(name)).ok()?;
        if self.services.len() >= MOST_SERVICES && !self.services.contains_key(&name) {
            return None;
        }
        Some(self.services.entry(name).or_default())
    }
}

/// What a whole answer of Traefik's adds up to. Only for fuzzing.
#[cfg(fuzzing)]
pub fn added_up(text: &str) -> BTreeMap<ServiceName, Counts> {
    let mut sum = Sum::default();
    text.lines().for_each(|line| sum.take(line));
    sum.into_counts()
}

/// The value of one label, as in `a="x",b="say \"y\""`.
fn label<'t>(labels: &'t str, wanted: &str) -> Option<Cow<'t, str>> {
    let mut rest = labels;
    loop {
        let (name, after) = rest.split_once("=\"")?;
        let end = end_of_value(after)?;
        if name.trim_start_matches(',').trim() == wanted {
            return Some(unescaped(&after[..end]));
        }
        rest = &after[end + 1..];
    }
}

/// Where the quote is that ends it.
fn end_of_value(text: &str) -> Option<usize> {
    let mut is_escaped = false;
    text.bytes().position(|byte| {
        let ends = byte == b'"' && !is_escaped;
        is_escaped = byte == b'\\' && !is_escaped;
        ends
    })
}

fn unescaped(text: &str) -> Cow<'_, str> {
    if !text.contains('\\') {
        return text.into();
    }
    let mut plain = String::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => match characters.next() {
                Some('n') => plain.push('\n'),
                Some(other) => plain.push(other),
                None => {}
            },
            other => plain.push(other),
        }
    }
    plain.into()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TEXT: &str = r#"# HELP traefik_service_requests_total How many HTTP requests processed.
# TYPE traefik_service_requests_total counter
traefik_config_last_reload_success 1.7e+09
traefik_service_requests_total{code="200",method="GET",protocol="http",service="shop--api@file"} 120
traefik_service_requests_total{code="201",method="POST",protocol="http",service="shop--api@file"} 3
traefik_service_requests_total{code="502",method="GET",protocol="http",service="shop--api@file"} 7
traefik_service_requests_total{code="200",method="GET",protocol="http",service="_unchecked-shop--api@file"} 4
traefik_service_requests_total{code="200",method="GET",protocol="http",service="_server@file"} 9
traefik_service_requests_total{code="200",method="GET",protocol="http",service="api@internal"} 9
traefik_service_request_duration_seconds_bucket{code="200",method="GET",protocol="http",service="shop--api@file",le="0.1"} 100
traefik_service_request_duration_seconds_bucket{code="200",method="GET",protocol="http",service="shop--api@file",le="+Inf"} 120
traefik_service_request_duration_seconds_bucket{code="502",method="GET",protocol="http",service="shop--api@file",le="0.1"} 1
traefik_service_request_duration_seconds_bucket{code="502",method="GET",protocol="http",service="shop--api@file",le="+Inf"} 7
traefik_service_request_duration_seconds_sum{code="200",method="GET",protocol="http",service="shop--api@file"} 5.5
traefik_service_server_up{service="web@file",url="http://10.201.0.7:8080"} 0
traefik_service_server_up{service="web@file",url="http://10.201.0.8:8080"} 1
"#;

    fn read(text: &str) -> BTreeMap<ServiceName, Counts> {
        let mut sum = Sum::default();
        text.lines().for_each(|line| sum.take(line));
        sum.into_counts()
    }

    #[test]
    fn figures_that_no_counter_holds_are_as_large_as_it_gets() {
        let requests = "traefik_service_requests_total{code=\"500\",service=\"web@file\"} 1e300\n".repeat(2);
        let bucket = "traefik_service_request_duration_seconds_bucket{service=\"web@file\",le=\"1\"} 1e300\n".repeat(2);
        let counts = &read(&(requests + &bucket))[&"web".parse().unwrap()];
        assert_eq!((counts.requests, counts.errors), (u64::MAX, u64::MAX));
        assert_eq!(counts.durations, [(1.0, u64::MAX)]);
    }

    #[test]
    fn the_lines_of_a_service_are_added_up() {
        let counts = read(TEXT);
        let names: Vec<&str> = counts.keys().map(ServiceName::as_str).collect();
        assert_eq!(names, ["shop/api", "web"]);
        let api = &counts[&"shop/api".parse::<ServiceName>().unwrap()];
        assert_eq!((api.requests, api.errors), (134, 7));
        assert_eq!(api.durations, [(0.1, 101), (f64::INFINITY, 127)]);
        let web = &counts[&"web".parse::<ServiceName>().unwrap()];
        assert_eq!(web.unwell.iter().map(ToString::to_string).collect::<Vec<_>>(), ["10.201.0.7:8080"]);
    }

    #[test]
    fn quotes_and_backslashes_in_a_label_are_read_as_they_were_written() {
        let labels = r#"a="x\"y,b=\"1\\",b="two",c="a\nb""#;
        let found = ["a", "b", "c", "d"].map(|name| label(labels, name).map(Cow::into_owned));
        assert_eq!(found, [Some("x\"y,b=\"1\\".into()), Some("two".into()), Some("a\nb".into()), None]);
    }

    proptest! {
        #[test]
        fn no_text_makes_it_stumble(text in "(traefik_service_requests_total)?[a-z{}=\",\\\\ \n0-9@.+]{0,80}") {
            read(&text);
        }
    }
}
