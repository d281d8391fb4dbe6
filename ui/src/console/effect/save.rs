//! Saving a text to a file of the operator's.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use mypaas::api::{Problem, ProblemCode};

use super::folders::at_home;

/// Into a new file that only its owner may read: a log may tell more than it should. What is there already stays.
pub(super) fn save(path: &Path, text: &str) -> Result<PathBuf, Problem> {
    let path = at_home(path);
    let write = || -> std::io::Result<()> {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
        file.write_all(text.as_bytes())
    };
    match write() {
        Ok(()) => Ok(path),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Err(Problem::new(
            ProblemCode::Conflict,
            format!("{} is there already; it was left as it is", path.display()),
        )),
        Err(error) => {
            Err(Problem::new(ProblemCode::BadRequest, format!("{} could not be written: {error}", path.display())))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_new_file_is_written_for_its_owner_and_an_old_one_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("api.log");
        assert_eq!(save(&path, "one\n").unwrap(), path);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(save(&path, "two\n").unwrap_err().message.ends_with("is there already; it was left as it is"));
        assert_eq!(fs::read_to_string(&path).unwrap(), "one\n");
        assert!(save(&folder.path().join("no/such"), "").unwrap_err().message.contains("could not be written"));
    }
}
