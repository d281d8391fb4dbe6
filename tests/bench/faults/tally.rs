//! What came of the trials, and the table.

use std::collections::BTreeMap;
use std::fmt::{self, Write};

use crate::faults::trial::{Trial, Violation};

/// Begins a line that hands a tally on to another process.
const MARK: &str = "tally\t";

#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Tally {
    pub(crate) tried: usize,
    pub(crate) violations: usize,
    pub(crate) succeeded: usize,
    pub(crate) failed_requests: u64,
}

/// By what befell the deploys.
#[derive(Debug, Default, Clone)]
pub(crate) struct Tallies(BTreeMap<String, Tally>);

impl Tallies {
    /// A call that the deploy did not come to is none that was tried.
    pub(crate) fn count(&mut self, trouble: &str, trial: &Result<Trial, Violation>) {
        let one = match trial {
            Ok(Trial { met: None, .. }) => return,
            Ok(Trial { succeeded, failed, .. }) => {
                Tally { tried: 1, succeeded: usize::from(*succeeded), failed_requests: *failed, violations: 0 }
            }
            Err(_) => Tally { tried: 1, violations: 1, ..Tally::default() },
        };
        self.0.entry(trouble.to_owned()).or_default().add(&one);
    }

    pub(crate) fn append(&mut self, other: Self) {
        for (trouble, tally) in other.0 {
            self.0.entry(trouble).or_default().add(&tally);
        }
    }

    pub(crate) fn sum(&self) -> Tally {
        self.0.values().fold(Tally::default(), |mut sum, tally| {
            sum.add(tally);
            sum
        })
    }

    /// For [`read`](Self::read).
    pub(crate) fn as_lines(&self) -> String {
        self.0.iter().fold(String::new(), |mut lines, (trouble, tally)| {
            let Tally { tried, violations, succeeded, failed_requests } = tally;
            writeln!(lines, "{MARK}{trouble}\t{tried}\t{violations}\t{succeeded}\t{failed_requests}").unwrap();
            lines
        })
    }

    /// Whether the line was one of a tally.
    pub(crate) fn read(&mut self, line: &str) -> bool {
        let Some(fields) = line.strip_prefix(MARK) else { return false };
        let fields: Vec<_> = fields.split('\t').collect();
        let number = |at: usize| fields[at].parse::<usize>().unwrap();
        let tally = Tally {
            tried: number(1),
            violations: number(2),
            succeeded: number(3),
            failed_requests: fields[4].parse().unwrap(),
        };
        self.0.entry(fields[0].to_owned()).or_default().add(&tally);
        true
    }

    pub(crate) fn table(&self, in_memory: &Tally) -> String {
        let head = ["tried", "succeeded", "undone", "requests failed", "violations"];
        let mut table =
            format!("{:26} {:>6} {:>10} {:>7} {:>16} {:>11}\n", "", head[0], head[1], head[2], head[3], head[4]);
        for (trouble, tally) in &self.0 {
            writeln!(table, "{trouble:26} {tally}").unwrap();
        }
        let sum = self.sum();
        writeln!(table, "{:26} {sum}", "Docker, in all").unwrap();
        let Tally { tried, violations, .. } = in_memory;
        writeln!(table, "{:26} {tried:>6} {:>47}", "in-memory engine, in all", violations).unwrap();
        let (all, violated) = (sum.tried + tried, sum.violations + violations);
        write!(table, "{:26} {all:>6} {violated:>47}", "both").unwrap();
        table
    }
}

impl Tally {
    fn add(&mut self, other: &Self) {
        self.tried += other.tried;
        self.violations += other.violations;
        self.succeeded += other.succeeded;
        self.failed_requests += other.failed_requests;
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { tried, violations, succeeded, failed_requests } = self;
        let undone = tried - succeeded - violations;
        write!(f, "{tried:>6} {succeeded:>10} {undone:>7} {failed_requests:>16} {violations:>11}")
    }
}
