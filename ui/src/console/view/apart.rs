//! Names that are cut in the middle and look alike then, because that is where they differ: they are cut where they
//! agree.

use std::collections::{BTreeMap, BTreeSet};

use super::text::{cut, cut_within, take_cells, width};
use crate::console::symbols::ELLIPSIS;

/// What is shown in so many cells of those names that the usual cut would not tell apart.
pub(crate) fn apart<'a>(names: impl IntoIterator<Item = &'a str>, cells: usize) -> BTreeMap<String, String> {
    let mut shown = BTreeMap::new();
    let long = names.into_iter().filter(|name| width(name) > cells);
    for alike in groups(long, |name| cut_within(name, cells)) {
        tell_apart(alike, cells, &mut shown);
    }
    shown
}

/// Those that look alike, where there are several of them.
fn groups<'a>(
    names: impl IntoIterator<Item = &'a str>,
    look: impl Fn(&str) -> String,
) -> impl Iterator<Item = BTreeSet<&'a str>> {
    let mut groups: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    for name in names {
        groups.entry(look(name)).or_default().insert(name);
    }
    groups.into_values().filter(|alike| alike.len() > 1)
}

fn tell_apart(alike: BTreeSet<&str>, cells: usize, shown: &mut BTreeMap<String, String>) {
    let start = difference(&alike);
    let look = |name: &str| cut_before(name, start, cells);
    shown.extend(alike.iter().map(|name| ((*name).to_owned(), look(name))));
    let count = alike.len();
    // Some of them may differ further on only.
    for still_alike in groups(alike, look).filter(|still_alike| still_alike.len() < count) {
        tell_apart(still_alike, cells, shown);
    }
}

/// Where the word begins in which the first two of them differ.
fn difference(names: &BTreeSet<&str>) -> usize {
    // Sorted, so that all others lie between these and have in common what these have.
    let (Some(first), Some(last)) = (names.first(), names.last()) else { return 0 };
    let common = first.char_indices().zip(last.chars()).find(|((_, one), other)| one != other);
    let common = common.map_or(first.len().min(last.len()), |((index, _), _)| index);
    first[..common].rfind(|character: char| !character.is_alphanumeric()).map_or(0, |separator| separator + 1)
}

/// The beginning of the name, and what comes from `start` on.
fn cut_before(name: &str, start: usize, cells: usize) -> String {
    let head = take_cells(name, cells / 4);
    if start <= head.len() {
        return cut(name, cells);
    }
    format!("{head}{}", cut(&format!("{ELLIPSIS}{}", &name[start..]), cells.saturating_sub(width(head))))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shown(names: &[&str], cells: usize) -> Vec<String> {
        let apart = apart(names.iter().copied(), cells);
        names.iter().map(|name| apart.get(*name).cloned().unwrap_or_else(|| cut_within(name, cells))).collect()
    }

    #[test]
    fn names_that_differ_in_the_middle_are_cut_where_they_agree() {
        let names = ["customer-mail-orders-service-eu", "customer-mail-refunds-service-eu"];
        assert_eq!(shown(&names, 20), ["custo…orders-servic…", "custo…refunds-servi…"]);
    }

    #[test]
    fn others_keep_both_their_ends() {
        let names = ["customer-preferences-eu", "customer-preferences-us", "short"];
        assert_eq!(shown(&names, 12), ["custo…ces-eu", "custo…ces-us", "short"]);
        assert!(apart(names, 12).is_empty());
        assert!(apart(["customer-preferences-eu"; 2], 12).is_empty(), "the same name twice is no other");
    }

    #[test]
    fn of_three_two_may_differ_further_on() {
        let names = [
            "team-alpha-mail-sender-worker-one",
            "team-alpha-mail-reader-worker-one",
            "team-beta-mail-sender-worker-one",
        ];
        let shown = shown(&names, 16);
        assert_eq!(shown.iter().collect::<BTreeSet<_>>().len(), 3, "{shown:?}");
    }

    proptest! {
        #[test]
        fn they_fit_and_differ_wherever_there_is_room_for_it(
            middles in proptest::collection::btree_set("[a-c]{1,4}(-[a-c]{1,4})?", 2..5), cells in 12usize..30,
        ) {
            let names: Vec<String> =
                middles.iter().map(|middle| format!("a-long-beginning-of-all-{middle}-and-a-long-end-of-all")).collect();
            let shown = shown(&names.iter().map(String::as_str).collect::<Vec<_>>(), cells);
            prop_assert!(shown.iter().all(|name| width(name) <= cells), "{shown:?}");
            let different: BTreeSet<_> = shown.iter().collect();
            prop_assert_eq!(different.len(), names.len(), "{:?}", shown);
        }
    }
}
