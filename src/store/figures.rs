//! Figures over time, in a file of their own: they are many, they come often, and to lose the last minute of them is no
//! harm. Sixty figures of each series lie together in a block, so that an hour of seconds and a month of minutes are
//! some hundred rows a subject.

use std::collections::BTreeMap;
use std::fs::{OpenOptions, Permissions};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use rusqlite::{Connection, ErrorCode, OptionalExtension, params};

use super::{Result, StoreError};

/// Figures of a series in a block.
pub const SLOTS: usize = 60;

const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS blocks (
        step INTEGER NOT NULL, subject TEXT NOT NULL, start INTEGER NOT NULL, figures BLOB NOT NULL,
        PRIMARY KEY (step, subject, start)
    ) WITHOUT ROWID;
    CREATE INDEX IF NOT EXISTS blocks_by_age ON blocks (step, start);
    CREATE TABLE IF NOT EXISTS notes (name TEXT PRIMARY KEY, text TEXT NOT NULL) WITHOUT ROWID;
";

/// In pages of four KiB: what is read is read once, and written once a minute.
const CACHED_PAGES: i64 = 32;

/// Which block.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct BlockKey {
    /// From one figure to the next, in seconds.
    pub step: u32,
    /// What the figures are of.
    pub subject: String,
    /// Of the first figure, in seconds since 1970; a multiple of sixty steps.
    pub start: i64,
}

impl BlockKey {
    /// The block that holds a moment, and the figure's place in it.
    pub fn at(step: u32, subject: &str, second: i64) -> (Self, usize) {
        let number = second.div_euclid(step.into());
        let slot = number.rem_euclid(SLOTS as i64);
        let start = (number - slot) * i64::from(step);
        (Self { step, subject: subject.to_owned(), start }, slot as usize)
    }

    /// When the next block begins, in seconds since 1970.
    pub fn end(&self) -> i64 {
        self.start + i64::from(self.step) * SLOTS as i64
    }
}

/// Sixty figures of each series; a series is known by a number.
#[derive(Debug, Clone, Default)]
pub struct Block {
    series: BTreeMap<u8, [f32; SLOTS]>,
}

impl Block {
    /// Of several figures for one place the largest stays.
    pub fn put(&mut self, series: u8, slot: usize, figure: f32) {
        let place = &mut self.series.entry(series).or_insert([f32::NAN; SLOTS])[slot];
        // A place that holds nothing is not a number, which `max` overlooks.
        *place = place.max(figure);
    }

    pub fn merge(&mut self, other: &Block) {
        for (series, figures) in &other.series {
            figures.iter().enumerate().for_each(|(slot, figure)| self.put(*series, slot, *figure));
        }
    }

    /// All figures that are there, with their series and place.
    pub fn figures(&self) -> impl Iterator<Item = (u8, usize, f32)> {
        let places = |(series, figures): (&u8, &[f32; SLOTS])| {
            let series = *series;
            figures.iter().copied().enumerate().map(move |(slot, figure)| (series, slot, figure)).collect::<Vec<_>>()
        };
        self.series.iter().flat_map(places).filter(|(_, _, figure)| !figure.is_nan())
    }

    fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.series.len() * (1 + 4 * SLOTS));
        for (series, figures) in &self.series {
            bytes.push(*series);
            figures.iter().for_each(|figure| bytes.extend_from_slice(&figure.to_le_bytes()));
        }
        bytes
    }

    /// What does not make a whole series is overlooked.
    fn from_bytes(bytes: &[u8]) -> Self {
        let mut block = Self::default();
        for one in bytes.chunks_exact(1 + 4 * SLOTS) {
            let mut figures = [f32::NAN; SLOTS];
            for (figure, raw) in figures.iter_mut().zip(one[1..].chunks_exact(4)) {
                *figure = raw.try_into().map_or(f32::NAN, f32::from_le_bytes);
            }
            block.series.insert(one[0], figures);
        }
        block
    }
}

/// The file.
#[derive(Debug)]
pub struct FigureStore {
    database: Mutex<Connection>,
}

/// Not so when the disk is full, or the file is another user's.
fn is_damaged(error: &StoreError) -> bool {
    let StoreError::Open { source, .. } = error else { return false };
    matches!(source.sqlite_error_code(), Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt))
}

impl FigureStore {
    /// Opens the file, or makes it, readable by its owner alone. One that is damaged is replaced, for it would stay so.
    pub fn open(path: &Path) -> Result<Self> {
        Self::try_open(path).or_else(|error| {
            if !is_damaged(&error) {
                return Err(error);
            }
            tracing::warn!(%error, "the figures so far cannot be read and are forgotten");
            for ending in ["", "-wal", "-shm"] {
                let mut file = path.as_os_str().to_owned();
                file.push(ending);
                // That it is not there is what is wanted.
                let _ = std::fs::remove_file(file);
            }
            Self::try_open(path)
        })
    }

    fn try_open(path: &Path) -> Result<Self> {
        let make = |source| StoreError::Make { path: path.to_owned(), source };
        let file = OpenOptions::new().create(true).append(true).mode(0o600).open(path).map_err(make)?;
        file.set_permissions(Permissions::from_mode(0o600)).map_err(make)?;
        let open = |source| StoreError::Open { path: path.to_owned(), source };
        let database = Connection::open(path).map_err(open)?;
        database.pragma_update(None, "journal_mode", "WAL").map_err(open)?;
        database.pragma_update(None, "synchronous", "NORMAL").map_err(open)?;
        database.pragma_update(None, "cache_size", CACHED_PAGES).map_err(open)?;
        database.execute_batch(SCHEMA).map_err(open)?;
        Ok(Self { database: Mutex::new(database) })
    }

    /// Adds what the blocks hold to what is there, all of it or nothing.
    pub fn merge(&self, blocks: &BTreeMap<BlockKey, Block>) -> Result<()> {
        let failed = |source| StoreError::Database { action: "write figures", source };
        let mut database = self.database();
        let transaction = database.transaction().map_err(failed)?;
        {
            let mut find = transaction
                .prepare_cached("SELECT figures FROM blocks WHERE step = ?1 AND subject = ?2 AND start = ?3")
                .map_err(failed)?;
            let mut put = transaction
                .prepare_cached("INSERT OR REPLACE INTO blocks (step, subject, start, figures) VALUES (?1, ?2, ?3, ?4)")
                .map_err(failed)?;
            for (BlockKey { step, subject, start }, block) in blocks {
                let known = find.query_row(params![step, subject, start], |row| row.get::<_, Vec<u8>>(0));
                let mut whole = Block::from_bytes(&known.optional().map_err(failed)?.unwrap_or_default());
                whole.merge(block);
                put.execute(params![step, subject, start, whole.to_bytes()]).map_err(failed)?;
            }
        }
        transaction.commit().map_err(failed)
    }

    /// The blocks of a subject that begin in this time, oldest first.
    pub fn read(&self, step: u32, subject: &str, from: i64, until: i64) -> Result<Vec<(i64, Block)>> {
        let failed = |source| StoreError::Database { action: "read figures", source };
        let database = self.database();
        let mut find = database
            .prepare_cached(
                "SELECT start, figures FROM blocks WHERE step = ?1 AND subject = ?2 AND start BETWEEN ?3 AND ?4 \
                 ORDER BY start",
            )
            .map_err(failed)?;
        let rows = find
            .query_map(params![step, subject, from, until], |row| {
                Ok((row.get(0)?, Block::from_bytes(&row.get::<_, Vec<u8>>(1)?)))
            })
            .map_err(failed)?;
        rows.collect::<rusqlite::Result<_>>().map_err(failed)
    }

    /// Removes blocks that began before.
    pub fn forget(&self, step: u32, before: i64) -> Result<()> {
        let failed = |source| StoreError::Database { action: "forget figures", source };
        let database = self.database();
        database.execute("DELETE FROM blocks WHERE step = ?1 AND start < ?2", params![step, before]).map_err(failed)?;
        Ok(())
    }

    /// Keeps a text under a name, in place of the one before.
    pub fn note(&self, name: &str, text: &str) -> Result<()> {
        let failed = |source| StoreError::Database { action: "write a note", source };
        let put = "INSERT OR REPLACE INTO notes (name, text) VALUES (?1, ?2)";
        self.database().execute(put, params![name, text]).map_err(failed)?;
        Ok(())
    }

    pub fn noted(&self, name: &str) -> Result<Option<String>> {
        let failed = |source| StoreError::Database { action: "read a note", source };
        let find = "SELECT text FROM notes WHERE name = ?1";
        self.database().query_row(find, params![name], |row| row.get(0)).optional().map_err(failed)
    }

    fn database(&self) -> MutexGuard<'_, Connection> {
        self.database.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn all(block: &Block) -> Vec<(u8, usize, f32)> {
        block.figures().collect()
    }

    #[test]
    fn what_was_written_in_parts_is_read_as_one_also_after_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("figures.db");
        let (key, slot) = BlockKey::at(1, "web", 1_000_000_007);
        assert_eq!((key.start, slot), (999_999_960, 47));
        let mut one = Block::default();
        one.put(3, slot, 1.5);
        let mut other = Block::default();
        other.put(3, slot, 1.0);
        other.put(3, 48, 2.0);
        for block in [one, other] {
            FigureStore::open(&path).unwrap().merge(&BTreeMap::from([(key.clone(), block)])).unwrap();
        }
        let store = FigureStore::open(&path).unwrap();
        let read = store.read(1, "web", key.start, key.start).unwrap();
        assert_eq!(read.len(), 1);
        assert_eq!(all(&read[0].1), [(3, 47, 1.5), (3, 48, 2.0)]);
        assert!(store.read(60, "web", 0, i64::MAX).unwrap().is_empty());
        store.forget(1, key.start).unwrap();
        assert_eq!(store.read(1, "web", 0, i64::MAX).unwrap().len(), 1);
        store.forget(1, key.start + 1).unwrap();
        assert_eq!(store.read(1, "web", 0, i64::MAX).unwrap().len(), 0);
    }

    #[test]
    fn a_file_that_cannot_be_read_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("figures.db");
        std::fs::write(&path, "no database, whatever its name says, and longer than a header would be".repeat(9))
            .unwrap();
        let store = FigureStore::open(&path).unwrap();
        store.note("alerts", "[]").unwrap();
        store.note("alerts", "[1]").unwrap();
        assert_eq!(store.noted("alerts").unwrap().as_deref(), Some("[1]"));
        assert_eq!(store.noted("other").unwrap(), None);
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }

    proptest! {
        #[test]
        fn a_block_is_read_as_it_was_written(
            figures in proptest::collection::vec((0_u8..7, 0_usize..SLOTS, -1e9_f32..1e9), 0..90)
        ) {
            let mut block = Block::default();
            figures.iter().for_each(|(series, slot, figure)| block.put(*series, *slot, *figure));
            prop_assert_eq!(all(&Block::from_bytes(&block.to_bytes())), all(&block));
        }
    }
}
