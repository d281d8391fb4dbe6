//! `mypaas.publish=[address:][server port:]port[/protocol]` as for Docker, and `mypaas.port`.

use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU16;
use std::ops::RangeInclusive;

use super::{Fault, quoted, whole_number};
use crate::manifest::{Protocol, Publish};

/// More ports than this are not published, by one option or by all of them: the engine needs a rule for each.
pub(in crate::manifest) const LARGEST_RANGE: usize = 1000;

const SERVER_PORT_MISSING: &str = "leave the server's port empty for a free one, as in `127.0.0.1::80`";

pub(in crate::manifest) fn port(value: &str) -> Result<NonZeroU16, Fault> {
    number(value, value)
}

/// One entry for each port of a range.
pub(in crate::manifest) fn publish(value: &str) -> Result<Vec<Publish>, Fault> {
    let (ports, protocol) = value.split_once('/').map_or((value, None), |(ports, name)| (ports, Some(name)));
    let protocol = protocol.map_or(Ok(Protocol::Tcp), |name| self::protocol(value, name))?;
    let (address, ports) = address(value, ports)?;
    let (host, container) = match ports.split_once(':') {
        None => (None, ports),
        Some(("", container)) => (None, container),
        Some((host, container)) => (Some(host), container),
    };
    let container_ports = range(value, container)?;
    let host_ports = host.map(|host| range(value, host)).transpose()?;
    check_lengths(value, host_ports.as_ref(), &container_ports)?;
    let entry = |offset: u16| {
        let nth = |ports: &RangeInclusive<u16>| NonZeroU16::new(ports.start().saturating_add(offset));
        let host_port = host_ports.as_ref().and_then(nth);
        Some(Publish { address, host_port, container_port: nth(&container_ports)?, protocol })
    };
    Ok((0..=container_ports.end() - container_ports.start()).filter_map(entry).collect())
}

fn protocol(value: &str, name: &str) -> Result<Protocol, Fault> {
    match name.to_ascii_lowercase().as_str() {
        "tcp" => Ok(Protocol::Tcp),
        "udp" => Ok(Protocol::Udp),
        "sctp" => Ok(Protocol::Sctp),
        _ => {
            Err(Fault::new(format!("{} is not a protocol", quoted(name))).hint("use tcp, udp or sctp").at(value, name))
        }
    }
}

/// The address, and the one or two ports behind it.
fn address<'v>(value: &str, ports: &'v str) -> Result<(Option<IpAddr>, &'v str), Fault> {
    if let Some((address, ports)) = ports.strip_prefix('[').and_then(|rest| rest.split_once("]:")) {
        let parsed: Ipv6Addr = address.parse().map_err(|_| no_address(value, address))?;
        return Ok((Some(parsed.into()), with_server_port(value, ports)?));
    }
    match ports.matches(':').count() {
        0 | 1 => match ports.split_once(':').filter(|(first, _)| first.parse::<IpAddr>().is_ok()) {
            Some((address, _)) => Err(Fault::new("between an address and the port stands the server's port")
                .hint(SERVER_PORT_MISSING)
                .at(value, address)),
            None => Ok((None, ports)),
        },
        2 => match ports.split_once(':') {
            Some(("", _)) | None => Err(Fault::new("there is nothing before the first `:`")),
            Some((address, ports)) => match address.parse() {
                Ok(parsed) => Ok((Some(parsed), ports)),
                Err(_) => Err(no_address(value, address)),
            },
        },
        _ => {
            Err(Fault::new("there are too many `:`").hint("an IPv6 address stands in brackets, as in `[::1]:8080:80`"))
        }
    }
}

fn with_server_port<'v>(value: &str, ports: &'v str) -> Result<&'v str, Fault> {
    match ports.matches(':').count() {
        1 => Ok(ports),
        _ => Err(Fault::new("an address is followed by the server's port and the container's")
            .hint("as in `[::1]:8080:80`, or `[::1]::80` for a free one")
            .at(value, ports)),
    }
}

fn no_address(value: &str, address: &str) -> Fault {
    Fault::new(format!("{} is not an IP address", quoted(address)))
        .hint("an entry is [address:][server port:]port[/protocol], as in 127.0.0.1:5432:5432")
        .at(value, address)
}

fn range(value: &str, text: &str) -> Result<RangeInclusive<u16>, Fault> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let (first, last) = (number(value, first)?.get(), number(value, last)?.get());
    if first > last {
        let fault = Fault::new(format!("the range {text} ends before it starts"));
        return Err(fault.hint(format!("did you mean {last}-{first}?")).at(value, text));
    }
    let length = usize::from(last - first) + 1;
    if length > LARGEST_RANGE {
        let fault = Fault::new(format!("{length} ports are too many; at most {LARGEST_RANGE} can be published"));
        return Err(fault.at(value, text));
    }
    Ok(first..=last)
}

fn check_lengths(
    value: &str,
    host: Option<&RangeInclusive<u16>>,
    container: &RangeInclusive<u16>,
) -> Result<(), Fault> {
    let (Some(hosts), containers) = (host.map(ExactSizeIterator::len), container.len()) else { return Ok(()) };
    if hosts == containers {
        return Ok(());
    }
    let fault = Fault::new(format!("{hosts} ports of the server are given for {containers} of the container"));
    Err(fault
        .hint("both ranges must be equally long; for one free port of the server, leave its port out")
        .at(value, value))
}

fn number(value: &str, text: &str) -> Result<NonZeroU16, Fault> {
    let Some(number) = whole_number(text) else {
        return Err(match text {
            "" => Fault::new("a port is missing"),
            _ => Fault::new(format!("{} is not a port", quoted(text))).at(value, text),
        });
    };
    let port = u16::try_from(number).ok().and_then(NonZeroU16::new);
    port.ok_or_else(|| Fault::new(format!("port {} is out of range 1–65535", shown(text))).at(value, text))
}

fn shown(digits: &str) -> &str {
    digits.get(..20).unwrap_or(digits)
}

#[cfg(test)]
mod tests {
    use super::super::tests::told;
    use super::*;

    fn entries(text: &str) -> Vec<String> {
        publish(text).unwrap_or_else(|fault| panic!("{text}: {fault:?}")).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn all_ways_to_publish_that_docker_knows_are_read() {
        for (written, expected) in [
            ("80", "80/tcp"),
            ("8080:80", "8080:80/tcp"),
            (":80", "80/tcp"),
            ("53:53/UDP", "53:53/udp"),
            ("127.0.0.1:8080:80/sctp", "127.0.0.1:8080:80/sctp"),
            ("127.0.0.1::80", "127.0.0.1::80/tcp"),
            ("[::1]:8080:80", "[::1]:8080:80/tcp"),
            ("[::]::80", "[::]::80/tcp"),
        ] {
            assert_eq!(entries(written), [expected]);
            assert_eq!(entries(expected), [expected]);
        }
    }

    #[test]
    fn a_range_is_one_entry_a_port() {
        assert_eq!(entries("8000-8002:9000-9002/udp"), ["8000:9000/udp", "8001:9001/udp", "8002:9002/udp"]);
        assert_eq!(entries("65534-65535"), ["65534/tcp", "65535/tcp"]);
        assert_eq!(entries("5-5:6"), ["5:6/tcp"]);
    }

    #[test]
    fn the_part_that_is_wrong_is_marked() {
        for (written, marked) in [
            ("http", "http"),
            ("8080:", "8080:"),
            ("0", "0"),
            ("99999:80", "99999"),
            ("80/icmp", "icmp"),
            ("80/", ""),
            ("localhost:80:80", "localhost"),
            ("127.0.0.1:80", "127.0.0.1"),
            ("::1:80:80", "::1:80:80"),
            ("::80", "::80"),
            ("[::1]:80", "80"),
            ("[::1:80:80", "[::1:80:80"),
            ("[x]:80:80", "x"),
            ("9-8:9-8", "9-8"),
            ("1-2000", "1-2000"),
            ("8000-8002:80", "8000-8002:80"),
            ("8000:80-81", "8000:80-81"),
            ("80 : 80", " 80"),
        ] {
            assert_eq!(told(written, publish(written)).0, marked, "{written}");
        }
    }

    #[test]
    fn a_port_says_what_range_it_must_be_in() {
        assert_eq!(port("8080").unwrap().get(), 8080);
        for text in ["0", "65536", "99999", "99999999999999999999"] {
            assert_eq!(told(text, port(text)).1, format!("port {text} is out of range 1–65535"));
        }
        assert_eq!(told("http", port("http")).1, "`http` is not a port");
    }
}
