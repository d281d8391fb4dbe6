//! Folders to push: a Dockerfile, and the program of the example services.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::sweep::TEST;

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// A folder that is gone when it is dropped.
#[derive(Debug)]
pub(crate) struct Project {
    folder: tempfile::TempDir,
    instance: String,
}

impl Project {
    pub(crate) fn new(instance: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::copy(app(), folder.path().join("app")).unwrap();
        Self { folder, instance: instance.to_owned() }
    }

    /// Its Dockerfile from now on: these options, and these instructions at the end. The file `edition` is another at
    /// every call, so that there is something to build.
    pub(crate) fn write(&self, edition: u64, options: &[&str], instructions: &[&str]) -> &Path {
        let options: String = options.iter().map(|option| format!("# mypaas.{option}\n")).collect();
        let instructions: String = instructions.iter().map(|instruction| format!("{instruction}\n")).collect();
        let dockerfile = format!(
            "{options}FROM scratch\nLABEL {TEST}={}\nCOPY app /app\n{instructions}COPY edition /edition\nCMD [\"/app\"]\n",
            self.instance
        );
        fs::write(self.folder.path().join("Dockerfile"), dockerfile).unwrap();
        fs::write(self.folder.path().join("edition"), edition.to_string()).unwrap();
        self.folder.path()
    }
}

/// The program, compiled where it is out of date. Test processes that run at once compile it once: one does, the others
/// wait.
fn app() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let lock = File::create(folder.join("app.lock")).unwrap();
    lock.lock().unwrap();
    let made = Command::new("./dev").arg("app").arg(folder).current_dir(ROOT).status().unwrap();
    assert!(made.success(), "the example services' program could not be built");
    folder.join("app")
}
