//! `mypaas.maxcpu` and `mypaas.maxmem`.

use std::fmt;

use super::{Fault, billionths, quoted};
use crate::manifest::{CpuLimit, MemoryLimit};

/// Docker refuses less.
const FEWEST_NANO_CPUS: u128 = 10_000_000;
const MOST_NANO_CPUS: u128 = 10_000 * 1_000_000_000;

/// Docker refuses less: 6 MiB.
const LEAST_MEMORY: u128 = 6 << 20;
/// 1 PiB.
const MOST_MEMORY: u128 = 1 << 50;

/// Why a text is no number of CPUs, or no amount of memory.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct LimitError(String);

/// As the option has it: `1.5`.
impl fmt::Display for CpuLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = format!("{}.{:09}", self.nano_cpus / 1_000_000_000, self.nano_cpus % 1_000_000_000);
        f.write_str(text.trim_end_matches('0').trim_end_matches('.'))
    }
}

/// As the option has it, in the largest unit that loses nothing: `512m`.
impl fmt::Display for MemoryLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whole = [(30, "g"), (20, "m"), (10, "k")].into_iter().find(|(shift, _)| self.bytes % (1 << shift) == 0);
        let (shift, unit) = whole.unwrap_or((0, ""));
        write!(f, "{}{unit}", self.bytes >> shift)
    }
}

/// CPUs as an operator writes them, as in `1.5`.
pub fn parse_cpus(text: &str) -> Result<CpuLimit, LimitError> {
    maxcpu(text).map_err(|fault| LimitError(fault.problem.message().to_owned()))
}

/// Memory as an operator writes it, as in `512m`.
pub fn parse_memory(text: &str) -> Result<MemoryLimit, LimitError> {
    maxmem(text).map_err(|fault| LimitError(fault.problem.message().to_owned()))
}

pub(in crate::manifest) fn maxcpu(value: &str) -> Result<CpuLimit, Fault> {
    let Some(nano_cpus) = billionths(value) else {
        let fault = Fault::new(format!("{} is not a number of CPUs", quoted(value)));
        return Err(match value.contains(',') && billionths(&value.replace(',', ".")).is_some() {
            true => fault.hint(format!("did you mean `{}`?", value.replace(',', "."))),
            false => fault,
        });
    };
    match nano_cpus {
        0 => Err(Fault::new("the limit must be more than 0 CPUs").hint("leave the option out for no limit")),
        _ if nano_cpus < FEWEST_NANO_CPUS => Err(Fault::new("Docker's smallest limit is 0.01 CPUs")),
        _ if nano_cpus > MOST_NANO_CPUS => Err(Fault::new("no server has so many CPUs")),
        _ => Ok(CpuLimit { nano_cpus: i64::try_from(nano_cpus).unwrap_or(i64::MAX) }),
    }
}

/// A number, and k, m, g or t as powers of 1024; `m`, `mb` and `mib` are the same, as for Docker.
pub(in crate::manifest) fn maxmem(value: &str) -> Result<MemoryLimit, Fault> {
    let end = value.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(value.len());
    let (number, suffix) = value.split_at(end);
    let number =
        billionths(number).ok_or_else(|| Fault::new(format!("{} is not an amount of memory", quoted(value))))?;
    let unit = suffix.trim_start();
    let shift = shift(unit).ok_or_else(|| {
        Fault::new(format!("{} is not a unit of memory", quoted(unit))).hint("the units are k, m and g").at(value, unit)
    })?;
    let bytes = (number << shift) / 1_000_000_000;
    match bytes {
        _ if bytes < LEAST_MEMORY => Err(too_little(value, unit)),
        _ if bytes > MOST_MEMORY => Err(Fault::new("no server has so much memory")),
        _ => Ok(MemoryLimit { bytes: i64::try_from(bytes).unwrap_or(i64::MAX) }),
    }
}

fn shift(unit: &str) -> Option<u32> {
    let unit = unit.to_ascii_lowercase();
    let letter = unit.strip_suffix("ib").or(unit.strip_suffix('b')).unwrap_or(&unit);
    match letter {
        "" if unit != "ib" => Some(0),
        "k" => Some(10),
        "m" => Some(20),
        "g" => Some(30),
        "t" => Some(40),
        _ => None,
    }
}

fn too_little(value: &str, unit: &str) -> Fault {
    let fault = Fault::new(format!("{} is below Docker's minimum of 6 MiB", quoted(value)));
    let in_megabytes = format!("{value}m");
    match unit.is_empty() && maxmem(&in_megabytes).is_ok() {
        true => fault.hint(format!("without a unit it is bytes; did you mean `{in_megabytes}`?")),
        false => fault.hint("give it at least 6m"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::told;
    use super::*;

    #[test]
    fn cpus_are_exact() {
        for (text, nano_cpus) in
            [("1", 1_000_000_000), ("0.1", 100_000_000), (".01", 10_000_000), ("2.5", 2_500_000_000)]
        {
            assert_eq!(maxcpu(text), Ok(CpuLimit { nano_cpus }), "{text}");
        }
    }

    #[test]
    fn a_limit_of_cpus_that_docker_would_refuse_is_told() {
        for (text, message) in [
            ("0", "the limit must be more than 0 CPUs"),
            ("0.000", "the limit must be more than 0 CPUs"),
            ("0.009", "Docker's smallest limit is 0.01 CPUs"),
            ("99999", "no server has so many CPUs"),
            ("-1", "`-1` is not a number of CPUs"),
            ("0,5", "`0,5` is not a number of CPUs"),
            ("1 cpu", "`1 cpu` is not a number of CPUs"),
            ("nan", "`nan` is not a number of CPUs"),
        ] {
            assert_eq!(told(text, maxcpu(text)).1, message);
        }
    }

    #[test]
    fn a_limit_is_written_as_the_option_has_it() {
        for text in ["1.5", "2", "0.01", "0.123456789"] {
            assert_eq!(maxcpu(text).map(|limit| limit.to_string()), Ok(text.to_owned()));
        }
        for (text, written) in [("512m", "512m"), ("2048m", "2g"), ("7000k", "7000k"), ("7000001", "7000001")] {
            assert_eq!(maxmem(text).map(|limit| limit.to_string()), Ok(written.to_owned()));
        }
    }

    #[test]
    fn memory_is_counted_as_docker_counts() {
        for (text, bytes) in [
            ("6291456", 6 << 20),
            ("6m", 6 << 20),
            ("18446744074", 18_446_744_074),
            ("512M", 512 << 20),
            ("512mb", 512 << 20),
            ("512 MiB", 512 << 20),
            ("1.5g", 1536 << 20),
            ("8192k", 8 << 20),
            ("1t", 1 << 40),
            ("6291456b", 6 << 20),
        ] {
            assert_eq!(maxmem(text), Ok(MemoryLimit { bytes }), "{text}");
        }
    }

    #[test]
    fn a_limit_of_memory_that_docker_would_refuse_is_told() {
        for (text, message) in [
            ("512", "`512` is below Docker's minimum of 6 MiB"),
            ("5.999m", "`5.999m` is below Docker's minimum of 6 MiB"),
            ("0", "`0` is below Docker's minimum of 6 MiB"),
            ("12x", "`x` is not a unit of memory"),
            ("12ib", "`ib` is not a unit of memory"),
            ("1 0m", "`0m` is not a unit of memory"),
            ("m", "`m` is not an amount of memory"),
            ("-6m", "`-6m` is not an amount of memory"),
            ("99999999999999999999t", "no server has so much memory"),
        ] {
            assert_eq!(told(text, maxmem(text)).1, message);
        }
    }
}
