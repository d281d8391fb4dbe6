//! Which addresses of the services' network are free. An address that a deploy was promised is not given to another,
//! also before a container has it.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, PoisonError};

use crate::engine::Network;

#[derive(Debug, Default)]
pub(super) struct AddressBook {
    promised: Mutex<BTreeSet<Ipv4Addr>>,
}

/// Addresses promised to one deploy, free again when it ends.
#[derive(Debug)]
pub(super) struct Promise {
    book: Arc<AddressBook>,
    pub(super) addresses: Vec<Ipv4Addr>,
}

impl AddressBook {
    /// As many as wanted, or as there are.
    pub(super) fn promise(self: &Arc<Self>, network: &Network, in_use: &BTreeSet<Ipv4Addr>, wanted: usize) -> Promise {
        let mut promised = self.promised.lock().unwrap_or_else(PoisonError::into_inner);
        // The engine gives addresses of its own choice from the top of the network.
        let top = network.subnet.top();
        let free = |address: &Ipv4Addr| {
            let taken = in_use.contains(address) || promised.contains(address) || top.contains(*address);
            *address != network.gateway && !taken
        };
        let addresses: Vec<_> = network.subnet.hosts().filter(free).take(wanted).collect();
        promised.extend(&addresses);
        Promise { book: Arc::clone(self), addresses }
    }
}

impl Drop for Promise {
    fn drop(&mut self) {
        let mut promised = self.book.promised.lock().unwrap_or_else(PoisonError::into_inner);
        for address in &self.addresses {
            promised.remove(address);
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
        let in_use = BTreeSet::from([Ipv4Addr::new(10, 9, 0, 3)]);
        let book = Arc::new(AddressBook::default());
        let first = book.promise(&network, &in_use, 2);
        assert_eq!(first.addresses, [Ipv4Addr::new(10, 9, 0, 2), Ipv4Addr::new(10, 9, 0, 4)]);
        let second = book.promise(&network, &in_use, 99);
        assert_eq!(second.addresses.first(), Some(&Ipv4Addr::new(10, 9, 0, 5)));
        assert_eq!(second.addresses.last(), Some(&Ipv4Addr::new(10, 9, 0, 59)));
        drop(first);
        assert_eq!(book.promise(&network, &in_use, 1).addresses, [Ipv4Addr::new(10, 9, 0, 2)]);
    }
}
