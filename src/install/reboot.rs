//! A reboot of this machine at a time. systemd remembers it, and warns who is logged in.

use std::fs;
use std::str::FromStr;
use std::time::Duration;

use jiff::Timestamp;

use super::command::{self, CommandError};
use super::docker::has_systemd;

/// Where systemd says what it is going to do.
const SCHEDULED: &str = "/run/systemd/shutdown/scheduled";

const LIMIT: Duration = Duration::from_secs(20);

/// As far ahead as anybody plans.
const MOST_MINUTES: u32 = 7 * 24 * 60;

/// When to reboot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// The next time that the machine's clock says so.
    At {
        hour: u8,
        minute: u8,
    },
    In {
        minutes: u32,
    },
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no time for a reboot; use a time of day as in 03:00, or a while as in +2h or +30m")]
pub struct WhenError(String);

#[derive(Debug, thiserror::Error)]
pub enum RebootError {
    #[error("nothing on this machine schedules reboots: it is not run by systemd")]
    NoSystemd,
    #[error(transparent)]
    Command(#[from] CommandError),
}

impl FromStr for When {
    type Err = WhenError;

    fn from_str(text: &str) -> Result<Self, WhenError> {
        let read = || -> Option<Self> {
            if let Some(length) = text.strip_prefix('+') {
                let (number, unit) =
                    length.split_at(length.find(|c: char| !c.is_ascii_digit()).unwrap_or(length.len()));
                let minutes = number.parse::<u32>().ok()?.checked_mul(match unit {
                    "h" => 60,
                    "m" | "" => 1,
                    _ => return None,
                })?;
                return (1..=MOST_MINUTES).contains(&minutes).then_some(Self::In { minutes });
            }
            let (hour, minute) = text.split_once(':')?;
            let is_short = |text: &str| (1..=2).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
            if !is_short(hour) || minute.len() != 2 || !is_short(minute) {
                return None;
            }
            let (hour, minute) = (hour.parse().ok()?, minute.parse().ok()?);
            (hour < 24 && minute < 60).then_some(Self::At { hour, minute })
        };
        read().ok_or_else(|| WhenError(text.to_owned()))
    }
}

impl When {
    /// As `shutdown` wants it.
    fn argument(self) -> String {
        match self {
            When::At { hour, minute } => format!("{hour:02}:{minute:02}"),
            When::In { minutes } => format!("+{minutes}"),
        }
    }
}

/// Plans a reboot, in place of one that was planned before.
pub async fn schedule(when: When) -> Result<(), RebootError> {
    shutdown(&["-r", &when.argument(), "mypaas: the operator has planned a reboot"]).await
}

/// Plans none any more.
pub async fn cancel() -> Result<(), RebootError> {
    shutdown(&["-c"]).await
}

async fn shutdown(arguments: &[&str]) -> Result<(), RebootError> {
    if !has_systemd() {
        return Err(RebootError::NoSystemd);
    }
    command::run("shutdown", arguments, LIMIT).await?;
    Ok(())
}

/// When the machine is going to reboot; none when it is not.
pub fn scheduled() -> Option<Timestamp> {
    parse(&fs::read_to_string(SCHEDULED).ok()?)
}

fn parse(text: &str) -> Option<Timestamp> {
    let value = |key: &str| text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='));
    let microseconds = value("USEC")?.parse().ok()?;
    if value("MODE")? == "reboot" { Timestamp::from_microsecond(microseconds).ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_people_write_them() {
        for (text, argument) in
            [("03:00", "03:00"), ("3:00", "03:00"), ("23:59", "23:59"), ("+2h", "+120"), ("+5", "+5")]
        {
            assert_eq!(text.parse::<When>().map(When::argument).as_deref(), Ok(argument), "{text}");
        }
        for text in ["", "now", "24:00", "12:60", "3", "12:5", "+0", "+2d", "+", "+99999h", "-1h", "1:000", "+é"] {
            assert!(text.parse::<When>().is_err(), "{text}");
        }
    }

    #[test]
    fn what_is_planned_is_read_from_systemd() {
        let text = "USEC=1700000000000000\nWARN_WALL=1\nMODE=reboot\nWALL_MESSAGE=mypaas\n";
        assert_eq!(parse(text), Timestamp::from_second(1_700_000_000).ok());
        assert_eq!(parse(&text.replace("reboot", "poweroff")), None);
        assert_eq!(parse(""), None);
    }
}
