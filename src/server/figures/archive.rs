//! Figures over time: each second of the last hour and each minute of the last thirty days, of each service and of the
//! machine. Kept here until a block of sixty is full, or for some minutes, then written to a file.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use jiff::Timestamp;

use crate::api::{History, HistoryQuery, Measure, Problem, ProblemCode, Span};
use crate::name::ServiceName;
use crate::store::{Block, BlockKey, FigureStore, SLOTS, StoreError};

const SECOND: u32 = 1;
const MINUTE: u32 = 60;

/// More figures a series than any screen has columns, and yet an answer of a sane size.
const MOST_POINTS: u32 = 4_000;

/// As many as fit a screen.
const USUAL_POINTS: u32 = 300;

/// What cannot be written for so long is forgotten.
const LONGEST_UNWRITTEN_SECONDS: i64 = 10 * 60;

/// The machine's name among services, which no service can have.
const MACHINE: &str = "";

/// What of that which was taken down is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Write {
    /// Blocks to which nothing is added any more: each is written once.
    Full,
    All,
}

#[derive(Debug)]
pub(in crate::server) struct Archive {
    /// None where there can be no file.
    store: Option<FigureStore>,
    unwritten: Mutex<BTreeMap<BlockKey, Block>>,
    /// Whoever writes has it alone: meanwhile figures are neither here nor there.
    writing: RwLock<()>,
}

impl Archive {
    pub(super) fn open(path: &Path) -> Self {
        let opened = FigureStore::open(path);
        let store = opened.inspect_err(|error| tracing::warn!(%error, "figures are not kept")).ok();
        Self { store, unwritten: Mutex::default(), writing: RwLock::default() }
    }

    /// Takes down figures of a service, or of the machine, in these seconds since 1970.
    pub(super) fn record(
        &self,
        seconds: RangeInclusive<i64>,
        service: Option<&ServiceName>,
        figures: &[(Measure, f32)],
    ) {
        let subject = service.map_or(MACHINE, ServiceName::as_str);
        let mut unwritten = self.unwritten();
        for (second, step) in seconds.flat_map(|second| [(second, SECOND), (second, MINUTE)]) {
            let (key, slot) = BlockKey::at(step, subject, second);
            let block = unwritten.entry(key).or_default();
            figures.iter().for_each(|(measure, figure)| block.put(number(*measure), slot, *figure));
        }
    }

    /// Writes what was taken down, and forgets what is too old. For a thread that may wait.
    pub(super) fn write(&self, what: Write, now: Timestamp) {
        let _alone = self.writing.write().unwrap_or_else(PoisonError::into_inner);
        let blocks = self.take_unwritten(what, now.as_second());
        match self.store.as_ref().map(|store| write(store, &blocks, now)) {
            Some(Ok(())) => {}
            Some(Err(error)) => {
                tracing::debug!(%error, "figures are written later");
                self.keep(blocks, now);
            }
            None => self.keep(blocks, now),
        }
    }

    fn take_unwritten(&self, what: Write, now: i64) -> BTreeMap<BlockKey, Block> {
        let mut unwritten = self.unwritten();
        let stays = |key: &BlockKey| what == Write::Full && key.end() > now;
        let (kept, taken) = std::mem::take(&mut *unwritten).into_iter().partition(|(key, _)| stays(key));
        *unwritten = kept;
        taken
    }

    /// Keeps what could not be written, as far as it is not too much.
    fn keep(&self, blocks: BTreeMap<BlockKey, Block>, now: Timestamp) {
        let mut unwritten = self.unwritten();
        let oldest = now.as_second() - LONGEST_UNWRITTEN_SECONDS;
        for (key, block) in blocks.into_iter().filter(|(key, _)| key.end() > oldest) {
            unwritten.entry(key).or_default().merge(&block);
        }
    }

    /// For a thread that may wait.
    pub(in crate::server) fn read(&self, query: &HistoryQuery, now: Timestamp) -> Result<History, Problem> {
        let subject = query.service.as_ref().map_or(MACHINE, ServiceName::as_str);
        let _whole = self.writing.read().unwrap_or_else(PoisonError::into_inner);
        let frame = Frame::of(query, now);
        let step = query.span.resolution().as_secs() as u32;
        let first = BlockKey::at(step, subject, frame.from).0.start;
        let mut series: BTreeMap<Measure, Vec<Option<f32>>> = BTreeMap::new();
        let mut take = |start: i64, block: &Block| {
            for (number, slot, figure) in block.figures() {
                let at = frame.place(start + slot as i64 * i64::from(step));
                if let (Some(measure), Some(at)) = (measure(number), at) {
                    let place = &mut series.entry(measure).or_insert_with(|| vec![None; frame.points])[at];
                    *place = Some(place.map_or(figure, |known| known.max(figure)));
                }
            }
        };
        if let Some(store) = &self.store {
            let unreadable = |error: StoreError| Problem::of(ProblemCode::Internal, &error);
            let blocks = store.read(step, subject, first, now.as_second()).map_err(unreadable)?;
            blocks.iter().for_each(|(start, block)| take(*start, block));
        }
        let unwritten = self.unwritten();
        let recent = unwritten.iter().filter(|(key, _)| key.step == step && key.subject == subject);
        recent.for_each(|(key, block)| take(key.start, block));
        let from = Timestamp::from_second(frame.from).unwrap_or(now);
        Ok(History { span: query.span, from, step: Duration::from_secs(frame.step as u64), series })
    }

    /// A text that outlives the server.
    pub(in crate::server) fn noted(&self, name: &str) -> Option<String> {
        let noted = self.store.as_ref()?.noted(name);
        noted.inspect_err(|error| tracing::warn!(%error, name, "a note cannot be read")).ok().flatten()
    }

    pub(in crate::server) fn note(&self, name: &str, text: &str) {
        if let Some(Err(error)) = self.store.as_ref().map(|store| store.note(name, text)) {
            tracing::warn!(%error, name, "a note cannot be written");
        }
    }

    /// Services of which there is something that is not written yet.
    #[cfg(test)]
    fn subjects(&self) -> std::collections::BTreeSet<String> {
        self.unwritten().keys().map(|key| key.subject.clone()).collect()
    }

    fn unwritten(&self) -> MutexGuard<'_, BTreeMap<BlockKey, Block>> {
        self.unwritten.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn write(store: &FigureStore, blocks: &BTreeMap<BlockKey, Block>, now: Timestamp) -> Result<(), StoreError> {
    store.merge(blocks)?;
    for span in [Span::Hour, Span::Month] {
        let step = span.resolution().as_secs();
        // A block that began before the time that is kept may reach into it.
        let reach = span.duration().as_secs() + SLOTS as u64 * step;
        store.forget(step as u32, now.as_second() - reach as i64)?;
    }
    Ok(())
}

/// Where the figures of an answer lie in time, in seconds. Frames of one step begin at multiples of it, so that a graph
/// moves on and does not flicker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Frame {
    from: i64,
    step: i64,
    points: usize,
}

impl Frame {
    fn of(query: &HistoryQuery, now: Timestamp) -> Self {
        let resolution = query.span.resolution().as_secs();
        let kept = query.span.duration().as_secs() / resolution;
        let wanted = u64::from(query.points.unwrap_or(USUAL_POINTS).clamp(1, MOST_POINTS));
        let each = kept.div_ceil(wanted);
        let (points, step) = (kept.div_ceil(each), (each * resolution) as i64);
        let last = now.as_second().div_euclid(step) * step;
        Self { from: last - (points as i64 - 1) * step, step, points: points as usize }
    }

    /// Which figure stands for this second.
    fn place(&self, second: i64) -> Option<usize> {
        let at = usize::try_from((second - self.from).div_euclid(self.step)).ok()?;
        (at < self.points).then_some(at)
    }
}

/// How measures are written in the file: never to be changed.
const NUMBERS: [(Measure, u8); 7] = [
    (Measure::Cpu, 1),
    (Measure::Memory, 2),
    (Measure::Disk, 3),
    (Measure::Requests, 4),
    (Measure::Errors, 5),
    (Measure::Median, 6),
    (Measure::P95, 7),
];

fn number(measure: Measure) -> u8 {
    NUMBERS.iter().find(|(known, _)| *known == measure).map_or(0, |(_, number)| *number)
}

/// None for one that a newer version wrote.
fn measure(number: u8) -> Option<Measure> {
    NUMBERS.iter().find(|(_, known)| *known == number).map(|(measure, _)| *measure)
}

#[cfg(test)]
mod tests;
