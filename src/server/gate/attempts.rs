//! Failed attempts, by address. Who fails too often gets a short answer, and no line of its own in log and audit. Who
//! proves who they are is let in all the same: nobody can be locked out by a neighbour behind the same address.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// So many may fail at once …
const BURST: f64 = 10.0;
/// … and then one in so long.
const PERIOD: Duration = Duration::from_secs(6);

/// Addresses that are told apart; all others share one account.
const MOST_ADDRESSES: usize = 4096;

/// What an address has left.
#[derive(Debug, Clone, Copy)]
struct Account {
    left: f64,
    at: Instant,
}

impl Account {
    fn at(self, now: Instant) -> Self {
        let earned = now.saturating_duration_since(self.at).as_secs_f64() / PERIOD.as_secs_f64();
        Self { left: (self.left + earned).min(BURST), at: now }
    }

    fn is_full(self) -> bool {
        self.left >= BURST
    }
}

/// The accounts of the addresses that failed of late.
#[derive(Debug, Default)]
pub(super) struct Attempts {
    accounts: Mutex<HashMap<IpAddr, Account>>,
}

impl Attempts {
    /// Counts a failed attempt; whether the address may still fail.
    pub(super) fn fail(&self, address: IpAddr, now: Instant) -> bool {
        let mut accounts = self.accounts.lock().unwrap_or_else(PoisonError::into_inner);
        let mut whose = network(address);
        if accounts.len() >= MOST_ADDRESSES && !accounts.contains_key(&whose) {
            accounts.retain(|_, account| !account.at(now).is_full());
            if accounts.len() >= MOST_ADDRESSES {
                whose = IpAddr::V6(Ipv6Addr::UNSPECIFIED);
            }
        }
        let account = accounts.entry(whose).or_insert(Account { left: BURST, at: now });
        *account = account.at(now);
        let may = account.left >= 1.0;
        if may {
            account.left -= 1.0;
        }
        may
    }
}

/// Of IPv6 addresses everybody has a whole network.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => address.into(),
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64)).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failures(attempts: &Attempts, address: &str, now: Instant, count: usize) -> usize {
        (0..count).filter(|_| attempts.fail(address.parse().unwrap(), now)).count()
    }

    #[test]
    fn an_address_may_fail_a_few_times_and_then_one_in_a_while() {
        let (attempts, now) = (Attempts::default(), Instant::now());
        assert_eq!(failures(&attempts, "192.0.2.1", now, 25), 10);
        assert_eq!(failures(&attempts, "192.0.2.2", now, 25), 10, "another address");
        assert_eq!(failures(&attempts, "192.0.2.1", now + 3 * PERIOD, 25), 3);
        assert_eq!(failures(&attempts, "::ffff:192.0.2.1", now + 3 * PERIOD, 25), 0, "the same address");
        assert_eq!(failures(&attempts, "192.0.2.1", now + 1000 * PERIOD, 25), 10);
    }

    #[test]
    fn a_network_of_ipv6_is_one_address() {
        let (attempts, now) = (Attempts::default(), Instant::now());
        assert_eq!(failures(&attempts, "2001:db8:0:1::1", now, 25), 10);
        assert_eq!(failures(&attempts, "2001:db8:0:1:ffff::9", now, 25), 0);
        assert_eq!(failures(&attempts, "2001:db8:0:2::1", now, 25), 10);
    }

    #[test]
    fn any_number_of_addresses_takes_room_for_some_only() {
        let (attempts, now) = (Attempts::default(), Instant::now());
        let may = (0..20_000_u32).filter(|number| attempts.fail(IpAddr::V4((*number).into()), now)).count();
        assert!(may <= MOST_ADDRESSES + 10, "{may}");
        assert!(attempts.accounts.lock().unwrap().len() <= MOST_ADDRESSES + 1);
        let later = now + 20 * PERIOD;
        assert!(attempts.fail("192.0.2.1".parse().unwrap(), later));
        assert_eq!(attempts.accounts.lock().unwrap().len(), 1, "who fails no more is forgotten");
    }
}
