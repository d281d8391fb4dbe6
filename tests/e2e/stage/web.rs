//! Requests through Traefik.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use reqwest::Upgraded;

use super::{Stage, docker};
use crate::load::{Load, Pressure, Running};

/// A request may wait while its service restarts, and no longer.
const LIMIT: Duration = Duration::from_secs(30);

/// Tests share the machine with what else it does; `./dev bench deploy` presses on steadily.
const PRESSURE: Pressure = Pressure::Yielding { most_waiting: 500 };

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: String,
}

/// One request to the router at that address.
pub(crate) async fn ask(router: SocketAddr, host: &str, path: &str) -> Answer {
    let client = mypaas::http::plain().timeout(LIMIT).build().unwrap();
    let answer = client.get(format!("http://{router}{path}")).header("Host", host).send().await.unwrap();
    Answer { status: answer.status().as_u16(), body: answer.text().await.unwrap() }
}

impl Stage {
    pub(crate) async fn get(&self, host: &str, path: &str) -> Answer {
        ask(self.router().await, host, path).await
    }

    /// What the service says of itself.
    pub(crate) async fn hello(&self, host: &str) -> String {
        let Answer { status, body } = self.get(host, "/").await;
        assert_eq!(status, 200, "{host}: {body}");
        body.trim_end().to_owned()
    }

    /// What is sent on it comes back.
    pub(crate) async fn socket(&self, host: &str) -> Upgraded {
        let router = self.router().await;
        let asked = mypaas::http::plain().build().unwrap().get(format!("http://{router}/socket"));
        let asked = asked.header("Host", host).header("Connection", "upgrade").header("Upgrade", "websocket");
        asked.send().await.unwrap().upgrade().await.unwrap()
    }

    /// Requests to the service until they are stopped, so many a second or what the machine bears. They go to the
    /// router's own address: Docker passes requests from this machine to a published port through a small process,
    /// which would be what is measured.
    pub(crate) async fn load(&self, host: &str, per_second: u32) -> Running {
        let router = format!("{}-router", self.instance());
        let format = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}";
        let address: Ipv4Addr = docker(&["inspect", "-f", format, &router]).await.parse().unwrap();
        Load { server: (address, 80).into(), host: host.to_owned(), per_second, limit: LIMIT, pressure: PRESSURE }
            .start()
    }
}
