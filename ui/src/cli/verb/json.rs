//! `mypaas json`, also `mypaas help json`: what `--json` prints.

/// The shapes, with an example each.
pub(crate) const HELP: &str = include_str!("json.txt");
