//! The way in from the network: the router takes requests for the server's own domain under `/daemon/` to a listener
//! on the gateway address of the services' network. Whoever else connects there is turned away at once, and whatever
//! comes in has to be signed.
//!
//! ```text
//! reach.rs    whether the server is reached by its domain, and how
//! port.rs     where it listens
//! reached.rs  whether it is reached indeed
//! accept.rs   connections, with their limits
//! ```

mod accept;
mod port;
mod reach;
mod reached;

use std::net::{IpAddr, SocketAddrV4};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

pub use self::accept::accept;
use self::reach::Reach;
use super::core::Core;
use crate::api::Problem;
use crate::router::ApiRoute;

/// The way in.
#[derive(Debug, Default)]
pub(super) struct Network {
    state: Mutex<State>,
    /// Why nobody comes in by it.
    unreached: Mutex<Option<Problem>>,
}

#[derive(Debug, Default)]
enum State {
    #[default]
    Unknown,
    /// There is none, as configured.
    Closed,
    Open {
        /// Where it listens.
        target: SocketAddrV4,
        /// The router's address: whoever comes from elsewhere is turned away.
        from: IpAddr,
        closed: CancellationToken,
        accepting: JoinHandle<()>,
    },
}

impl Network {
    /// Whether it is as the configuration wants it.
    pub(super) fn is_settled(&self) -> bool {
        !matches!(*self.state.lock().unwrap_or_else(PoisonError::into_inner), State::Unknown)
    }

    pub(super) fn unreached(&self) -> Option<Problem> {
        self.unreached.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Says whether that is news.
    fn tell_unreached(&self, problem: Option<Problem>) -> bool {
        let mut known = self.unreached.lock().unwrap_or_else(PoisonError::into_inner);
        let is_news = *known != problem;
        *known = problem;
        is_news
    }

    fn opened(&self) -> Option<(SocketAddrV4, IpAddr)> {
        match *self.state.lock().unwrap_or_else(PoisonError::into_inner) {
            State::Open { target, from, .. } => Some((target, from)),
            State::Unknown | State::Closed => None,
        }
    }

    fn set(&self, state: State) -> State {
        std::mem::replace(&mut *self.state.lock().unwrap_or_else(PoisonError::into_inner), state)
    }

    /// Returns once its address is free again.
    pub(super) async fn close(&self) {
        if let State::Open { closed, accepting, .. } = self.set(State::Unknown) {
            closed.cancel();
            // It could only have panicked, and then it is closed too.
            let _ = accepting.await;
        }
    }
}

impl Core {
    /// Opens the way in as the configuration says, or sees to it that there is none. One that is open stays so while
    /// network and router have the addresses that they had.
    pub(super) async fn open_network(self: &Arc<Self>) -> Result<(), Problem> {
        let (domain, secure) = match Reach::of(&self.config) {
            Reach::ByDomain { domain, secure } => (domain, secure),
            Reach::Not { why } => {
                tracing::info!(why, "the API is not reached over the network");
                self.network.close().await;
                self.router.conceal().await?;
                self.network.set(State::Closed);
                return Ok(());
            }
        };
        let network = self.engine.ensure_network().await?;
        let gateway = network.gateway;
        if let Some((target, from)) = self.network.opened().filter(|(target, _)| *target.ip() == gateway) {
            let exposed = self.router.expose(&ApiRoute { domain: domain.clone(), secure, target }).await;
            if exposed.is_ok_and(|router| router == from) {
                return Ok(());
            }
        }
        self.network.close().await;
        let (listener, target) = port::listen(&self.place.home, gateway, self.config.api.port).await?;
        let route = ApiRoute { domain, secure, target };
        let from = self.router.expose(&route).await?;
        let closed = self.stopped.child_token();
        let accepting = tokio::spawn(accept(listener, Arc::clone(self), from, closed.clone()));
        self.network.set(State::Open { target, from, closed: closed.clone(), accepting });
        tracing::info!(domain = route.domain, %target, secure, "the API is open to the network");
        tokio::spawn(reached::watch(Arc::clone(self), route, network, closed));
        Ok(())
    }
}
