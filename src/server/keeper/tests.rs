use std::net::Ipv4Addr;

use super::*;
use crate::api::ServerView;
use crate::engine::{MemoryEngine, Subnet};
use crate::machine::MemoryMachine;
use crate::name::InstanceName;
use crate::router::MemoryRouter;
use crate::router::memory::Fault;
use crate::server::Place;
use crate::server::config::Config;
use crate::store::Store;

/// A server with engine and router in memory, whose network is a part of the loopback network.
struct Kept {
    core: Arc<Core>,
    router: Arc<MemoryRouter>,
    home: tempfile::TempDir,
}

impl Kept {
    /// Each test has another network: they run side by side.
    fn new(network: u8) -> Self {
        Self::started(network, tempfile::tempdir().unwrap(), Arc::new(MemoryRouter::new()))
    }

    fn started(network: u8, home: tempfile::TempDir, router: Arc<MemoryRouter>) -> Self {
        let config: Config = toml::from_str("[init]\ndomain = \"paas.localhost\"\n").unwrap();
        let subnet = Subnet::around(Ipv4Addr::new(127, 214, network, 0), 24);
        let engine = Arc::new(MemoryEngine::new(InstanceName::default()).in_network(subnet));
        let path = home.path().to_owned();
        let store = Arc::new(Store::open(&path.join("store.db")).unwrap());
        let place = Place { home: path.clone(), user_home: path, docker_host: None, docker_config: None };
        let machine = Arc::new(MemoryMachine::default());
        let core = Core::new(place, config, store, engine, router.clone(), machine);
        Self { core, router, home }
    }

    /// The next call of the router fails, as one does that gets no answer.
    fn next_answer_is_late(&self) {
        self.router.fault_at(self.router.calls().len() as u64 + 1, Fault::Error);
    }

    async fn looked_at(&self) -> ServerView {
        self.core.keep_once().await.unwrap();
        self.core.seen_snapshot().await.unwrap().server
    }

    fn starts(&self) -> usize {
        self.router.calls().iter().filter(|call| call.action == "ensure_running").count()
    }
}

#[tokio::test]
async fn one_late_answer_changes_nothing_and_two_in_a_row_are_taken_for_a_router_that_is_down() {
    let kept = Kept::new(1);
    assert!(kept.looked_at().await.router.up().is_some());
    let way_in = kept.router.api().unwrap();
    for _ in 0..3 {
        kept.next_answer_is_late();
        assert!(kept.looked_at().await.router.up().is_some(), "it may only be busy");
        kept.next_answer_is_late();
        assert!(kept.core.snapshot().await.unwrap().server.router.up().is_some(), "also for those who ask themselves");
        assert!(kept.looked_at().await.router.up().is_some());
    }
    assert_eq!(kept.starts(), 1);
    kept.next_answer_is_late();
    kept.looked_at().await;
    kept.next_answer_is_late();
    assert!(kept.looked_at().await.router.up().is_some(), "it was brought up");
    assert_eq!(kept.starts(), 2);
    assert_eq!(kept.router.api().unwrap(), way_in, "and the way in stays where it is, for its addresses do");
}

#[tokio::test(start_paused = true)]
async fn a_way_in_that_leads_nowhere_is_told_with_the_rule_that_opens_it_until_it_does() {
    let kept = Kept::new(2);
    kept.router.answer_for_api(504);
    assert_eq!(kept.looked_at().await.unreached, None, "the router has to take it up first");
    sleep(Duration::from_secs(10)).await;
    let told = kept.looked_at().await.unreached.expect("it is told");
    let port = kept.router.api().unwrap().target.port();
    assert_eq!(told.message, "requests to paas.localhost do not come to the server: the router answers HTTP 504");
    let rule = format!("`ufw allow proto tcp from 127.214.2.0/24 to 127.214.2.1 port {port}`");
    assert!(told.hint.as_ref().unwrap().contains(&rule), "{told:?}");
    kept.router.answer_for_api(200);
    sleep(Duration::from_secs(60)).await;
    assert_eq!(kept.looked_at().await.unreached, None);
    let asked = |kept: &Kept| kept.router.calls().iter().filter(|call| call.action == "ask_api").count();
    let before = asked(&kept);
    sleep(Duration::from_secs(600)).await;
    assert_eq!(asked(&kept), before, "who is reached asks no more");
}

#[tokio::test]
async fn the_way_in_is_where_it_was_before_the_server_was_started_anew() {
    let kept = Kept::new(3);
    kept.looked_at().await;
    let way_in = kept.router.api().unwrap();
    let Kept { core, router, home } = kept;
    core.network.close().await;
    drop(core);
    let next = Kept::started(3, home, router);
    next.looked_at().await;
    assert_eq!(next.router.api().unwrap(), way_in);
}
