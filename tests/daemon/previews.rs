//! What a deploy would do, told before anything is done.

use mypaas::api::PlanRequest;

use crate::stage::{SINGLE, Stage};

#[tokio::test(start_paused = true)]
async fn a_push_is_warned_of_by_its_dockerfile_and_by_where_its_domains_lead() {
    let config = toml::from_str("[init]\ndomain = \"192.0.2.1\"\nemail = \"ada@example.com\"\n").unwrap();
    let stage = Stage::with(config).await;
    let text = SINGLE.replace("http://web.test", "https://192.0.2.7");
    let plan = stage.core.preview(&PlanRequest::Dockerfile { text, context_bytes: None }).await.unwrap();
    let [of_the_file, of_the_domain] = &plan.warnings[..] else { panic!("{:?}", plan.warnings) };
    assert!(of_the_file.starts_with("line 2: "), "{of_the_file}");
    assert!(of_the_domain.contains("192.0.2.1"), "{of_the_domain}");
}

#[tokio::test(start_paused = true)]
async fn a_domain_that_nobody_knows_is_told_also_by_a_server_that_has_none() {
    let stage = Stage::with(toml::from_str("[init]\nemail = \"ada@example.com\"\n").unwrap()).await;
    let text = SINGLE.replace("http://web.test", "https://shop.invalid");
    let plan = stage.core.preview(&PlanRequest::Dockerfile { text, context_bytes: None }).await.unwrap();
    assert!(plan.warnings.iter().any(|told| told.contains("shop.invalid cannot be looked up")), "{:?}", plan.warnings);
}
