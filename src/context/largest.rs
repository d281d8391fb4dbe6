//! What makes a folder too large: the few things that one would leave out.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::{Entry, EntryKind};

/// How many are told.
const TOLD: usize = 3;

/// A file, or a folder with all that is in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Share {
    pub path: PathBuf,
    pub is_folder: bool,
    /// Bytes, or files, as the case may be.
    pub weight: u64,
}

/// The heaviest things at the top of the folder, heaviest first. In place of a folder that is heavy because of one
/// thing in it stands that thing.
pub(super) fn largest(entries: &[Entry], weight: impl Fn(&Entry) -> u64) -> Vec<Share> {
    let weights = weights(entries, weight);
    let mut top: Vec<Share> = inside(&weights, Path::new("")).into_iter().take(TOLD).collect();
    for share in &mut top {
        while let Some(culprit) = inside(&weights, &share.path).into_iter().next()
            && culprit.weight * 10 >= share.weight * 9
        {
            *share = culprit;
        }
    }
    top
}

type Weights<'a> = HashMap<&'a Path, (u64, bool)>;

/// What each path weighs with all that is in it, and whether it is a folder.
fn weights(entries: &[Entry], weight: impl Fn(&Entry) -> u64) -> Weights<'_> {
    let mut weights = Weights::new();
    for entry in entries {
        let own = weight(entry);
        for path in entry.path.ancestors() {
            let is_folder = path != entry.path || entry.kind == EntryKind::Folder;
            let sum = weights.entry(path).or_insert((0, is_folder));
            sum.0 += own;
        }
    }
    weights
}

fn inside(weights: &Weights<'_>, folder: &Path) -> Vec<Share> {
    let mut shares: Vec<Share> = weights
        .iter()
        .filter(|(path, (weight, _))| path.parent() == Some(folder) && *weight > 0)
        .map(|(path, &(weight, is_folder))| Share { path: path.to_path_buf(), is_folder, weight })
        .collect();
    shares.sort_by(|a, b| b.weight.cmp(&a.weight).then_with(|| a.path.cmp(&b.path)));
    shares
}

/// As in `data/ (1.9 GiB), a.bin (12 MiB)`.
pub(super) fn list_of(shares: &[Share], amount: impl Fn(&Share) -> String) -> String {
    let slash = |share: &Share| if share.is_folder { "/" } else { "" };
    let told = |share: &Share| format!("{}{} ({})", share.path.display(), slash(share), amount(share));
    shares.iter().map(told).collect::<Vec<_>>().join(", ")
}

/// As in `1.9 GiB`.
pub(crate) fn in_words(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    if bytes < 1024 {
        return format!("{bytes} bytes");
    }
    let mut amount = bytes as f64 / 1024.0;
    let mut unit = 0;
    while amount >= 1024.0 && unit + 1 < UNITS.len() {
        amount /= 1024.0;
        unit += 1;
    }
    format!("{amount:.1} {}", UNITS[unit])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, bytes: u64) -> Entry {
        Entry { path: path.into(), kind: EntryKind::File { bytes }, mode: 0o644, modified: 0 }
    }

    #[test]
    fn the_culprit_inside_a_folder_is_named() {
        let entries = [
            file("src/main.rs", 10),
            file("src/data/a.bin", 9000),
            file("logs/a.log", 300),
            file("logs/b.log", 400),
            file("c.bin", 600),
            file("small", 1),
        ];
        let told = list_of(&largest(&entries, Entry::bytes), |share| in_words(share.weight));
        assert_eq!(told, "src/data/a.bin (8.8 KiB), logs/ (700 bytes), c.bin (600 bytes)");
    }

    #[test]
    fn files_are_counted_by_folder() {
        let entries: Vec<Entry> = (0..50).map(|i| file(&format!("node_modules/{i}/x"), 0)).collect();
        let told = largest(&entries, |_| 1);
        assert_eq!((told.len(), told[0].path.as_path(), told[0].weight), (1, Path::new("node_modules"), 50));
    }

    #[test]
    fn sizes_are_told_with_one_decimal() {
        for (bytes, words) in [(0, "0 bytes"), (1023, "1023 bytes"), (1536, "1.5 KiB"), (1 << 30, "1.0 GiB")] {
            assert_eq!(in_words(bytes), words);
        }
        assert_eq!(in_words(u64::MAX), "16777216.0 TiB");
    }
}
