//! Logs: what containers wrote, and what they write.

use std::time::Duration;

use futures_util::{StreamExt, TryStreamExt};
use mypaas::engine::{Container, ContainerState, LogLine, LogQuery, LogStream};

use crate::fixture::{App, Fixture, eventually};

/// What there is, once there are so many lines: a process's output arrives a little later.
async fn lines(on: &impl Fixture, container: &Container, query: &LogQuery, count: usize) -> Vec<LogLine> {
    eventually("the lines are there", async || {
        let lines = on.engine().logs(&container.name, query).await.unwrap();
        let lines: Vec<LogLine> = lines.try_collect().await.unwrap();
        (lines.len() >= count).then_some(lines)
    })
    .await
}

fn texts(lines: &[LogLine]) -> Vec<&str> {
    lines.iter().map(|line| line.text.as_str()).collect()
}

pub(crate) async fn lines_come_in_order_with_their_stream(on: &impl Fixture) {
    let container = on.run_until_it_listens("web", App::Serves).await;
    for text in ["one", "two", "three"] {
        on.write(&container, LogStream::Stdout, text).await;
        on.write(&container, LogStream::Stderr, &format!("{text}!")).await;
    }
    let all = lines(on, &container, &LogQuery::default(), 6).await;
    let of = |stream| all.iter().filter(|line| line.stream == stream).cloned().collect::<Vec<_>>();
    assert_eq!(texts(&of(LogStream::Stdout)), ["one", "two", "three"]);
    assert_eq!(texts(&of(LogStream::Stderr)), ["one!", "two!", "three!"]);
    assert!(all.iter().all(|line| line.container == container.name && line.at >= container.created));
}

pub(crate) async fn a_log_may_be_read_from_its_end_or_from_a_time(on: &impl Fixture) {
    let container = on.run_until_it_listens("web", App::Serves).await;
    for text in ["one", "two", "three", "four"] {
        on.write(&container, LogStream::Stdout, text).await;
    }
    let all = lines(on, &container, &LogQuery::default(), 4).await;
    let end = LogQuery { tail: Some(2), ..Default::default() };
    assert_eq!(texts(&lines(on, &container, &end, 2).await), ["three", "four"]);
    let nothing = LogQuery { tail: Some(0), ..Default::default() };
    assert!(lines(on, &container, &nothing, 0).await.is_empty());
    let since = LogQuery { since: Some(all[1].at), ..Default::default() };
    assert_eq!(texts(&lines(on, &container, &since, 3).await), ["two", "three", "four"]);
    let both = LogQuery { since: Some(all[1].at), tail: Some(1), follow: false };
    assert_eq!(texts(&lines(on, &container, &both, 1).await), ["four"]);
}

pub(crate) async fn a_followed_log_goes_on_through_a_restart_and_ends_with_the_container(on: &impl Fixture) {
    let container = on.run_until_it_listens("web", App::Serves).await;
    on.write(&container, LogStream::Stdout, "early").await;
    on.write(&container, LogStream::Stdout, "before").await;
    lines(on, &container, &LogQuery::default(), 2).await;
    let query = LogQuery { follow: true, tail: Some(1), since: None };
    let mut follow = on.engine().logs(&container.name, &query).await.unwrap();
    let mut next = async || {
        let line = tokio::time::timeout(Duration::from_secs(60), follow.next()).await.expect("a line, or the end");
        line.map(|line| line.unwrap().text)
    };
    assert_eq!(next().await.as_deref(), Some("before"));
    on.write(&container, LogStream::Stdout, "live").await;
    assert_eq!(next().await.as_deref(), Some("live"));

    on.engine().stop(&container.name, Duration::from_secs(10)).await.unwrap();
    on.engine().start(&container.name).await.unwrap();
    eventually("it listens again", async || {
        let probe = mypaas::engine::Probe::Connect { port: 80, timeout: Duration::from_secs(1) };
        let answer = on.engine().probe(&container.name, &probe).await.unwrap();
        matches!(answer, mypaas::engine::ProbeAnswer::Ready { .. }).then_some(())
    })
    .await;
    on.write(&container, LogStream::Stderr, "after").await;
    assert_eq!(next().await.as_deref(), Some("after"));

    on.engine().remove(&container.name).await.unwrap();
    assert_eq!(next().await, None);
}

pub(crate) async fn what_a_restarted_process_says_first_is_followed_too(on: &impl Fixture) {
    let container = on.run_until_it_listens("web", App::Speaks).await;
    lines(on, &container, &LogQuery::default(), 1).await;
    let query = LogQuery { follow: true, tail: Some(0), since: None };
    let mut follow = on.engine().logs(&container.name, &query).await.unwrap();
    let line = tokio::spawn(async move { follow.next().await });
    // Docker is asked for the log only once somebody reads it.
    tokio::time::sleep(Duration::from_millis(500)).await;
    on.engine().stop(&container.name, Duration::from_secs(10)).await.unwrap();
    on.engine().start(&container.name).await.unwrap();
    let started = on.engine().inspect(&container.name).await.unwrap();
    let line = tokio::time::timeout(Duration::from_secs(60), line).await.unwrap().unwrap().unwrap().unwrap();
    assert_eq!(line.text, "hello");
    let ContainerState::Running { since, .. } = started.state else { panic!("{started:?}") };
    assert!(line.at >= since - Duration::from_secs(1), "of the second run: {} {since}", line.at);
}

pub(crate) async fn a_log_that_nobody_wrote_is_empty(on: &impl Fixture) {
    let container = on.create("web", App::Serves).await;
    assert!(lines(on, &container, &LogQuery::default(), 0).await.is_empty());
}
