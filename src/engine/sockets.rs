//! Connections of a process's network, read from the kernel's tables `/proc/PID/net/tcp` and `tcp6`.

use std::collections::BTreeSet;
use std::fs;
use std::io;

const ESTABLISHED: &str = "01";
const LISTENING: &str = "0A";

/// How many connections others hold open to the ports that are listened on there.
///
/// # Errors
/// When the process is gone, or its tables may not be read.
pub(super) fn connections(pid: i64) -> io::Result<u32> {
    let mut tables = fs::read_to_string(format!("/proc/{pid}/net/tcp"))?;
    match fs::read_to_string(format!("/proc/{pid}/net/tcp6")) {
        Ok(table) => tables += &table,
        // A machine without IPv6 has none.
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    Ok(count(&tables))
}

/// A line each, as in ` 1: 0200C90A:0050 0100C90A:C3A2 01 00000000:00000000 …`: number, own address and port, the
/// other's, state; in hexadecimal.
fn count(tables: &str) -> u32 {
    let sockets: Vec<_> = tables.lines().filter_map(Socket::read).collect();
    let listening: BTreeSet<&str> = sockets.iter().filter(|it| it.state == LISTENING).map(|it| it.port).collect();
    let others = |it: &&Socket<'_>| it.state == ESTABLISHED && listening.contains(it.port) && !it.is_of_itself();
    u32::try_from(sockets.iter().filter(others).count()).unwrap_or(u32::MAX)
}

struct Socket<'a> {
    port: &'a str,
    other: &'a str,
    state: &'a str,
}

impl<'a> Socket<'a> {
    fn read(line: &'a str) -> Option<Self> {
        let mut words = line.split_ascii_whitespace().skip(1);
        let (own, other, state) = (words.next()?, words.next()?, words.next()?);
        Some(Self { port: own.rsplit_once(':')?.1, other: other.rsplit_once(':')?.0, state })
    }

    /// From 127.0.0.0/8 or `::1`, in the order of bytes that the kernel prints: each four of them backwards.
    fn is_of_itself(&self) -> bool {
        match self.other.len() {
            8 => self.other.ends_with("7F"),
            _ => {
                self.other == "00000000000000000000000001000000"
                    || (self.other.starts_with("0000000000000000FFFF0000") && self.other.ends_with("7F"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str =
        "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n";

    #[test]
    fn connections_to_ports_that_are_listened_on_count() {
        let four = "   0: 00000000:0050 00000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 1 1 0 100 0\n\
                       1: 0300C90A:0050 0200C90A:C3A2 01 00000000:00000000 00:00000000 00000000 0 0 2 1 0 20 4\n\
                       2: 0300C90A:0050 0200C90A:C3A4 08 00000000:00000000 00:00000000 00000000 0 0 0 1 0 20 4\n\
                       3: 0300C90A:0050 0200C90A:C3A6 06 00000000:00000000 03:00000F00 00000000 0 0 0 3 0\n\
                       4: 0300C90A:8F10 0900C90A:1538 01 00000000:00000000 00:00000000 00000000 0 0 3 1 0 20 4\n\
                       5: 0100007F:0050 0100007F:9F10 01 00000000:00000000 00:00000000 00000000 0 0 4 1 0 20 4\n";
        assert_eq!(count(&format!("{HEAD}{four}")), 1, "one to us; closing, gone, from us, and of itself do not count");
    }

    #[test]
    fn a_port_that_takes_both_families_is_one() {
        let six = " 0: 00000000000000000000000000000000:1F90 00000000000000000000000000000000:0000 0A 0:0 0:0 0 0 0 7\n\
                    1: 0000000000000000FFFF00000300C90A:1F90 0000000000000000FFFF00000200C90A:A0B2 01 0:0 0:0 0 0 0 8\n\
                    2: 0000000000000000FFFF00000100007F:1F90 0000000000000000FFFF00000100007F:A0B4 01 0:0 0:0 0 0 0 9\n\
                    3: 00000000000000000000000001000000:1F90 00000000000000000000000001000000:A0B6 01 0:0 0:0 0 0 0 9\n";
        assert_eq!(count(&format!("{HEAD}{HEAD}{six}")), 1);
    }

    #[test]
    fn our_own_table_is_read() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let _own = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        connections(i64::from(std::process::id())).unwrap();
        assert!(connections(-1).is_err());
    }
}
