//! The router's switch against a real Traefik: what it serves, what it confirms, and that no request is lost.

#![cfg(test)]

#[path = "support/backend.rs"]
mod backend;
#[path = "support/load.rs"]
mod load;
#[path = "support/traefik.rs"]
mod traefik;

use std::net::{SocketAddr, SocketAddrV4};
use std::os::unix::fs::MetadataExt;
use std::process::Command;
use std::time::{Duration, Instant};

use mypaas::manifest::{HealthCheck, Scheme, ServiceUrl};
use mypaas::router::{RouterError, Routes};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::time::sleep;

use self::backend::Backend;
use self::load::{Load, Pressure};
use self::traefik::Traefik;

/// From the confirmation until no request is on its way any more to what was replaced.
const DRAIN: Duration = Duration::from_millis(500);

fn routes(service: &str, urls: &[&str], targets: &[SocketAddrV4]) -> Routes {
    Routes {
        service: service.parse().unwrap(),
        urls: urls.iter().map(|url| ServiceUrl::try_from((*url).to_owned()).unwrap()).collect(),
        targets: targets.to_vec(),
        healthcheck: None,
        hold: None,
    }
}

fn load(traefik: &Traefik, per_second: u32) -> Load {
    Load {
        server: traefik.web(),
        host: "hello.test".into(),
        per_second,
        limit: Duration::from_secs(20),
        pressure: Pressure::Yielding { most_waiting: 400 },
    }
}

/// The head and body of the answer to one request.
async fn ask(mut stream: TcpStream, method: &str, host: &str, path: &str, more: &str) -> String {
    let request = format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{more}\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

async fn get(traefik: &Traefik, host: &str, path: &str) -> String {
    ask(TcpStream::connect(traefik.web()).await.unwrap(), "GET", host, path, "").await
}

fn status(answer: &str) -> &str {
    answer.get(9..12).unwrap_or("none")
}

#[tokio::test]
async fn requests_follow_host_and_longest_path() {
    let traefik = Traefik::start().await;
    let (whole, part) = (Backend::start(traefik.container(2)).await, Backend::start(traefik.container(3)).await);
    traefik.switch.apply(&routes("whole", &["http://hello.test"], &[whole.address])).await.unwrap();
    let parts = ["http://hello.test/part", "http://hello.test/caf%C3%A9", "http://b.test/a+b/c"];
    traefik.switch.apply(&routes("rob.api/part", &parts, &[part.address])).await.unwrap();
    for (host, path, backend) in [
        ("hello.test", "/", &whole),
        ("hello.test", "/other/part", &whole),
        ("hello.test", "/part", &part),
        ("hello.test", "/part/x%2Fy?z", &part),
        ("hello.test", "/caf%C3%A9", &part),
        ("b.test", "/a+b/c", &part),
    ] {
        let answer = get(&traefik, host, path).await;
        assert!(answer.ends_with(&backend.address.ip().to_string()), "{host}{path}: {answer}");
    }
    assert_eq!(status(&get(&traefik, "b.test", "/").await), "404");
}

#[tokio::test]
async fn https_routes_are_redirected_to_and_empty_ones_are_unavailable() {
    let traefik = Traefik::start().await;
    traefik.switch.apply(&routes("safe", &["https://safe.test/a"], &[])).await.unwrap();
    let redirect = get(&traefik, "safe.test", "/a/b?c").await;
    assert_eq!(status(&redirect), "301");
    assert!(redirect.contains("Location: https://safe.test/a/b?c\r\n"), "{redirect}");
    let mut empty = routes("empty", &["http://empty.test"], &[]);
    for hold in [None, Some(Duration::from_secs(5))] {
        empty.hold = hold;
        traefik.switch.apply(&empty).await.unwrap();
        assert_eq!(status(&get(&traefik, "empty.test", "/").await), "503");
    }
    let complaints: Vec<_> = traefik.log().lines().filter(|line| line.contains(" ERR ")).map(str::to_owned).collect();
    assert!(complaints.is_empty(), "{complaints:?}");
}

/// Traefik would make a certificate anew at each change, which takes longer than the change.
#[tokio::test]
async fn a_domain_that_there_is_no_certificate_for_gets_one_that_says_so() {
    let traefik = Traefik::start().await;
    let place = format!("nobody.test:443:{}", traefik.secure());
    let asked = Command::new("curl").args(["-skv", "--connect-to", &place, "https://nobody.test/"]).output().unwrap();
    let told = String::from_utf8_lossy(&asked.stderr);
    assert!(told.contains("issuer: CN=mypaas: there is no certificate for this domain"), "{told}");
}

#[tokio::test]
async fn what_is_live_is_confirmed_again_without_a_write_and_withdrawn_for_good() {
    let traefik = Traefik::start().await;
    let backend = Backend::start(traefik.container(2)).await;
    let hello = routes("hello", &["http://hello.test"], &[backend.address]);
    traefik.switch.apply(&hello).await.unwrap();
    let file = traefik.switch.files.routes_folder().join("hello.toml");
    let written = std::fs::metadata(&file).unwrap().ino();
    traefik.switch.apply(&hello).await.unwrap();
    assert_eq!(std::fs::metadata(&file).unwrap().ino(), written);
    for _ in 0..2 {
        traefik.switch.withdraw(&hello.service).await.unwrap();
        assert_eq!(status(&get(&traefik, "hello.test", "/").await), "404");
        assert!(!file.exists());
    }
}

#[tokio::test]
async fn many_services_change_at_the_same_time() {
    let traefik = Traefik::start().await;
    let backend = Backend::start(traefik.container(2)).await;
    let urls: Vec<_> = (0..20).map(|number| format!("http://h{number}.test")).collect();
    let applied = urls.iter().enumerate().map(|(number, url)| {
        let (switch, routes) = (traefik.switch.clone(), routes(&format!("h{number}"), &[url], &[backend.address]));
        tokio::spawn(async move { switch.apply(&routes).await })
    });
    for applied in applied.collect::<Vec<_>>() {
        applied.await.unwrap().unwrap();
    }
    for number in 0..20 {
        assert_eq!(status(&get(&traefik, &format!("h{number}.test"), "/").await), "200");
    }
}

#[tokio::test]
async fn a_refused_route_is_told_in_traefiks_words_and_the_former_one_serves_on() {
    let traefik = Traefik::start().await;
    let backend = Backend::start(traefik.container(2)).await;
    let good = routes("hello", &["http://hello.test"], &[backend.address]);
    traefik.switch.apply(&good).await.unwrap();
    let mut bad = good.clone();
    bad.urls.push(ServiceUrl { scheme: Scheme::Http, host: "bad`host".into(), path: String::new() });
    let refused = traefik.switch.apply(&bad).await.unwrap_err();
    assert!(matches!(&refused, RouterError::Refused { detail, .. } if detail.contains("parsing rule")), "{refused}");
    assert_eq!(traefik.switch.files.routes().await.unwrap(), [good]);
    assert_eq!(status(&get(&traefik, "hello.test", "/").await), "200");
}

#[tokio::test]
async fn a_change_that_traefik_never_takes_up_is_put_back() {
    let mut traefik = Traefik::start().await;
    let (one, other) = (traefik.container(2), traefik.container(3));
    let live = routes("hello", &["http://hello.test"], &[one]);
    traefik.switch.apply(&live).await.unwrap();
    traefik.switch.patience.limit = Duration::from_millis(400);
    traefik.switch.patience.nudge = Duration::from_millis(200);
    let broken = traefik.switch.files.routes_folder().join("broken.toml");
    std::fs::write(&broken, "[http]\nrouters = 1\n").unwrap();
    let unseen = traefik.switch.apply(&Routes { targets: vec![other], ..live.clone() }).await.unwrap_err();
    assert!(matches!(unseen, RouterError::Unconfirmed { .. }), "{unseen}");
    assert_eq!(traefik.switch.files.routes().await.unwrap(), [live]);
}

#[tokio::test]
async fn while_traefik_is_down_nothing_changes_and_one_that_comes_back_is_waited_for() {
    let mut traefik = Traefik::start().await;
    let live = routes("hello", &["http://hello.test"], &[traefik.container(2)]);
    traefik.switch.apply(&live).await.unwrap();
    traefik.stop();
    let changed = Routes { targets: vec![traefik.container(3)], ..live.clone() };
    let mut hasty = traefik.switch.clone();
    hasty.patience.limit = Duration::from_millis(100);
    for failed in [hasty.apply(&changed).await, hasty.withdraw(&live.service).await] {
        assert!(matches!(failed, Err(RouterError::Unreachable { .. })), "{failed:?}");
        assert_eq!(traefik.switch.files.routes().await.unwrap(), std::slice::from_ref(&live));
    }
    let patient = traefik.switch.clone();
    let wanted = changed.clone();
    let waiting = tokio::spawn(async move { patient.apply(&wanted).await });
    sleep(Duration::from_millis(200)).await;
    traefik.run();
    waiting.await.unwrap().unwrap();
    assert_eq!(traefik.switch.files.routes().await.unwrap(), [changed]);
}

#[tokio::test]
async fn traefiks_api_is_for_the_server_alone() {
    let traefik = Traefik::start().await;
    let login = format!("mypaas:{}", traefik.password.expose());
    let login = base64::Engine::encode(&base64::prelude::BASE64_STANDARD, login);
    let header = format!("Authorization: Basic {login}\r\n");
    for path in ["/api/rawdata", "/metrics"] {
        let from_server = TcpStream::connect(traefik.api()).await.unwrap();
        assert_eq!(status(&ask(from_server, "GET", "x", path, &header).await), "200");
        let nobody = TcpStream::connect(traefik.api()).await.unwrap();
        assert_eq!(status(&ask(nobody, "GET", "x", path, "").await), "401");
        let elsewhere = TcpSocket::new_v4().unwrap();
        elsewhere.bind(SocketAddr::new((*traefik.container(9).ip()).into(), 0)).unwrap();
        let elsewhere = elsewhere.connect(traefik.api()).await.unwrap();
        assert_eq!(status(&ask(elsewhere, "GET", "x", path, &header).await), "403");
        assert_eq!(status(&get(&traefik, "x", path).await), "404");
    }
}

/// So long that also on a busy machine only the answer decides.
const HEALTH_TIMEOUT: Duration = Duration::from_secs(1);

/// Two containers of `hello`.
async fn asked_for_their_health(traefik: &Traefik, every: Duration) -> [Backend; 2] {
    let both = [Backend::start(traefik.container(2)).await, Backend::start(traefik.container(3)).await];
    let addresses = [both[0].address, both[1].address];
    let mut hello = routes("hello", &["http://hello.test"], &addresses);
    hello.healthcheck = Some(HealthCheck { path: "/health".into(), interval: every, timeout: HEALTH_TIMEOUT });
    traefik.switch.apply(&hello).await.unwrap();
    both
}

#[tokio::test]
async fn a_container_that_fails_its_health_check_gets_no_requests_until_it_recovers() {
    let traefik = Traefik::start().await;
    let every = Duration::from_millis(100);
    let [one, other] = asked_for_their_health(&traefik, every).await;
    let answers = async || {
        let running = load(&traefik, 100).start();
        sleep(Duration::from_millis(400)).await;
        let report = running.stop().await;
        assert_eq!(report.failed(), 0, "{report}");
        report.answers.into_keys().collect::<Vec<_>>()
    };
    let names = [one.address.ip().to_string(), other.address.ip().to_string()];
    for (healthy, expected) in [(false, &names[..1]), (true, &names[..])] {
        other.set_healthy(healthy);
        let limit = Instant::now() + Duration::from_secs(10);
        let mut found = answers().await;
        while found != expected {
            assert!(Instant::now() < limit, "healthy: {healthy}, but {found:?} answer");
            found = answers().await;
        }
    }
}

#[tokio::test]
async fn containers_that_all_fail_their_health_check_are_asked_all_the_same() {
    let traefik = Traefik::start().await;
    let every = Duration::from_millis(50);
    let [one, other] = asked_for_their_health(&traefik, every).await;
    let running = load(&traefik, 500).start();
    for healthy in [false, true, false] {
        one.set_healthy(healthy);
        sleep(3 * every).await;
        other.set_healthy(healthy);
        sleep(6 * every).await;
    }
    // What Traefik finds and counts shows a little later.
    let limit = Instant::now() + Duration::from_secs(10);
    let unwell = async || {
        let counts = traefik.switch.api.traffic().await.unwrap().remove(&"hello".parse().unwrap());
        counts.map(|counts| counts.unwell.into_iter().collect::<Vec<_>>()).unwrap_or_default()
    };
    while unwell().await != [one.address, other.address] {
        assert!(Instant::now() < limit, "the operator is not told: {:?}", unwell().await);
        sleep(every).await;
    }
    let report = running.stop().await;
    assert_eq!(report.failed(), 0, "{report}");
    assert_eq!(report.answers.len(), 2, "{report}");
    let counted = async || {
        let traffic = traefik.switch.api.traffic().await.unwrap();
        traffic.into_iter().map(|(service, counts)| (service.to_string(), counts.requests)).collect::<Vec<_>>()
    };
    while counted().await != [("hello".to_owned(), report.sent)] {
        assert!(Instant::now() < limit, "{report}, but counted are {:?}", counted().await);
        sleep(every).await;
    }
}

#[tokio::test]
async fn a_container_that_does_not_answer_costs_no_request_while_others_do() {
    let traefik = Traefik::start().await;
    let (one, other) = (Backend::start(traefik.container(2)).await, Backend::start(traefik.container(3)).await);
    let targets = [one.address, traefik.container(4), other.address];
    traefik.switch.apply(&routes("hello", &["http://hello.test"], &targets)).await.unwrap();
    let running = load(&traefik, 100).start();
    sleep(Duration::from_secs(1)).await;
    let report = running.stop().await;
    assert_eq!(report.failed(), 0, "{report}");
}

#[tokio::test]
async fn a_request_that_reached_a_container_is_never_sent_again() {
    let traefik = Traefik::start().await;
    let rude = TcpListener::bind(traefik.container(2)).await.unwrap();
    let mut hello = routes("hello", &["http://hello.test"], &[traefik.container(2)]);
    hello.hold = Some(Duration::from_secs(5));
    traefik.switch.apply(&hello).await.unwrap();
    let counting = tokio::spawn(async move {
        let mut requests = 0;
        while let Ok(Ok((mut stream, _))) = tokio::time::timeout(Duration::from_secs(1), rude.accept()).await {
            requests += usize::from(stream.read(&mut [0; 4096]).await.unwrap() > 0);
        }
        requests
    });
    let client = TcpStream::connect(traefik.web()).await.unwrap();
    let answer = ask(client, "POST", "hello.test", "/", "Content-Length: 0\r\n").await;
    assert_eq!(status(&answer), "502");
    assert_eq!(counting.await.unwrap(), 1);
}

#[tokio::test]
async fn no_request_fails_while_all_containers_are_replaced_one_by_one() {
    let traefik = Traefik::start().await;
    let mut live = Vec::new();
    for number in 2..5 {
        live.push(Backend::start(traefik.container(number)).await);
    }
    let apply = async |live: &[Backend]| {
        let targets: Vec<_> = live.iter().map(|backend| backend.address).collect();
        traefik.switch.apply(&routes("hello", &["http://hello.test"], &targets)).await.unwrap();
    };
    apply(&live).await;
    let running = load(&traefik, 500).start();
    for number in 5..8 {
        let old = live.remove(0);
        live.push(Backend::start(traefik.container(number)).await);
        apply(&live).await;
        sleep(DRAIN).await;
        old.retire().await;
    }
    let report = running.stop().await;
    println!("{report}");
    assert_eq!(report.failed(), 0, "{report}");
    assert_eq!(report.answers.len(), 6, "{report}");
}

#[tokio::test]
async fn requests_held_over_a_gap_are_answered_and_others_fail() {
    let traefik = Traefik::start().await;
    let every = Duration::from_millis(100);
    let mut hello = routes("hello", &["http://hello.test"], &[traefik.container(2)]);
    hello.healthcheck = Some(HealthCheck { path: "/health".into(), interval: every, timeout: every });
    let mut gaps = Vec::new();
    for hold in [Some(Duration::from_secs(10)), None] {
        let old = Backend::start(traefik.container(2)).await;
        hello.targets = vec![old.address];
        hello.hold = None;
        traefik.switch.apply(&hello).await.unwrap();
        let running = load(&traefik, 300).start();
        hello.targets = vec![traefik.container(3)];
        hello.hold = hold;
        traefik.switch.apply(&hello).await.unwrap();
        sleep(DRAIN).await;
        old.retire().await;
        sleep(Duration::from_secs(2)).await;
        let new = Backend::start(traefik.container(3)).await;
        hello.hold = None;
        sleep(DRAIN).await;
        traefik.switch.apply(&hello).await.unwrap();
        traefik.switch.calm_when_due(&hello.service).await.unwrap();
        gaps.push(running.stop().await);
        drop(new);
    }
    let [held, lost] = &gaps[..] else { panic!("two gaps") };
    println!("held: {held}\nnot held: {lost}");
    assert_eq!(held.failed(), 0, "{held}");
    assert!(lost.failures.keys().any(|kind| kind.contains("status 50")), "{lost}");
}

#[tokio::test]
async fn after_a_hold_requests_wait_until_the_rush_is_over() {
    let traefik = Traefik::start().await;
    let address = traefik.container(2);
    let mut hello = routes("hello", &["http://hello.test"], &[address]);
    hello.hold = Some(Duration::from_secs(10));
    traefik.switch.apply(&hello).await.unwrap();
    hello.hold = None;
    traefik.switch.apply(&hello).await.unwrap();
    // Nobody is there for longer than those wait who come at other times.
    let late = async {
        sleep(Duration::from_secs(5)).await;
        Backend::start(address).await
    };
    let (answer, backend) = tokio::join!(get(&traefik, "hello.test", "/"), late);
    assert_eq!(status(&answer), "200");
    traefik.switch.calm_when_due(&hello.service).await.unwrap();
    backend.retire().await;
    let start = Instant::now();
    assert_ne!(status(&get(&traefik, "hello.test", "/").await), "200");
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
}

#[tokio::test]
async fn a_held_request_fails_when_the_time_is_over() {
    let traefik = Traefik::start().await;
    let mut hello = routes("hello", &["http://hello.test"], &[traefik.container(2)]);
    hello.hold = Some(Duration::from_millis(700));
    traefik.switch.apply(&hello).await.unwrap();
    let start = Instant::now();
    assert_eq!(status(&get(&traefik, "hello.test", "/").await), "502");
    let waited = start.elapsed();
    assert!((Duration::from_millis(600)..Duration::from_secs(5)).contains(&waited), "{waited:?}");
}

#[tokio::test]
async fn a_change_is_confirmed_long_before_traefiks_default_throttle() {
    let traefik = Traefik::start().await;
    let mut times = Vec::new();
    for number in 0..20 {
        let hello = routes("hello", &["http://hello.test"], &[traefik.container(2 + number % 2)]);
        let start = Instant::now();
        traefik.switch.apply(&hello).await.unwrap();
        times.push(start.elapsed());
    }
    times.sort_unstable();
    println!("apply to confirmed: median {:.1?}, longest {:.1?}", times[10], times[19]);
    assert!(times[10] < Duration::from_secs(1), "{times:?}");
}
