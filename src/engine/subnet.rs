//! An IPv4 network: the addresses that containers are given.

use std::fmt;
use std::net::Ipv4Addr;
use std::str::FromStr;

/// The smallest network that is of use: some dozen containers, and a sixteenth of it that we give to none of ours.
const LONGEST_PREFIX: u8 = 26;

/// An IPv4 network in CIDR form, as in `10.97.0.0/16`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Subnet {
    pub base: Ipv4Addr,
    pub prefix: u8,
}

/// Why a text is not a network for containers.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SubnetError {
    #[error("{0:?} is not a network; networks are written as in 10.97.0.0/16")]
    Form(String),
    #[error("/{0} is no size for a network of containers; use /8 to /{LONGEST_PREFIX}")]
    Size(u8),
    #[error("{given} is an address within {base}/{prefix}, not the network itself; write {base}/{prefix}")]
    NotTheBase { given: Ipv4Addr, base: Ipv4Addr, prefix: u8 },
}

impl Subnet {
    /// The network that the address lies in. The prefix is at most 32.
    pub fn around(address: Ipv4Addr, prefix: u8) -> Self {
        let prefix = prefix.min(32);
        Self { base: Ipv4Addr::from_bits(address.to_bits() & mask(prefix)), prefix }
    }

    pub fn contains(&self, address: Ipv4Addr) -> bool {
        address.to_bits() & mask(self.prefix) == self.base.to_bits()
    }

    pub fn overlaps(&self, other: &Subnet) -> bool {
        self.contains(other.base) || other.contains(self.base)
    }

    /// All addresses that a host may have, lowest first; the first is the gateway's.
    pub fn hosts(&self) -> impl Iterator<Item = Ipv4Addr> + use<> {
        let (first, last) = (self.base.to_bits(), self.last().to_bits());
        (first.saturating_add(1)..last).map(Ipv4Addr::from_bits)
    }

    /// The server's own address on it.
    pub fn gateway(&self) -> Ipv4Addr {
        Ipv4Addr::from_bits(self.base.to_bits().saturating_add(1))
    }

    /// The highest sixteenth of the network.
    pub fn top(&self) -> Subnet {
        Subnet::around(self.last(), self.prefix.saturating_add(4))
    }

    fn last(self) -> Ipv4Addr {
        Ipv4Addr::from_bits(self.base.to_bits() | !mask(self.prefix))
    }
}

fn mask(prefix: u8) -> u32 {
    u32::MAX.checked_shl(32 - u32::from(prefix)).unwrap_or(0)
}

impl FromStr for Subnet {
    type Err = SubnetError;

    fn from_str(text: &str) -> Result<Self, SubnetError> {
        let form = || SubnetError::Form(text.to_owned());
        let (given, prefix) = text.split_once('/').ok_or_else(form)?;
        let given: Ipv4Addr = given.parse().map_err(|_| form())?;
        let prefix: u8 = prefix.parse().map_err(|_| form())?;
        if !(8..=LONGEST_PREFIX).contains(&prefix) {
            return Err(SubnetError::Size(prefix));
        }
        let subnet = Subnet::around(given, prefix);
        if subnet.base != given {
            return Err(SubnetError::NotTheBase { given, base: subnet.base, prefix });
        }
        Ok(subnet)
    }
}

impl fmt::Display for Subnet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{}/{}", self.base, self.prefix))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn subnet(text: &str) -> Subnet {
        text.parse().unwrap()
    }

    #[test]
    fn a_network_is_read_and_written_alike() {
        for text in ["10.97.0.0/16", "10.0.0.0/8", "192.168.1.0/24", "172.16.5.64/26"] {
            assert_eq!(subnet(text).to_string(), text);
        }
    }

    #[test]
    fn what_is_no_network_is_told_apart() {
        for text in ["", "10.97.0.0", "10.97.0.0/", "10.97.0/16", "x/16", "10.97.0.0/1000", "10.97.0.0/-1"] {
            assert_eq!(text.parse::<Subnet>(), Err(SubnetError::Form(text.to_owned())), "{text}");
        }
        assert_eq!("10.0.0.0/7".parse::<Subnet>(), Err(SubnetError::Size(7)));
        assert_eq!("10.0.0.0/27".parse::<Subnet>(), Err(SubnetError::Size(27)));
        let error = "10.97.3.1/16".parse::<Subnet>().unwrap_err();
        assert!(error.to_string().ends_with("write 10.97.0.0/16"), "{error}");
    }

    #[test]
    fn hosts_leave_out_the_network_and_the_broadcast_address() {
        let hosts: Vec<_> = subnet("10.1.2.64/26").hosts().collect();
        assert_eq!(hosts.len(), 62);
        assert_eq!(hosts.first(), Some(&Ipv4Addr::new(10, 1, 2, 65)));
        assert_eq!(hosts.last(), Some(&Ipv4Addr::new(10, 1, 2, 126)));
        assert_eq!(subnet("10.1.2.64/26").gateway(), hosts[0]);
    }

    #[test]
    fn networks_overlap_when_one_lies_in_the_other() {
        let wide = subnet("10.201.0.0/16");
        assert!(wide.overlaps(&subnet("10.201.7.0/24")));
        assert!(subnet("10.201.7.0/24").overlaps(&wide));
        assert!(!wide.overlaps(&subnet("10.202.0.0/16")));
        assert!(wide.overlaps(&Subnet::around(Ipv4Addr::new(10, 3, 2, 1), 8)));
    }

    #[test]
    fn the_top_of_a_network_is_its_last_sixteenth() {
        assert_eq!(subnet("10.201.0.0/16").top().to_string(), "10.201.240.0/20");
        assert_eq!(subnet("10.1.2.64/26").top().to_string(), "10.1.2.124/30");
    }

    proptest! {
        #[test]
        fn a_network_contains_its_hosts_and_nothing_beyond(bits: u32, prefix in 20u8..=28) {
            let subnet = Subnet::around(Ipv4Addr::from_bits(bits), prefix);
            prop_assert!(subnet.hosts().all(|host| subnet.contains(host)));
            prop_assert_eq!(subnet.hosts().count(), (1usize << (32 - prefix)) - 2);
            if let Some(beyond) = subnet.last().to_bits().checked_add(1) {
                prop_assert!(!subnet.contains(Ipv4Addr::from_bits(beyond)));
            }
        }
    }
}
