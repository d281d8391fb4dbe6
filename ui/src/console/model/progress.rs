//! The course of a deploy, folded from its events.

use std::time::Duration;

use jiff::Timestamp;
use mypaas::api::{Event, Failure, Outcome, Phase, ProbeAnswer, What};
use mypaas::name::{ContainerName, DeployId, ImageName};

use super::clean::clean;
use super::tape::Tape;

/// So many lines of a deploy's output are kept.
const LINES: usize = 5_000;

/// So many probe answers are kept of each container.
const ANSWERS: usize = 50;

#[derive(Debug, Clone)]
pub(crate) struct Progress {
    last_seq: u64,
    /// In the order they were entered.
    pub phases: Vec<Station>,
    pub containers: Vec<Course>,
    pub behind: Option<DeployId>,
    pub built: Option<(ImageName, u64)>,
    pub notes: Vec<String>,
    pub steps: Vec<String>,
    pub warnings: Vec<String>,
    pub holding: Option<Duration>,
    /// Why it is being undone.
    pub undoing: Option<Failure>,
    /// When it was done but for clearing away.
    pub done: Option<Timestamp>,
    pub finished: Option<(Timestamp, Outcome)>,
    /// What happened, line by line.
    pub tape: Tape<Event>,
}

/// A phase, and how long it took.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Station {
    pub phase: Phase,
    pub began: Timestamp,
    pub ended: Option<Timestamp>,
}

/// What became of one container.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Course {
    pub container: ContainerName,
    pub stage: Stage,
    /// Newest last.
    pub answers: Vec<(Timestamp, ProbeAnswer)>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Stage {
    Created,
    Started,
    Ready { after: Duration },
    TakesRequests,
    Stopped,
    Removed,
}

impl Default for Progress {
    fn default() -> Self {
        Self {
            last_seq: 0,
            phases: Vec::new(),
            containers: Vec::new(),
            behind: None,
            built: None,
            notes: Vec::new(),
            steps: Vec::new(),
            warnings: Vec::new(),
            holding: None,
            undoing: None,
            done: None,
            finished: None,
            tape: Tape::holding(LINES),
        }
    }
}

impl Progress {
    /// Takes in the next event; one that was seen before changes nothing.
    pub(crate) fn take(&mut self, mut event: Event) {
        if event.seq <= self.last_seq {
            return;
        }
        self.last_seq = event.seq;
        if let What::BuildOutput { line } = &mut event.what {
            *line = clean(line);
        }
        self.fold(&event);
        self.tape.push(event);
    }

    fn fold(&mut self, event: &Event) {
        match &event.what {
            What::Queued { behind } => self.behind = Some(*behind),
            What::Phase { phase } => self.enter(*phase, event.at),
            What::Built { image, bytes } => self.built = Some((image.clone(), *bytes)),
            What::Planned { notes, steps } => {
                self.notes.clone_from(notes);
                self.steps.clone_from(steps);
            }
            What::Created { container } => self.container(container).stage = Stage::Created,
            What::Started { container } => self.container(container).stage = Stage::Started,
            What::Probed { container, answer } => self.container(container).answer(event.at, answer),
            What::Ready { container, after } => self.container(container).stage = Stage::Ready { after: *after },
            What::Holding { limit } => self.holding = Some(*limit),
            What::Switched { containers } => {
                self.holding = None;
                containers.iter().for_each(|name| self.container(name).stage = Stage::TakesRequests);
            }
            What::Stopped { container } => self.container(container).stage = Stage::Stopped,
            What::Removed { container } => self.container(container).stage = Stage::Removed,
            What::Warning { message } => self.warnings.push(message.clone()),
            What::Undoing { because } => self.undoing = Some(because.clone()),
            What::Finished { outcome } => {
                self.close_phase(event.at);
                self.finished = Some((event.at, outcome.clone()));
            }
            What::Done => {
                self.done.get_or_insert(event.at);
            }
            What::BuildOutput { .. } | What::Other => {}
        }
    }

    fn enter(&mut self, phase: Phase, at: Timestamp) {
        self.close_phase(at);
        self.phases.push(Station { phase, began: at, ended: None });
    }

    fn close_phase(&mut self, at: Timestamp) {
        if let Some(station) = self.phases.last_mut() {
            station.ended.get_or_insert(at);
        }
    }

    /// Those of a release stand together, by their slots, in whatever order they are heard of.
    fn container(&mut self, name: &ContainerName) -> &mut Course {
        let known = self.containers.iter().position(|course| course.container == *name);
        let index = known.unwrap_or_else(|| {
            let (release, slot) = name.place();
            let before = |course: &Course| {
                let (other, its) = course.container.place();
                other == release && its < slot
            };
            let of_release = self.containers.iter().position(|course| course.container.place().0 == release);
            let after = self.containers.iter().rposition(before).map(|index| index + 1);
            let index = after.or(of_release).unwrap_or(self.containers.len());
            let course = Course { container: name.clone(), stage: Stage::Created, answers: Vec::new() };
            self.containers.insert(index, course);
            index
        });
        &mut self.containers[index]
    }

    /// How long a phase took, all its visits together; none when it was not entered or is not over.
    pub(crate) fn took(&self, phase: Phase) -> Option<Duration> {
        let visits = self.phases.iter().filter(|station| station.phase == phase);
        let times = visits.map(|station| Some(between(station.began, station.ended?))).collect::<Option<Vec<_>>>()?;
        (!times.is_empty()).then(|| times.into_iter().sum())
    }

    pub(crate) fn began(&self) -> Option<Timestamp> {
        self.phases.first().map(|station| station.began)
    }
}

impl Course {
    fn answer(&mut self, at: Timestamp, answer: &ProbeAnswer) {
        if self.answers.len() == ANSWERS {
            self.answers.remove(0);
        }
        self.answers.push((at, answer.clone()));
    }
}

/// From one moment to a later one; zero when they are the wrong way round.
pub(crate) fn between(from: Timestamp, to: Timestamp) -> Duration {
    Duration::try_from(to.duration_since(from)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::fixture::{self, at};

    #[test]
    fn phases_carry_their_times_and_end_with_the_deploy() {
        let mut progress = Progress::default();
        for event in fixture::successful_push() {
            progress.take(event);
        }
        assert!(progress.phases.iter().all(|station| station.ended.is_some()));
        assert_eq!(progress.took(Phase::Building), Some(Duration::from_millis(4200)));
        assert_eq!(progress.took(Phase::Undoing), None);
        assert!(matches!(progress.finished, Some((_, Outcome::Succeeded))));
        assert!(progress.containers.iter().any(|course| course.stage == Stage::TakesRequests));
    }

    #[test]
    fn containers_stand_by_release_and_slot_whoever_is_heard_of_first() {
        let mut progress = Progress::default();
        for name in ["web.r2.3", "web.r2.1", "web.r1.2", "web.r2.10", "web.r1.1", "web.r2.2"] {
            progress.container(&ContainerName::from_engine(name));
        }
        let names: Vec<_> = progress.containers.iter().map(|course| course.container.as_str()).collect();
        assert_eq!(names, ["web.r2.1", "web.r2.2", "web.r2.3", "web.r2.10", "web.r1.1", "web.r1.2"]);
    }

    #[test]
    fn events_that_come_again_after_a_broken_connection_change_nothing() {
        let mut progress = Progress::default();
        for event in fixture::successful_push().into_iter().chain(fixture::successful_push()) {
            progress.take(event);
        }
        assert_eq!(progress.tape.len(), fixture::successful_push().len());
    }

    #[test]
    fn output_is_bounded_and_what_fell_out_is_counted() {
        let mut progress = Progress::default();
        for seq in 1..=LINES as u64 + 10 {
            let what = What::BuildOutput { line: format!("\u{1b}[32mline {seq}") };
            progress.take(Event { seq, at: at(0), what });
        }
        assert_eq!((progress.tape.len(), progress.tape.dropped()), (LINES, 10));
        assert!(matches!(&progress.tape.at(0).unwrap().what, What::BuildOutput { line } if line == "line 11"));
    }
}
