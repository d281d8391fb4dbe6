//! Certificates for https URLs: from an authority that asks for a proof, renewed by themselves, or the operator's own.

use std::time::{Duration, Instant};

use mypaas::api::Standing;
use tokio::time::sleep;

use crate::stage::pebble::{Pebble, curl, free_port, make_certificate};
use crate::stage::{Settings, Stage};

/// Traefik looks whether to renew once a minute.
const LIMIT: Duration = Duration::from_secs(150);

/// With the authority that its server asks.
async fn stage() -> (Stage, Pebble) {
    let settings = Settings { http_port: free_port(), ..Settings::default() };
    let pebble = Pebble::start(settings.gateway(), settings.http_port).await;
    let stage = Stage::with(Settings { more: pebble.settings(), ..settings }).await;
    (stage, pebble)
}

impl Stage {
    /// How the only https URL of the service stands, once that is as wanted.
    async fn standing(&self, service: &str, wanted: impl Fn(&Standing) -> bool) -> Standing {
        let start = Instant::now();
        loop {
            let certificates = self.service(service).await.service.certificates;
            let [view] = certificates.as_slice() else { panic!("{certificates:?}") };
            if wanted(&view.standing) {
                return view.standing.clone();
            }
            assert!(start.elapsed() < LIMIT, "{view:?}");
            sleep(Duration::from_millis(200)).await;
        }
    }

    /// Asks by https; answers with what curl prints, with the answer's head.
    async fn get_secure(&self, domain: &str, authority: &std::path::Path) -> Option<String> {
        let port = self.https_port().await;
        let place = format!("{domain}:{port}:127.0.0.1");
        let url = format!("https://{domain}:{port}/");
        curl(&["-i", "--resolve", &place, "--cacert", authority.to_str().unwrap(), &url])
    }
}

#[tokio::test]
async fn a_certificate_is_got_served_and_renewed_without_a_restart() {
    let (stage, pebble) = stage().await;
    let folder = stage.project("shop", &["url=https://shop.test"], &[]);
    let began = Instant::now();
    stage.push(&folder).await.done();
    let first = stage.standing("shop", |standing| matches!(standing, Standing::Valid { .. })).await;
    eprintln!("the first certificate came {:?} after the push began", began.elapsed());
    let Standing::Valid { issuer, expires, refusal: None } = first else { panic!("{first:?}") };
    assert!(issuer.starts_with("Pebble"), "{issuer}");
    let answer = stage.get_secure("shop.test", &pebble.authority()).await.unwrap();
    assert!(answer.contains("(release r1,") && answer.to_lowercase().contains("strict-transport-security"), "{answer}");
    let plain = format!("http://{}/", stage.router().await);
    let redirect = curl(&["-H", "Host: shop.test", "-o", "/dev/null", "-w", "%{http_code} %{redirect_url}", &plain]);
    // The engine chose the port; the router knows but the usual one.
    assert_eq!(redirect.as_deref(), Some("301 https://shop.test/"));
    let told = stage.mypaas(&["status", "local", "shop"]).await.done();
    assert!(told.contains("https://shop.test  certificate by Pebble"), "{told}");

    let runs = stage.containers().await;
    let renewed = |standing: &Standing| matches!(standing, Standing::Valid { expires: other, .. } if *other > expires);
    stage.standing("shop", renewed).await;
    eprintln!("it was renewed {:?} after the push began", began.elapsed());
    assert!(stage.get_secure("shop.test", &pebble.authority()).await.is_some());
    assert_eq!(stage.containers().await, runs);
}

#[tokio::test]
async fn a_domain_that_gets_no_certificate_is_told_with_the_reason_and_one_may_bring_ones_own() {
    let (stage, pebble) = stage().await;
    pebble.point("elsewhere.test", "127.0.0.9");
    let url = "url=https://elsewhere.test";
    let told = stage.push(&stage.project("elsewhere", &[url], &[])).await.done();
    assert!(told.contains("elsewhere.test cannot be looked up"), "{told}");
    let standing = stage.standing("elsewhere", |standing| matches!(standing, Standing::Refused { .. })).await;
    let Standing::Refused { reason, .. } = standing else { unreachable!() };
    assert!(reason.contains("refused"), "{reason}");
    let told = stage.mypaas(&["status"]).await.done();
    assert!(told.contains("elsewhere: elsewhere.test: no certificate, refused"), "{told}");

    let file = stage.home().join("certificates/mine");
    make_certificate(&file, "DNS:elsewhere.test");
    stage.standing("elsewhere", |standing| matches!(standing, Standing::Valid { .. })).await;
    let file = file.with_extension("crt");
    let start = Instant::now();
    while stage.get_secure("elsewhere.test", &file).await.is_none() {
        assert!(start.elapsed() < LIMIT, "the operator's own certificate is not served");
        sleep(Duration::from_millis(200)).await;
    }
}
