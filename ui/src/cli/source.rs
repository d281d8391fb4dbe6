//! What is pushed: a folder, or a Dockerfile and its folder; checked here before anything is sent.

use std::path::Path;

use mypaas::context::{ContextError, Place, locate};
use mypaas::manifest::{self, Checked, Diagnostic, Severity};

/// A Dockerfile and the folder around it.
#[derive(Debug)]
pub(crate) struct Source {
    pub(crate) place: Place,
    text: Vec<u8>,
}

/// A Dockerfile that cannot be deployed.
#[derive(Debug, thiserror::Error)]
#[error("{file} has mistakes")]
pub(crate) struct Mistakes {
    /// The Dockerfile, as the operator named it.
    pub(crate) file: String,
    /// All there is to say about it, warnings too.
    pub(crate) diagnostics: Vec<Diagnostic>,
}

impl Source {
    /// The folder at this path, or the folder of the Dockerfile at this path.
    pub(crate) fn open(path: &Path) -> Result<Self, ContextError> {
        let place = locate(path)?;
        let unreadable = |source| ContextError::Unreadable { path: place.dockerfile.clone(), source };
        let text = std::fs::read(&place.dockerfile).map_err(unreadable)?;
        Ok(Self { place, text })
    }

    /// Everything that is wrong in the Dockerfile, and the manifest when nothing is.
    pub(crate) fn check(&self) -> Checked {
        manifest::check(&self.text)
    }

    /// The Dockerfile's text; only of use once it was checked.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.text).into_owned()
    }

    /// The Dockerfile, for people.
    pub(crate) fn file(&self) -> String {
        let path = &self.place.dockerfile;
        path.strip_prefix(".").unwrap_or(path).display().to_string()
    }
}

/// The diagnostics as an error when one of them is one, else the warnings.
pub(crate) fn accept(file: String, diagnostics: Vec<Diagnostic>) -> Result<Vec<Diagnostic>, Mistakes> {
    if diagnostics.iter().any(|found| found.severity == Severity::Error) {
        return Err(Mistakes { file, diagnostics });
    }
    Ok(diagnostics)
}
