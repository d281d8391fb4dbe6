//! New connections to ports of this machine → a container, for a while. Connections that are open stay where they are.

use std::net::Ipv4Addr;
use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;
use tokio::time::timeout;

use crate::api::{Problem, ProblemCode};

/// By what the rules are known: to whoever looks at them, and to the next handover.
const NAME: &str = "mypaas-handover";

/// Where they are, and in which table.
const CHAINS: [(&str, &str); 3] = [("filter", "DOCKER-USER"), ("nat", "PREROUTING"), ("nat", "OUTPUT")];

/// Seconds to wait for other programs that change rules.
const OTHERS_TURN: &str = "10";
const LIMIT: Duration = Duration::from_secs(20);

/// The rules are taken away when they are not wanted any more. Those that a process left when it died are, by the next
/// handover.
#[derive(Debug)]
pub(super) struct Diverted(());

impl Diverted {
    /// From each port of this machine to the other one of the container. Fails where the machine has no iptables or lets
    /// nobody but root use it; then nothing is changed.
    pub(super) async fn to(container: Ipv4Addr, ports: &[(u16, u16)]) -> Result<Self, Problem> {
        end_all().await;
        for (from, to) in ports {
            for (table, rule) in rules(container, *from, *to) {
                if let Err(problem) = iptables(table, "-I", &rule).await {
                    end_all().await;
                    return Err(problem);
                }
            }
        }
        Ok(Self(()))
    }

    /// New connections go where they went before.
    pub(super) async fn end(self) {
        end_all().await;
    }
}

/// Takes away every rule of a handover, also those of one that was interrupted.
pub(super) async fn end_all() {
    // Backwards: nothing is diverted any more when what lets it pass goes.
    for (table, chain) in CHAINS.into_iter().rev() {
        let listed = match iptables(table, "-S", &[chain.to_owned()]).await {
            Ok(listed) => listed,
            // Where they cannot be listed, they could not be made.
            Err(problem) => {
                tracing::debug!(chain, causes = ?problem.causes, "the rules of a chain cannot be listed");
                continue;
            }
        };
        for rule in left(&listed) {
            if let Err(problem) = iptables(table, "-D", &rule).await {
                tracing::error!(?rule, causes = ?problem.causes, "a rule of iptables could not be taken away");
            }
        }
    }
}

/// Rules of ours among those of a chain, as `iptables -S` lists them; none of ours has a word with a space in it.
fn left(listed: &str) -> Vec<Vec<String>> {
    let appended = listed.lines().filter_map(|line| line.strip_prefix("-A "));
    let words = appended.map(|rule| rule.split_whitespace().map(str::to_owned).collect::<Vec<_>>());
    let is_ours = |rule: &Vec<String>| rule.windows(2).any(|pair| pair[0] == "--comment" && pair[1] == NAME);
    words.filter(is_ours).collect()
}

/// Each with its table; the first word is the chain. Docker's own rules come after them, and let nobody but the published
/// ports through.
fn rules(container: Ipv4Addr, from: u16, to: u16) -> [(&'static str, Vec<String>); 3] {
    let (target, from, to) = (format!("{container}:{to}"), from.to_string(), to.to_string());
    let local = ["-p", "tcp", "-m", "addrtype", "--dst-type", "LOCAL", "--dport", &from];
    let comment = ["-m", "comment", "--comment", NAME];
    let divert = ["-j", "DNAT", "--to-destination", &target];
    let container = container.to_string();
    let pass = ["-p", "tcp", "-d", &container, "--dport", &to];
    // A connection from the loopback address cannot leave it.
    let not_loopback = ["!", "-d", "127.0.0.0/8"];
    let [filter, prerouting, output] = CHAINS.map(|(table, chain)| (table, [chain]));
    let rule = |parts: &[&[&str]]| parts.concat().into_iter().map(str::to_owned).collect();
    [
        (filter.0, rule(&[&filter.1, &pass, &comment, &["-j", "ACCEPT"]])),
        (prerouting.0, rule(&[&prerouting.1, &local, &comment, &divert])),
        (output.0, rule(&[&output.1, &not_loopback, &local, &comment, &divert])),
    ]
}

/// What it prints.
async fn iptables(table: &str, action: &str, rule: &[String]) -> Result<String, Problem> {
    let failed = |why: &dyn std::error::Error| {
        Problem::new(ProblemCode::Unavailable, "connections could not be handed over with iptables").because(why)
    };
    let mut command = Command::new("iptables");
    command.args(["-w", OTHERS_TURN, "-t", table, action]).args(rule).stdin(Stdio::null()).kill_on_drop(true);
    let output = timeout(LIMIT, command.output()).await.map_err(|error| failed(&error))?;
    let output = output.map_err(|error| failed(&error))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let said = said.lines().next().unwrap_or("it said nothing").to_owned();
    Err(failed(&std::io::Error::other(said)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_rule_is_found_again_by_its_comment() {
        for (table, rule) in rules(Ipv4Addr::new(10, 0, 0, 9), 80, 8080) {
            assert!(CHAINS.contains(&(table, rule[0].as_str())), "{rule:?}");
            assert_eq!(left(&format!("-A {}\n", rule.join(" "))), [rule]);
        }
    }

    #[test]
    fn rules_that_an_earlier_handover_left_are_known_from_others() {
        let listed = "-P PREROUTING ACCEPT\n\
             -A PREROUTING -p tcp -m addrtype --dst-type LOCAL -m tcp --dport 80 -m comment --comment mypaas-handover -j DNAT \
             --to-destination 172.18.0.9:80\n\
             -A PREROUTING -m comment --comment \"not mypaas-handover\" -j RETURN\n\
             -A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER\n";
        let rules = left(listed);
        assert_eq!(rules.len(), 1, "{rules:?}");
        assert_eq!(rules[0].first().map(String::as_str), Some("PREROUTING"));
        assert_eq!(rules[0].last().map(String::as_str), Some("172.18.0.9:80"));
    }
}
