//! Whether requests to the server's domain come to it. A firewall of the machine may keep the router from it; who listens
//! notices nothing of that, so the server asks itself by way of the router, as a visitor does.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::api::{Problem, ProblemCode};
use crate::engine::Network;
use crate::original::TIME;
use crate::router::{ApiRoute, RouterError};
use crate::server::core::Core;

/// The router takes up the way in a moment after it was written.
const TRIES: u32 = 10;
const PAUSE: Duration = Duration::from_millis(500);

/// Once it is told, it is asked for so seldom whether it is mended.
const LATER: Duration = Duration::from_secs(30);

/// Asks until it is reached, or the way in is closed, and keeps what is to be told meanwhile.
pub(super) async fn watch(core: Arc<Core>, api: ApiRoute, network: Network, closed: CancellationToken) {
    let asking = async {
        let mut missed = 0;
        loop {
            let asked = core.router.ask_api(&api, TIME).await;
            let Some(answer) = missing(asked) else { break };
            missed += 1;
            if missed >= TRIES && core.network.tell_unreached(Some(unreached(&api, &network, &answer))) {
                tracing::warn!(answer, target = %api.target, "the router does not get to the API");
                core.mark_changed();
            }
            sleep(if missed < TRIES { PAUSE } else { LATER }).await;
        }
        tracing::info!(domain = api.domain, target = %api.target, "the API is reached over the network");
        if core.network.tell_unreached(None) {
            core.mark_changed();
        }
    };
    closed.run_until_cancelled(asking).await;
}

/// What was answered in place of the server's answer.
fn missing(asked: Result<u16, RouterError>) -> Option<String> {
    match asked {
        Ok(200) => None,
        Ok(status) => Some(format!("HTTP {status}")),
        Err(error) => Some(error.to_string()),
    }
}

fn unreached(api: &ApiRoute, network: &Network, answer: &str) -> Problem {
    let (gateway, port, subnet) = (api.target.ip(), api.target.port(), network.subnet);
    let message = format!("requests to {} do not come to the server: the router answers {answer}", api.domain);
    Problem::new(ProblemCode::Unavailable, message).hint(format!(
        "Where this machine has a firewall, let the router through: tcp from {subnet} to {gateway}, port {port}, as in \
         `ufw allow proto tcp from {subnet} to {gateway} port {port}`. With `port = {port}` under [api] of config.toml it \
         stays that port."
    ))
}
