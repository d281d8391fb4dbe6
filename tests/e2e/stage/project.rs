//! Folders to push: a Dockerfile, and the program of the example services.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;

use super::{Stage, Told};
use crate::sweep::TEST;

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

impl Stage {
    /// The folder of a service, with its Dockerfile written anew: these options, and these instructions at the end.
    pub(crate) fn project(&self, service: &str, options: &[&str], instructions: &[&str]) -> String {
        let options: String = options.iter().map(|option| format!("# mypaas.{option}\n")).collect();
        let instructions = instructions.join("\n");
        let dockerfile = format!(
            "# mypaas.service={service}\n{options}FROM scratch\nLABEL {TEST}={}\nCOPY app /app\n{instructions}\n\
             CMD [\"/app\"]\n",
            self.instance()
        );
        self.folder(service, &dockerfile)
    }

    /// The same, with all of the Dockerfile.
    pub(crate) fn folder(&self, name: &str, dockerfile: &str) -> String {
        let folder = self.path().join("projects").join(name);
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("Dockerfile"), dockerfile).unwrap();
        if !folder.join("app").exists() {
            fs::copy(app(), folder.join("app")).unwrap();
        }
        folder.to_str().unwrap().to_owned()
    }

    /// Also what it clears away at its end.
    pub(crate) async fn push(&self, folder: &str) -> Told {
        let told = self.mypaas(&["push", "local", folder]).await;
        self.until_cleared_away().await;
        told
    }
}

/// The program, compiled where it is out of date.
fn app() -> &'static Path {
    static APP: OnceLock<&Path> = OnceLock::new();
    APP.get_or_init(|| {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let made = Command::new("./dev").arg("app").arg(folder).current_dir(ROOT).status().unwrap();
        assert!(made.success(), "the example services' program could not be built");
        Path::new(concat!(env!("CARGO_TARGET_TMPDIR"), "/app"))
    })
}
