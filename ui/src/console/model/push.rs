//! Pushing a folder: choose it, look at what it says and what would happen, send it.

use std::path::{Path, PathBuf};

use mypaas::api::{Commit, PlanView, Problem};
use mypaas::manifest::Checked;
use mypaas::name::ServerName;
use serde::{Deserialize, Serialize};

use super::Ticket;
use super::dialog::Choice;
use super::line::Line;

/// A step of the page.
#[derive(Debug, Clone)]
pub(crate) struct Push {
    pub server: ServerName,
    pub step: Step,
    /// Of what was asked for last.
    pub ticket: Ticket,
}

#[derive(Debug, Clone)]
pub(crate) enum Step {
    Choosing(Choosing),
    /// The folder is read and the server is asked what would happen.
    Checking {
        folder: PathBuf,
    },
    Review(Review),
    Sending {
        report: Box<FolderReport>,
        sent: u64,
    },
    /// Sent, or not; the server did not take it.
    Refused {
        folder: PathBuf,
        problem: Problem,
    },
}

/// The choice of a folder.
#[derive(Debug, Clone, Default)]
pub(crate) struct Choosing {
    pub line: Line,
    /// Pushed before, the latest first.
    pub recents: Vec<PathBuf>,
    /// What the typed path may become.
    pub found: Vec<FoundFolder>,
    /// The selected line of the list, if one is.
    pub cursor: Option<usize>,
    /// What the chosen folder is at a glance, once it was looked at; of this path.
    pub glance: Option<(String, Glance)>,
}

/// What a folder is, before it is looked at in earnest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Glance {
    /// What its Dockerfile says, or why that cannot be read.
    pub checked: Result<Checked, Problem>,
    pub commit: Option<Commit>,
}

/// A folder that what was typed may become.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FoundFolder {
    /// As it would stand in the line.
    pub path: String,
    pub has_dockerfile: bool,
}

/// A line below the typed path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Offer {
    pub path: String,
    pub kind: OfferKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OfferKind {
    Recent,
    WithDockerfile,
    Folder,
}

#[derive(Debug, Clone)]
pub(crate) struct Review {
    pub report: Box<FolderReport>,
    pub choice: Choice,
    pub scroll: usize,
}

/// All there is to know of a folder before it is pushed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct FolderReport {
    pub folder: PathBuf,
    pub commit: Option<Commit>,
    pub contents: Result<Contents, Problem>,
}

/// What was found in a folder that can be read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Contents {
    pub checked: Checked,
    /// How much would be sent, or why it cannot be.
    pub size: Result<ContextSize, Problem>,
    /// None when the options have errors: there is nothing to plan.
    pub plan: Option<Result<PlanView, Problem>>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ContextSize {
    pub files: u64,
    /// Before compression.
    pub bytes: u64,
    /// What one may want to know about the choice of files.
    pub notes: Vec<String>,
}

impl Push {
    /// The folder whose Dockerfile is shown, before it is sent or after it was refused.
    pub(crate) fn looked_at(&self) -> Option<&Path> {
        match &self.step {
            Step::Review(review) => Some(&review.report.folder),
            Step::Refused { folder, .. } => Some(folder),
            Step::Choosing(_) | Step::Checking { .. } | Step::Sending { .. } => None,
        }
    }
}

impl Choosing {
    /// The lines below the typed path: recent folders that contain it, then what it may become.
    pub(crate) fn offers(&self) -> Vec<Offer> {
        let typed = self.line.text();
        let recents = self.recents.iter().map(|path| path.display().to_string());
        let recents = recents.filter(|path| path.contains(typed)).take(8);
        let mut offers: Vec<Offer> = recents.map(|path| Offer { path, kind: OfferKind::Recent }).collect();
        for folder in &self.found {
            if offers.iter().all(|offer| offer.path != folder.path) {
                let kind = if folder.has_dockerfile { OfferKind::WithDockerfile } else { OfferKind::Folder };
                offers.push(Offer { path: folder.path.clone(), kind });
            }
        }
        offers
    }

    /// The chosen folder, when nothing is known of it yet.
    pub(crate) fn unknown(&self) -> Option<String> {
        self.chosen().filter(|chosen| self.glance.as_ref().is_none_or(|(path, _)| path != chosen))
    }

    /// What enter takes: the selected line, or what was typed.
    pub(crate) fn chosen(&self) -> Option<String> {
        let selected = self.cursor.and_then(|index| self.offers().into_iter().nth(index)).map(|offer| offer.path);
        selected.or_else(|| (!self.line.is_empty()).then(|| self.line.text().to_owned()))
    }

    /// Makes the line as long as it can become without a choice: the selected folder, or what all found ones share.
    pub(crate) fn complete(&mut self) {
        let selected = self.cursor.and_then(|index| self.offers().into_iter().nth(index)).map(|offer| offer.path);
        let completed = selected.or_else(|| shared_start(&self.found));
        if let Some(path) = completed.filter(|path| path.len() > self.line.text().len() || self.cursor.is_some()) {
            let only = self.found.len() == 1 || self.cursor.is_some();
            self.line = Line::of(&if only && !path.ends_with('/') { format!("{path}/") } else { path });
            self.cursor = None;
        }
    }
}

/// What the paths have in common, from their start.
fn shared_start(found: &[FoundFolder]) -> Option<String> {
    let mut paths = found.iter().map(|folder| folder.path.as_str());
    let first = paths.next()?;
    let shared = paths.fold(first, |shared, path| {
        let same = shared.char_indices().zip(path.chars()).find(|((_, one), other)| one != other);
        let length = same.map_or(shared.len().min(path.len()), |((index, _), _)| index);
        &shared[..length]
    });
    Some(shared.to_owned())
}

impl Review {
    pub(crate) fn new(report: Box<FolderReport>) -> Self {
        Self { report, choice: Choice::Cancel, scroll: 0 }
    }

    /// Nothing stands in the way.
    pub(crate) fn can_push(&self) -> bool {
        self.report.contents.as_ref().is_ok_and(|contents| {
            let planned =
                contents.plan.as_ref().is_some_and(|plan| plan.as_ref().is_ok_and(|plan| plan.refusals.is_empty()));
            contents.checked.manifest.is_some() && contents.size.is_ok() && planned
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choosing(typed: &str, found: &[&str]) -> Choosing {
        let folder = |path: &&str| FoundFolder { path: (*path).to_owned(), has_dockerfile: false };
        Choosing {
            line: Line::of(typed),
            recents: vec!["/home/ada/blog".into(), "/srv/api".into()],
            found: found.iter().map(folder).collect(),
            cursor: None,
            glance: None,
        }
    }

    #[test]
    fn completion_goes_as_far_as_there_is_no_choice() {
        let mut several = choosing("/home/ada/s", &["/home/ada/shop", "/home/ada/shop-admin"]);
        several.complete();
        assert_eq!(several.line.text(), "/home/ada/shop");
        let mut single = choosing("/home/ada/sh", &["/home/ada/shop"]);
        single.complete();
        assert_eq!(single.line.text(), "/home/ada/shop/");
        let mut none = choosing("/nowhere", &[]);
        none.complete();
        assert_eq!(none.line.text(), "/nowhere");
    }

    #[test]
    fn recent_folders_come_first_and_none_twice() {
        let it = choosing("/home/ada/b", &["/home/ada/blog", "/home/ada/books"]);
        let offers: Vec<_> = it.offers().into_iter().map(|offer| (offer.path, offer.kind)).collect();
        let wanted = [("/home/ada/blog", OfferKind::Recent), ("/home/ada/books", OfferKind::Folder)];
        assert_eq!(offers, wanted.map(|(path, kind)| (path.to_owned(), kind)));
    }

    #[test]
    fn enter_takes_the_selected_folder_before_the_typed_one() {
        let mut it = choosing("/home", &[]);
        assert_eq!(it.chosen().as_deref(), Some("/home"));
        it.cursor = Some(0);
        assert_eq!(it.chosen().as_deref(), Some("/home/ada/blog"));
        assert_eq!(choosing("", &[]).chosen(), None);
    }
}
