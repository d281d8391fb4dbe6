//! Every prefix of every journal: the server dies when so much is written and so much is done, starts again, and ends
//! where that prefix leads to. The death comes before each call of engine and router, and of what was written since
//! the call before it, the last entries are taken away again one by one.

use std::sync::Arc;
use std::time::Duration;

use mypaas::deploy::journal::{Journal, Resume, resume};
use mypaas::deploy::{Deploy, Outcome};
use mypaas::engine::{Behaviour, Engine, Exit, Fault, FaultPlan, Moment};
use mypaas::name::ContainerName;
use mypaas::router::memory::Fault as RouterFault;
use mypaas::store::{ServiceRecord, Store};
use tokio::time::timeout;

use crate::case::{Asked, Case, cases};
use crate::stage::{ROLLING, Stage, outcome};

/// What befalls a deploy before the server dies, so that it dies while it undoes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Before {
    Nothing,
    /// The new containers end by themselves.
    Crash,
    /// The router does what this call asks for, and fails all the same.
    Router(u64),
}

/// Where the server dies: before the call with this number of the engine or of the router, counted over their lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Death {
    Engine(u64),
    Router(u64),
    /// After everything, but for the word that the deploy has ended.
    Late,
}

#[tokio::test(start_paused = true)]
async fn every_prefix_of_a_journal_leads_to_its_one_end() {
    let mut prefixes = 0;
    for case in cases() {
        prefixes += every_prefix(&case, Before::Nothing).await;
    }
    assert!(prefixes > 300, "{prefixes}");
}

#[tokio::test(start_paused = true)]
async fn every_prefix_of_the_journal_of_a_deploy_that_is_undone_leads_to_its_one_end() {
    let mut prefixes = 0;
    for case in cases().into_iter().filter(|case| matches!(case.asked, Asked::Push(_))) {
        prefixes += every_prefix(&case, Before::Crash).await;
    }
    assert!(prefixes > 200, "{prefixes}");
}

#[tokio::test(start_paused = true)]
async fn every_prefix_of_the_journal_of_a_deploy_whose_routes_fail_leads_to_its_one_end() {
    let mut prefixes = 0;
    for case in cases() {
        for call in changes_of_routes(&case).await {
            prefixes += every_prefix(&case, Before::Router(call)).await;
        }
    }
    assert!(prefixes > 100, "{prefixes}");
}

/// How many were tried.
async fn every_prefix(case: &Case, before: Before) -> usize {
    let (mut tried, mut written, mut running) = (0, 0, None);
    for (number, (death, left)) in deaths(case, before).await.into_iter().enumerate() {
        if death != Death::Late {
            running = Some(left.deploy);
        }
        let prefixes = (written..=left.entries).filter(|_| left.before_has_come);
        for entries in prefixes {
            let (mut stage, service) = dead(case, before, death).await;
            let is_to_succeed = cut(&stage, entries, running.as_ref().unwrap(), service.as_ref());
            // Now and then it dies once more, while it deals with that.
            if number % 3 == 2 {
                die_again(&mut stage, number as u64).await;
            }
            stage.start().await;
            let befell = format!("{before:?}, {death:?}, {entries} of {} entries", left.entries);
            check(&stage, case, is_to_succeed, service.as_ref(), &befell).await;
            tried += 1;
        }
        written = left.entries;
    }
    tried
}

/// What a server leaves that dies.
struct Left {
    entries: u64,
    deploy: Deploy,
    /// Earlier deaths are the same without it.
    before_has_come: bool,
}

impl Left {
    /// None when it died before it accepted the deploy.
    fn by(stage: &Stage, case: &Case, before: Before) -> Option<Self> {
        let deploy = newest(&store(stage)).filter(|deploy| deploy.id.number() as usize > case.before.len())?;
        let count = "SELECT COUNT(*) FROM log WHERE kind = 'journal' AND deploy = ?1";
        let entries: i64 = stage.database().query_row(count, [deploy.id.number() as i64], |row| row.get(0)).unwrap();
        let before_has_come = match before {
            Before::Router(at) => stage.router.calls().len() as u64 > at,
            Before::Nothing | Before::Crash => true,
        };
        Some(Self { entries: entries.unsigned_abs(), deploy, before_has_come })
    }
}

/// Before each call of engine and router that the deploy makes, in order; and what is left then.
async fn deaths(case: &Case, before: Before) -> Vec<(Death, Left)> {
    let late = prepared(case, before).await;
    let engine_before = late.engine.calls().len() as u64;
    let mut router_passed = late.router.calls().len() as u64;
    case.outcome(&late).await;
    let (engine, router) = (late.engine.calls().len() as u64, late.router.calls().len() as u64);
    let mut deaths = Vec::new();
    for call in engine_before + 1..=engine {
        let (stage, _) = dead(case, before, Death::Engine(call)).await;
        let passed = stage.router.calls().len() as u64;
        for call in router_passed + 1..=passed {
            let (stage, _) = dead(case, before, Death::Router(call)).await;
            deaths.extend(Left::by(&stage, case, before).map(|left| (Death::Router(call), left)));
        }
        deaths.extend(Left::by(&stage, case, before).map(|left| (Death::Engine(call), left)));
        router_passed = passed;
    }
    for call in router_passed + 1..=router {
        let (stage, _) = dead(case, before, Death::Router(call)).await;
        deaths.extend(Left::by(&stage, case, before).map(|left| (Death::Router(call), left)));
    }
    deaths.extend(Left::by(&late, case, before).map(|left| (Death::Late, left)));
    deaths
}

/// The router's calls that change something.
async fn changes_of_routes(case: &Case) -> Vec<u64> {
    let stage = case.prepared().await;
    let before = stage.router.calls().len();
    case.outcome(&stage).await;
    let calls = stage.router.calls().into_iter().skip(before);
    calls.filter(|call| ["apply", "withdraw"].contains(&call.action)).map(|call| call.number).collect()
}

/// A stage whose server died, and what held for the service before the deploy.
async fn dead(case: &Case, before: Before, death: Death) -> (Stage, Option<ServiceRecord>) {
    let stage = prepared(case, before).await;
    let service = store(&stage).service(&"web".parse().unwrap()).unwrap();
    match death {
        Death::Engine(at) => {
            // What is done at the same time has no effect either.
            (at..at + 10).for_each(|at| stage.engine.plan_fault(FaultPlan { at, fault: Fault::Hang }));
            case.start_until(&stage, stage.engine.until_hung()).await;
        }
        Death::Router(at) => {
            stage.router.fault_at(at, RouterFault::Hang);
            case.start_until(&stage, stage.router.until_hung()).await;
        }
        Death::Late => drop(case.outcome(&stage).await),
    }
    stage.die().await;
    stage.engine.forget_faults();
    stage.router.forget_faults();
    (stage, service)
}

async fn prepared(case: &Case, before: Before) -> Stage {
    let stage = case.prepared().await;
    match before {
        Before::Nothing => {}
        Before::Crash => {
            let exit = Some((Moment::Probes(0), Exit { code: 3, out_of_memory: false }));
            stage.script("web", Behaviour { exit, ..Behaviour::default() });
        }
        Before::Router(at) => stage.router.fault_at(at, RouterFault::ErrorAfterEffect),
    }
    stage
}

/// Takes away what comes after so many entries of the journal, and the word that the deploy has ended; whether it is to
/// succeed now.
fn cut(stage: &Stage, entries: u64, deploy: &Deploy, service: Option<&ServiceRecord>) -> bool {
    let (store, database) = (store(stage), stage.database());
    let later = "kind = 'journal' AND deploy = ?1 AND seq > ?2";
    let switched = format!("SELECT COUNT(*) FROM log WHERE {later} AND json_extract(record, '$.entry') = 'switched'");
    let at = [deploy.id.number() as i64, entries as i64];
    let switches: i64 = database.query_row(&switched, at, |row| row.get(0)).unwrap();
    if switches > 0 {
        // It is written together with what holds from there on.
        store.put_service(&service.cloned().unwrap_or_else(|| ServiceRecord::new(deploy.service.clone()))).unwrap();
    }
    database.execute(&format!("DELETE FROM log WHERE {later}"), at).unwrap();
    store.update_deploy(deploy.id, deploy, false).unwrap();
    match Journal::open(Arc::new(store), deploy.id).unwrap() {
        None => false,
        Some((_, plan, progress)) => {
            matches!(resume(&plan, progress), Resume::Forward { .. } | Resume::Nothing { reached: true })
        }
    }
}

async fn die_again(stage: &mut Stage, number: u64) {
    let at = stage.engine.calls().len() as u64 + 1 + number % 4;
    stage.engine.plan_fault(FaultPlan { at, fault: Fault::HangAfterEffect });
    // It hangs, or it is done with fewer calls.
    let _ = timeout(Duration::from_secs(3600), stage.start()).await;
    stage.die().await;
    stage.engine.forget_faults();
}

async fn check(stage: &Stage, case: &Case, is_to_succeed: bool, service: Option<&ServiceRecord>, befell: &str) {
    case.check(stage, befell).await;
    let store = store(stage);
    let deploy = newest(&store).unwrap();
    assert_eq!(outcome(&deploy).succeeded(), is_to_succeed, "{}: {befell}: {:?}", case.name, deploy.state);
    if !is_to_succeed && let Some(service) = service {
        assert_eq!(store.service(&service.name).unwrap().as_ref(), Some(service), "{}: {befell}", case.name);
    }
}

fn store(stage: &Stage) -> Store {
    Store::open(&stage.home().join("store.db")).unwrap()
}

fn newest(store: &Store) -> Option<Deploy> {
    store.deploys(None, 1).unwrap().pop()
}

/// Of a roll whose server died while it started the new containers; and the number of its last entry.
async fn cut_off() -> (Stage, Deploy, u64) {
    let case = Case { name: "roll", before: &[ROLLING], asked: Asked::Push(ROLLING) };
    let stage = case.prepared().await;
    stage.engine.plan_fault_at_each("start web.r2.1", Fault::Hang);
    case.start_until(&stage, stage.engine.until_hung()).await;
    stage.die().await;
    stage.engine.forget_faults();
    let Left { entries, deploy, .. } = Left::by(&stage, &case, Before::Nothing).unwrap();
    (stage, deploy, entries)
}

fn append(stage: &Stage, deploy: &Deploy, seq: u64, entry: &str) {
    let insert = "INSERT INTO log (deploy, kind, seq, record) VALUES (?1, 'journal', ?2, ?3)";
    let row = (deploy.id.number() as i64, seq as i64, entry);
    assert_eq!(stage.database().execute(insert, row).unwrap(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_journal_that_cannot_be_read_ends_its_deploy_and_keeps_no_other_waiting() {
    for entry in [r#"{"entry":"done","step":99}"#, r#"{"entry":"of another version"}"#] {
        let (mut stage, deploy, entries) = cut_off().await;
        append(&stage, &deploy, entries + 1, entry);
        stage.start().await;
        let cut = newest(&store(&stage)).unwrap();
        let Outcome::Interrupted { detail } = outcome(&cut) else { panic!("{cut:?}") };
        assert!(detail.contains("the next deploy of web replaces what it left"), "{detail}");
        stage.push(ROLLING).await.assert_succeeded();
        stage.check_settled("web").await.unwrap();
    }
}

/// As of a server that died again and again.
#[tokio::test(start_paused = true)]
async fn a_long_journal_is_read_to_its_end() {
    let (mut stage, deploy, entries) = cut_off().await;
    let last = "SELECT record FROM log WHERE kind = 'journal' AND deploy = ?1 ORDER BY seq DESC LIMIT 1";
    let begun: String = stage.database().query_row(last, [deploy.id.number() as i64], |row| row.get(0)).unwrap();
    assert!(begun.contains("begun"), "{begun}");
    (1..=1200).for_each(|more| append(&stage, &deploy, entries + more, &begun));
    stage.start().await;
    assert!(matches!(outcome(&newest(&store(&stage)).unwrap()), Outcome::Interrupted { .. }));
    let ended: String = stage.database().query_row(last, [deploy.id.number() as i64], |row| row.get(0)).unwrap();
    assert!(ended.contains("ended"), "what came after it is written too: {ended}");
    stage.check_settled("web").await.unwrap();
}

/// Docker starts those again that it is to keep, which the new ones are only after the switch.
#[tokio::test(start_paused = true)]
async fn a_switch_after_which_the_machine_went_down_leads_back_to_what_comes_up_again() {
    let case = Case { name: "roll", before: &[ROLLING], asked: Asked::Push(ROLLING) };
    let switch = changes_of_routes(&case).await[0];
    for (went_down, serving) in [(true, 1), (false, 2)] {
        let (mut stage, _) = dead(&case, Before::Nothing, Death::Router(switch)).await;
        for name in ["web.r2.1", "web.r2.2"].iter().filter(|_| went_down) {
            stage.engine.stop(&ContainerName::from_engine(name), Duration::ZERO).await.unwrap();
        }
        stage.start().await;
        let end = newest(&store(&stage)).unwrap();
        assert_eq!(outcome(&end).succeeded(), !went_down, "{:?}", end.state);
        assert_eq!(stage.running("web").await, [1, 2].map(|slot| format!("web.r{serving}.{slot}")));
        stage.check_settled("web").await.unwrap();
    }
}
