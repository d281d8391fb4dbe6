//! New connections to ports of this machine → a container, for a while. Connections that are open stay where they are.

use std::net::Ipv4Addr;
use std::process::Stdio;

use tokio::process::Command;

use crate::api::{Problem, ProblemCode};

/// By what the rules are known, to whoever looks at them.
const NAME: &str = "mypaas-handover";

/// The rules are taken away when they are not wanted any more; a process that dies leaves them until the next start of the
/// machine.
#[derive(Debug)]
pub(super) struct Diverted {
    rules: Vec<Vec<String>>,
}

impl Diverted {
    /// From each port of this machine to the other one of the container. Fails where the machine has no iptables or lets
    /// nobody but root use it; then nothing is changed.
    pub(super) async fn to(container: Ipv4Addr, ports: &[(u16, u16)]) -> Result<Self, Problem> {
        let mut diverted = Self { rules: Vec::new() };
        for rule in ports.iter().flat_map(|(from, to)| rules(container, *from, *to)) {
            if let Err(problem) = iptables("-I", &rule).await {
                diverted.end().await;
                return Err(problem);
            }
            diverted.rules.push(rule);
        }
        Ok(diverted)
    }

    /// New connections go where they went before.
    pub(super) async fn end(self) {
        for rule in self.rules.into_iter().rev() {
            if let Err(problem) = iptables("-D", &rule).await {
                tracing::error!(?rule, problem = problem.message, "a rule of iptables could not be taken away");
            }
        }
    }
}

/// The first word is the chain. Docker's own rules come after them, and let nobody but the published ports through.
fn rules(container: Ipv4Addr, from: u16, to: u16) -> Vec<Vec<String>> {
    let (target, from, to) = (format!("{container}:{to}"), from.to_string(), to.to_string());
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    let local = ["-p", "tcp", "-m", "addrtype", "--dst-type", "LOCAL", "--dport", &from];
    let divert = ["-m", "comment", "--comment", NAME, "-j", "DNAT", "--to-destination", &target];
    let container = container.to_string();
    vec![
        words(&["DOCKER-USER", "-t", "filter", "-p", "tcp", "-d", &container, "--dport", &to, "-j", "ACCEPT"]),
        words(&[&["PREROUTING", "-t", "nat"], &local[..], &divert].concat()),
        // A connection from the loopback address cannot leave it.
        words(&[&["OUTPUT", "-t", "nat", "!", "-d", "127.0.0.0/8"], &local[..], &divert].concat()),
    ]
}

async fn iptables(action: &str, rule: &[String]) -> Result<(), Problem> {
    let failed = |why: &dyn std::error::Error| {
        Problem::new(ProblemCode::Unavailable, "connections could not be handed over with iptables").because(why)
    };
    let mut command = Command::new("iptables");
    command.arg("-w").arg(action).args(rule).stdin(Stdio::null()).kill_on_drop(true);
    let output = command.output().await.map_err(|error| failed(&error))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let said = said.lines().next().unwrap_or("it said nothing").to_owned();
    Err(failed(&std::io::Error::other(said)))
}
