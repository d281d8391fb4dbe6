//! The port that the server listens on for the router. Where the configuration leaves it open it is the one of last time
//! while that is free, so that a firewall's rule for it stays good.

use std::io;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::path::Path;

use tokio::net::TcpListener;

use crate::api::{Problem, ProblemCode};
use crate::atomic_file::{self, Access};

/// In the server folder.
const FILE_NAME: &str = "api_port";

/// Listens on the gateway; 0 as port: on any.
pub(super) async fn listen(home: &Path, gateway: Ipv4Addr, port: u16) -> Result<(TcpListener, SocketAddrV4), Problem> {
    let last = if port == 0 { last(home) } else { None };
    let again = match last {
        Some(last) => TcpListener::bind((gateway, last)).await.ok(),
        None => None,
    };
    let listener = match again {
        Some(listener) => Ok(listener),
        None => TcpListener::bind((gateway, port)).await,
    };
    let bound = listener.and_then(|listener| {
        let port = listener.local_addr()?.port();
        Ok((listener, SocketAddrV4::new(gateway, port)))
    });
    let (listener, target) = bound.map_err(|error| refused(SocketAddrV4::new(gateway, port), &error))?;
    if last != Some(target.port()) {
        remember(home, target.port());
    }
    Ok((listener, target))
}

fn last(home: &Path) -> Option<u16> {
    std::fs::read_to_string(home.join(FILE_NAME)).ok()?.trim().parse().ok().filter(|port| *port != 0)
}

/// Where it cannot be kept, the next start has another.
fn remember(home: &Path, port: u16) {
    let text = format!("{port}\n");
    if let Err(error) = atomic_file::write_beside(&home.join(FILE_NAME), text.as_bytes(), Access::Owner) {
        tracing::warn!(%error, port, "the port of the API could not be kept for the next start");
    }
}

fn refused(address: SocketAddrV4, error: &io::Error) -> Problem {
    Problem::new(ProblemCode::Unavailable, format!("the server cannot listen on {address} for the router"))
        .because(error)
        .hint("`port` under [api] of config.toml chooses another port; 0 is any that is free.")
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOST: Ipv4Addr = Ipv4Addr::new(127, 214, 200, 1);

    #[tokio::test]
    async fn the_port_of_last_time_is_taken_again_unless_it_is_taken_or_another_is_wanted() {
        let home = tempfile::tempdir().unwrap();
        let (listener, first) = listen(home.path(), HOST, 0).await.unwrap();
        let (other, second) = listen(home.path(), HOST, 0).await.unwrap();
        assert_ne!(second, first, "it is taken");
        drop((listener, other));
        assert_eq!(listen(home.path(), HOST, 0).await.unwrap().1, second);
        assert_eq!(listen(home.path(), HOST, first.port()).await.unwrap().1, first, "as configured");
        std::fs::write(home.path().join(FILE_NAME), "no port").unwrap();
        listen(home.path(), HOST, 0).await.unwrap();
    }
}
