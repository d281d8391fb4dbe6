//! Shells over the network: they work, count against their key, and end with it.

use std::time::Duration;

use futures_util::StreamExt;
use mypaas::api::{ProblemCode, TerminalSize};
use mypaas::client::{ClientError, Shell, TerminalKind};
use tokio::time::{sleep, timeout};

use super::wire::{Forged, Wire, public};
use crate::shell::{read_until, type_in};

const SOON: Duration = Duration::from_secs(30);

impl Wire {
    async fn shell(&self, key: &str, service: &str) -> Result<Shell, ClientError> {
        let kind = TerminalKind { size: TerminalSize { columns: 80, rows: 24 }, term: None };
        self.client(key).shell(&service.parse().unwrap(), None, &kind).await
    }
}

async fn ends(mut shell: Shell) {
    let end = async { while shell.output.next().await.is_some_and(|output| output.is_ok()) {} };
    timeout(SOON, end).await.expect("the shell ends");
}

#[tokio::test]
async fn a_shell_over_the_network_ends_with_its_key() {
    let wire = Wire::start().await;
    let mut shells = Vec::new();
    for key in ["ed25519", "rsa"] {
        let mut shell = wire.shell(key, "web").await.unwrap();
        read_until(&mut shell, "$ ").await.unwrap();
        type_in(&mut shell, "hello\r").await;
        read_until(&mut shell, "you said hello").await.unwrap();
        shells.push(shell);
    }
    let mut exited = wire.shell("ed25519", "web").await.unwrap();
    type_in(&mut exited, "exit 3\r").await;
    assert_eq!(read_until(&mut exited, "never written").await, Err(3));

    // The one key goes, the other one's rights are changed.
    let keys = wire.stage.home().join("authorized_keys");
    std::fs::write(&keys, format!("mypaas-role=\"viewer\" {}", public("ed25519"))).unwrap();
    for shell in shells {
        ends(shell).await;
    }
}

#[tokio::test]
async fn a_shell_is_for_who_may_have_one() {
    let wire = Wire::start().await;
    for (key, service) in [("p256", "web"), ("rsa", "hidden")] {
        let Err(ClientError::Refused(problem)) = wire.shell(key, service).await else { panic!("{key} has one") };
        assert_eq!(problem.code, ProblemCode::Forbidden, "{key}: {problem:?}");
    }
}

#[tokio::test]
async fn shells_count_as_requests_of_their_key_until_they_are_left() {
    let wire = Wire::start().await;
    let mut shells = Vec::new();
    for _ in 0..64 {
        shells.push(wire.shell("ed25519", "web").await.unwrap());
    }
    let answer = wire.send(&wire.good().await).await;
    assert_eq!((answer.status, answer.problem().code), (429, ProblemCode::TooMany));
    let other = Forged::new("GET", "/daemon/v1/server").signed(&wire, "p256").await;
    assert_eq!(wire.send(&other).await.status, 200, "another key");
    drop(shells);
    let free = async {
        while wire.send(&wire.good().await).await.status != 200 {
            sleep(Duration::from_millis(50)).await;
        }
    };
    timeout(SOON, free).await.expect("what has ended makes room");
}
