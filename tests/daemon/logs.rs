//! What containers write, on its way to who reads it.

use std::time::Duration;

use futures_util::StreamExt;
use mypaas::api::LogsOf;
use mypaas::deploy::Action;
use mypaas::engine::{Behaviour, LogQuery};
use mypaas::server::config::Config;
use tokio::time::timeout;

use crate::stage::{ROLLING, SINGLE};
use crate::watching::{PATIENCE, Served};

const ALL_AND_MORE: LogQuery = LogQuery { tail: None, since: None, follow: true };

/// So much that it waits in the server until it is read.
fn much() -> Vec<String> {
    vec!["x".repeat(4000); 400]
}

#[tokio::test]
async fn no_line_is_lost_where_the_past_of_a_followed_log_ends() {
    const INTERVAL: Duration = Duration::from_millis(2);
    let served = Served::new(Config::default()).await;
    served.stage.script("web", Behaviour { chatter: Some(INTERVAL), logs: much(), ..Behaviour::default() });
    served.stage.push(SINGLE).await;
    let mut lines = served.client.logs(&"web".parse().unwrap(), &LogsOf::Service, &ALL_AND_MORE).await.unwrap();
    tokio::time::sleep(Duration::from_millis(500)).await;
    let mut written = Vec::new();
    while written.len() < 1000 {
        let line = timeout(PATIENCE, lines.next()).await.expect("it goes on").unwrap().unwrap();
        if !line.text.starts_with('x') {
            written.push(line.at);
        }
    }
    let apart = written.windows(2).map(|pair| pair[1].duration_since(pair[0]).unsigned_abs());
    let wrong: Vec<Duration> = apart.filter(|apart| *apart != INTERVAL).collect();
    assert!(wrong.is_empty(), "{wrong:?}: each line once, and none is missing");
    drop(lines);
    served.stop().await;
}

#[tokio::test]
async fn a_followed_log_goes_on_with_containers_that_come_later() {
    let served = Served::new(Config::default()).await;
    served.stage.push(ROLLING).await.assert_succeeded();
    let mut lines = served.client.logs(&"web".parse().unwrap(), &LogsOf::Service, &ALL_AND_MORE).await.unwrap();
    let mut next = async || timeout(PATIENCE, lines.next()).await.expect("it goes on").unwrap().unwrap().container;
    assert_eq!([next().await, next().await].map(|name| name.to_string()), ["web.r1.1", "web.r1.2"]);
    served.stage.act("web", Action::Scale { count: 3 }).await.assert_succeeded();
    assert_eq!(next().await.to_string(), "web.r1.3");
    served.stage.push(ROLLING).await.assert_succeeded();
    let mut after = [next().await, next().await].map(|name| name.to_string());
    after.sort();
    assert_eq!(after, ["web.r2.1", "web.r2.2"]);
    drop(lines);
    served.stop().await;
}

#[tokio::test]
async fn who_does_not_read_keeps_no_server_from_stopping() {
    let served = Served::new(Config::default()).await;
    served.stage.script("web", Behaviour { logs: much(), ..Behaviour::default() });
    served.stage.push(SINGLE).await.assert_succeeded();
    let lines = served.client.logs(&"web".parse().unwrap(), &LogsOf::Service, &ALL_AND_MORE).await.unwrap();
    timeout(PATIENCE, served.stop()).await.expect("it stops all the same");
    drop(lines);
}
