//! A container that has started tells its neighbours where it is.
//!
//! Whoever asked for its address in vain before, as the router does for requests that are held, asks again only a second
//! later (Linux's `retrans_time_ms` of neighbours). But all that wait learn the address at once from any question that the
//! container itself asks; so it is made to ask for its gateway's.

use std::fs::File;
use std::io;
use std::net::{Ipv4Addr, UdpSocket};
use std::thread;
use std::time::Duration;

use nix::sched::{CloneFlags, setns};
use tokio::time::timeout;

use super::DockerEngine;
use super::sockets::is_of;
use crate::name::ContainerName;

/// It saves a second at most.
const LIMIT: Duration = Duration::from_secs(1);

/// The port whose datagrams nobody reads (RFC 863).
const DISCARD: u16 = 9;

impl DockerEngine {
    /// For servers that may enter a container's network, as root may and whoever the unit of systemd lets. For others it is
    /// left out.
    pub(super) async fn announce(&self, name: &ContainerName) {
        // A container that is not there any more has nothing to tell.
        let _ = timeout(LIMIT, self.speak(name)).await;
    }

    async fn speak(&self, name: &ContainerName) -> Option<()> {
        let details = self.own(name).await.ok()?;
        let (id, pid) = (details.id?, details.state?.pid.filter(|pid| *pid > 0)?);
        let networks = details.network_settings?.networks?;
        let gateway = networks.into_values().find_map(|network| network.gateway?.parse().ok())?;
        let speaking = move || is_of(pid, &id).then(|| speak_from(pid, gateway));
        let spoken = tokio::task::spawn_blocking(speaking).await.ok()??;
        if let Err(error) = spoken {
            tracing::debug!(container = %name, %error, "it could not be announced");
        }
        Some(())
    }
}

/// On a thread of its own, which stays in that network until it ends.
fn speak_from(pid: i64, gateway: Ipv4Addr) -> io::Result<()> {
    let speaking = thread::spawn(move || {
        setns(File::open(format!("/proc/{pid}/ns/net"))?, CloneFlags::CLONE_NEWNET)?;
        UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))?.send_to(&[], (gateway, DISCARD)).map(drop)
    });
    speaking.join().unwrap_or_else(|_| Err(io::Error::other("it panicked")))
}
