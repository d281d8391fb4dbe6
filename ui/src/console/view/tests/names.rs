//! Long names: what tells two of them apart stays on the screen, and what is known of them too.

use mypaas::api::{ContainerView, Deploy, DeployState, Event, Outcome, ServiceView, What};
use mypaas::name::{ContainerName, InstanceName, ReleaseId, ServiceName};
use ratatui::layout::Size;

use super::{SIZES, deploy, select};
use crate::console::fixture::{self, at, press, send, service_at, shown};
use crate::console::message::{Message, ServerNews};
use crate::console::model::Model;
use crate::console::words;

const EU: &str = "customer-notification-preferences-service-eu";
const US: &str = "customer-notification-preferences-service-us";

fn container(service: &ServiceName, slot: u32) -> ContainerName {
    ContainerName::of(&InstanceName::DEFAULT.parse().unwrap(), service, ReleaseId::new(14), slot)
}

fn named(name: &str) -> ServiceView {
    let name: ServiceName = name.parse().unwrap();
    let api = fixture::service("api");
    let renamed = |(slot, it): (u32, ContainerView)| ContainerView { name: container(&name, slot), ..it };
    let containers = (1..).zip(api.containers).map(renamed).collect();
    ServiceView { name: name.clone(), containers, ..api }
}

fn succeeded(deploy: &Deploy) -> bool {
    matches!(deploy.state, DeployState::Finished { outcome: Outcome::Succeeded, .. })
}

/// Two services with long names, and the newest deploy of one of them.
fn with_long_names(width: u16, height: u16) -> Model {
    let mut model = fixture::model();
    model.size = Size::new(width, height);
    let mut snapshot = fixture::snapshot(at(0));
    snapshot.services = vec![named(EU), named(US)];
    let mut deploy = fixture::detail("docs").deploys.into_iter().find(succeeded).unwrap();
    deploy.service = EU.parse().unwrap();
    snapshot.deploys = vec![deploy];
    let news = ServerNews::Snapshot(Box::new(snapshot));
    send(&mut model, Message::Server { server: "local".parse().unwrap(), news });
    select(&mut model, "local", EU);
    model
}

#[test]
fn long_names_in_the_list_can_be_told_apart() {
    for (width, height) in SIZES {
        let text = shown(&mut with_long_names(width, height));
        let rows: Vec<_> = text.lines().filter_map(|line| line.split("● ").nth(1)?.split_whitespace().next()).collect();
        let ends: Vec<_> = rows.iter().filter(|name| name.starts_with("customer-")).collect();
        assert!(matches!(ends[..], [eu, us] if eu.ends_with("service-eu") && us.ends_with("service-us")), "{text}");
    }
}

#[test]
fn long_names_that_differ_in_the_middle_can_be_told_apart() {
    let middles = ["invoices", "orders", "refunds"];
    let names = middles.map(|middle| format!("customer-mailing-{middle}-preference-service-eu"));
    for (width, height) in SIZES {
        let mut model = with_long_names(width, height);
        let mut snapshot = fixture::snapshot(at(0));
        snapshot.services = names.iter().map(|name| named(name)).collect();
        snapshot.deploys.clear();
        let news = ServerNews::Snapshot(Box::new(snapshot));
        send(&mut model, Message::Server { server: "local".parse().unwrap(), news });
        let text = shown(&mut model);
        let rows: Vec<_> = text.lines().filter_map(|line| line.split("● ").nth(1)?.split_whitespace().next()).collect();
        assert!(middles.iter().all(|middle| rows.iter().filter(|name| name.contains(middle)).count() == 1), "{text}");
    }
}

#[test]
fn what_is_known_of_a_deploy_stays_beside_a_long_name() {
    for (width, height) in SIZES {
        let mut model = with_long_names(width, height);
        press(&mut model, "g f");
        let text = shown(&mut model);
        let heading = text.lines().find(|line| line.contains("OUTCOME")).unwrap_or_else(|| panic!("{text}"));
        assert!(heading.contains("AGO") && heading.contains("TOOK") && heading.contains("BY"), "{text}");
        assert!(text.contains("-eu  ") && !text.contains("succe…"), "{text}");
    }
}

#[test]
fn the_tab_with_containers_names_their_releases_and_slots() {
    for (width, height) in SIZES {
        let mut model = with_long_names(width, height);
        press(&mut model, "tab ]");
        let text = shown(&mut model);
        assert!((1..=3).all(|slot| text.contains(&format!("r14.{slot} "))), "{text}");
    }
}

#[test]
fn a_deploys_containers_are_named_in_short_and_those_without_room_are_counted() {
    let service: ServiceName = EU.parse().unwrap();
    let deploy = fixture::running_deploy(EU, 41);
    let switched = (1..=40).map(|slot| container(&service, slot)).collect();
    let events = vec![Event { seq: 1, at: at(0), what: What::Switched { containers: switched } }];
    for (width, height) in SIZES {
        let mut model = with_long_names(width, height);
        let mut snapshot = fixture::snapshot(at(0));
        snapshot.services = vec![ServiceView { last_deploy: Some(deploy.clone()), ..named(EU) }];
        snapshot.deploys = vec![deploy.clone()];
        let news = ServerNews::Snapshot(Box::new(snapshot));
        send(&mut model, Message::Server { server: "local".parse().unwrap(), news });
        select(&mut model, "local", EU);
        press(&mut model, "w");
        deploy::watch(&mut model, 41, events.clone(), false);
        let text = shown(&mut model);
        let whole = text.lines().filter(|line| line.contains("● r14.") && line.contains("takes requests")).count();
        assert!(whole > 3 && text.contains(&format!("… {} more", 40 - whole)), "{text}");
    }
}

#[test]
fn a_container_is_named_in_short_only_where_its_service_is_known() {
    let service = service_at("local", "shop/web").service;
    let short = |name: &str| words::short(&ContainerName::from_engine(name), &service).to_owned();
    assert_eq!(short("shop--web.r2.1"), "r2.1");
    assert_eq!(short("test_shop--web.r2.1"), "r2.1");
    assert_eq!(short("shop--web"), "shop--web");
    assert_eq!(short("other.r2.1"), "other.r2.1");
}
