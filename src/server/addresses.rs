//! Which addresses of the services' network are free. An address that a deploy was promised is not given to another,
//! also before a container has it.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::engine::Network;

#[derive(Debug, Default)]
pub(super) struct AddressBook {
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    promised: BTreeSet<Ipv4Addr>,
    /// The one that was promised last.
    last: Option<Ipv4Addr>,
}

/// Addresses promised to one deploy, free again when it ends.
#[derive(Debug)]
pub(super) struct Promise {
    book: Arc<AddressBook>,
    pub(super) addresses: Vec<Ipv4Addr>,
}

impl AddressBook {
    /// As many as wanted, or as there are. They go round: whoever still sends to a container that is gone is not to reach
    /// another one, and whoever asks for one that is to come is not to think that it knows where that is.
    pub(super) fn promise(self: &Arc<Self>, network: &Network, in_use: &BTreeSet<Ipv4Addr>, wanted: usize) -> Promise {
        let mut known = self.lock();
        let Known { promised, last } = &mut *known;
        // The engine gives addresses of its own choice from the top of the network.
        let top = network.subnet.top();
        let is_free = |address: &Ipv4Addr| {
            let taken = in_use.contains(address) || promised.contains(address) || top.contains(*address);
            *address != network.gateway && !taken
        };
        let is_later = |address: &Ipv4Addr| last.is_none_or(|last| *address > last);
        let hosts = || network.subnet.hosts().filter(is_free);
        let round = hosts().filter(is_later).chain(hosts().filter(|address| !is_later(address)));
        let addresses: Vec<_> = round.take(wanted).collect();
        *last = addresses.last().copied().or(*last);
        promised.extend(&addresses);
        Promise { book: Arc::clone(self), addresses }
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Promise {
    fn drop(&mut self) {
        let mut known = self.book.lock();
        for address in &self.addresses {
            known.promised.remove(address);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_promised_once_until_it_is_given_back() {
        let network = Network {
            name: "net".to_owned(),
            subnet: "10.9.0.0/26".parse().unwrap(),
            gateway: Ipv4Addr::new(10, 9, 0, 1),
        };
        let address = |last| Ipv4Addr::new(10, 9, 0, last);
        let in_use = BTreeSet::from([address(3)]);
        let book = Arc::new(AddressBook::default());
        let first = book.promise(&network, &in_use, 2);
        assert_eq!(first.addresses, [address(2), address(4)]);
        let second = book.promise(&network, &in_use, 50);
        assert_eq!((second.addresses.first(), second.addresses.last()), (Some(&address(5)), Some(&address(54))));
        drop((first, second));
        let third = book.promise(&network, &in_use, 6);
        assert_eq!(third.addresses[..5], [55, 56, 57, 58, 59].map(address), "those that were given back come last");
        assert_eq!(third.addresses[5..], [address(2)]);
        assert_eq!(book.promise(&network, &in_use, 99).addresses.len(), 51);
    }
}
