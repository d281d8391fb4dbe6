use std::net::SocketAddrV4;

use proptest::prelude::*;

use super::*;

fn routes(service: &str, urls: &[&str], targets: &[&str]) -> Routes {
    Routes {
        service: service.parse().unwrap(),
        urls: urls.iter().map(|url| ServiceUrl::try_from((*url).to_owned()).unwrap()).collect(),
        targets: targets.iter().map(|target| target.parse().unwrap()).collect(),
        healthcheck: None,
        hold: None,
    }
}

fn check() -> HealthCheck {
    HealthCheck { path: "/health".into(), interval: Duration::from_secs(10), timeout: Duration::from_millis(1500) }
}

fn text(routes: &Routes) -> String {
    render(routes, Some("default")).text
}

#[test]
fn an_http_url_leads_to_its_containers() {
    insta::assert_snapshot!(text(&routes("hello", &["http://hello.test"], &["10.97.0.3:80", "10.97.0.4:80"])));
}

#[test]
fn an_https_url_has_a_certificate_hsts_and_a_redirect() {
    insta::assert_snapshot!(text(&routes("hello", &["https://hello.test"], &["10.97.0.3:80"])));
}

#[test]
fn https_without_a_resolver_asks_for_no_certificate() {
    let rendered = render(&routes("hello", &["https://hello.test"], &[]), None);
    let parsed: toml::Table = rendered.text.parse().unwrap();
    assert_eq!(parsed["http"]["routers"]["hello-url-1"]["tls"].as_table().map(toml::Table::len), Some(0));
}

#[test]
fn a_url_that_is_also_wanted_without_https_is_not_redirected() {
    let both = render(&routes("hello", &["https://hello.test/a", "http://hello.test/a"], &[]), None);
    let names: Vec<_> = both.items.iter().map(|item| item.name.as_str()).collect();
    assert_eq!(names, ["hello-url-1", "hello-url-2", "hello", "hello-retry"]);
}

#[test]
fn several_urls_with_paths_are_several_routers() {
    let urls = ["http://hello.test/caf%C3%A9", "https://hello.test/b", "http://xn--bcher-kva.test"];
    insta::assert_snapshot!(text(&routes("team/rob.api", &urls, &["10.97.0.3:8080"])));
}

#[test]
fn a_health_check_is_passed_on() {
    let mut routes = routes("hello", &["http://hello.test"], &["10.97.0.3:80"]);
    routes.healthcheck = Some(check());
    insta::assert_snapshot!(text(&routes));
}

#[test]
fn holding_is_retrying_for_long_and_suspends_the_health_check() {
    let mut routes = routes("hello", &["https://hello.test"], &["10.97.0.3:80"]);
    routes.healthcheck = Some(check());
    routes.hold = Some(Duration::from_secs(60));
    insta::assert_snapshot!(text(&routes));
}

#[test]
fn a_rush_is_borne_as_a_hold_is_and_its_routes_are_the_lasting_ones() {
    let mut routes = routes("hello", &["https://hello.test"], &["10.97.0.3:80"]);
    routes.healthcheck = Some(check());
    let rush = render_for_rush(&routes, None).text;
    let body = |text: &str| text.split_once("[http.routers").unwrap().1.to_owned();
    let held = Routes { hold: Some(RUSH), ..routes.clone() };
    let edition = |rendered: &Rendered| rendered.edition.clone();
    let as_held = body(&render(&held, None).text).replace(&edition(&render(&held, None)), "");
    assert_eq!(body(&rush).replace(&edition(&render_for_rush(&routes, None)), ""), as_held);
    assert_eq!(parse(&rush), Some(routes));
}

#[test]
fn without_targets_and_urls_the_service_is_known_all_the_same() {
    insta::assert_snapshot!(text(&routes("hello", &[], &[])));
}

#[test]
fn everything_the_file_defines_is_to_be_confirmed() {
    let mut routes = routes("hello", &["https://hello.test"], &[]);
    routes.hold = Some(Duration::from_secs(1));
    let rendered = render(&routes, None);
    let names: Vec<_> = rendered.items.iter().map(|item| item.name.as_str()).collect();
    assert_eq!(names, ["hello-redirect-1", "hello-url-1", "hello", "hello-retry"]);
    assert!(rendered.text.contains(&format!("[http.middlewares.{}.chain]", rendered.edition)));
}

#[test]
fn attempts_outlast_the_hold_even_if_every_wait_is_the_shortest() {
    for (seconds, attempts) in [(0, 1), (1, 21), (60, 1201)] {
        match retries(Some(Duration::from_secs(seconds))) {
            MiddlewareEntry::Retry { attempts: found, .. } => assert_eq!(found, attempts),
            MiddlewareEntry::Chain { .. } => panic!("a hold is a retry"),
        }
    }
}

#[test]
fn files_of_others_hold_no_routes() {
    let ours = text(&routes("hello", &[], &[]));
    for foreign in ["", "[http]\n", &ours.replace("mypaas", "somebody"), &ours.replace("{\"service", "{\"servant")] {
        assert_eq!(parse(foreign), None, "{foreign}");
    }
}

#[test]
fn no_service_can_take_the_names_of_another() {
    let services = [
        "a",
        "unchecked-a",
        "failover-a",
        "a-url-1",
        "a-redirect-1",
        "a-retry",
        "a-url",
        "a.url-1",
        "a/url-1",
        "a-edition-000000000000",
    ];
    let mut seen = Vec::new();
    for service in services {
        let mut routes = routes(service, &["https://a.test", "http://b.test"], &[]);
        routes.healthcheck = Some(check());
        let rendered = render(&routes, None);
        let edition = Item { kind: Kind::Middleware, name: rendered.edition };
        for item in rendered.items.into_iter().chain([edition]) {
            assert!(!seen.contains(&item), "{item:?}");
            seen.push(item);
        }
    }
}

fn any_routes() -> impl Strategy<Value = Routes> {
    let url = prop_oneof![
        "(http|https)://[a-z]{1,8}\\.test(/[a-zA-Z0-9%é`\"~ -]{1,8}){0,2}"
            .prop_filter_map("a URL", |text| { ServiceUrl::try_from(text).ok() })
    ];
    let target = (any::<[u8; 4]>(), 1u16..).prop_map(|(ip, port)| SocketAddrV4::new(ip.into(), port));
    let check = ("/[a-z\"\\\\\n]{0,8}", 1u64..1_000_000).prop_map(|(path, interval)| HealthCheck {
        path,
        interval: Duration::from_millis(interval),
        timeout: Duration::from_millis(interval / 2),
    });
    let name = "[a-z]{1,8}([._/-][a-z0-9]{1,4}){0,3}".prop_map(|name| name.parse().unwrap());
    let hold = proptest::option::of((0u64..100_000).prop_map(Duration::from_millis));
    let many = (proptest::collection::vec(url, 0..4), proptest::collection::vec(target, 0..4));
    (name, many, proptest::option::of(check), hold).prop_map(|(service, (urls, targets), healthcheck, hold)| Routes {
        service,
        urls,
        targets,
        healthcheck,
        hold,
    })
}

proptest! {
    #[test]
    fn what_is_written_is_valid_and_reads_back(routes in any_routes()) {
        let rendered = render(&routes, None);
        prop_assert_eq!(parse(&rendered.text), Some(routes));
        let parsed: toml::Table = rendered.text.parse().unwrap();
        prop_assert!(parsed["http"]["middlewares"].get(&rendered.edition).is_some());
    }

    #[test]
    fn a_file_says_how_it_was_made(routes in any_routes()) {
        let (usual, rush) = (render(&routes, None), render_for_rush(&routes, None));
        for made in [&usual, &rush] {
            prop_assert_eq!(rendered(&made.text, None), Some(made.clone()));
        }
        prop_assert!(is_for_rush(&rush.text, None) && is_patient(&rush.text, None));
        prop_assert_eq!(is_patient(&usual.text, None), routes.hold.is_some());
    }

    #[test]
    fn different_routes_have_different_editions(one in any_routes(), other in any_routes()) {
        prop_assert_eq!(one == other, render(&one, None).edition == render(&other, None).edition);
    }
}
