//! What there is: in Docker, in the router's folder, and in the server's memory.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;
use tokio::time::{sleep, timeout};

use super::Stage;

const LIMIT: Duration = Duration::from_secs(60);
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// Of the deploys, those that may not have ended are among them.
const NEWEST: u32 = 20;

/// Docker's own client; what it prints.
pub(crate) async fn docker(arguments: &[&str]) -> String {
    let mut command = Command::new("docker");
    let run = command.args(arguments).stdin(Stdio::null()).kill_on_drop(true).output();
    let output = timeout(LIMIT, run).await.expect("docker does not answer").unwrap();
    assert!(output.status.success(), "docker {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
}

impl Stage {
    /// A deploy that is told to be done may still clear away what was before.
    pub(crate) async fn until_cleared_away(&self) {
        if self.process.is_none() {
            return;
        }
        let all_ended = async {
            while self.client().deploys(None, NEWEST).await.unwrap().iter().any(|deploy| !deploy.is_finished()) {
                sleep(LOOK_AGAIN).await;
            }
        };
        timeout(LIMIT, all_ended).await.expect("a deploy does not end");
    }

    /// The names of the services' containers, without the instance.
    pub(crate) async fn containers(&self) -> Vec<String> {
        self.until_cleared_away().await;
        self.containers_now().await
    }

    /// Also those that are about to go.
    pub(crate) async fn containers_now(&self) -> Vec<String> {
        let mine = format!("label=mypaas.instance={}", self.instance());
        let role = "label=mypaas.role=service";
        let names = docker(&["ps", "-a", "--filter", &mine, "--filter", role, "--format", "{{.Names}}"]).await;
        let own = |name: &str| name.strip_prefix(&format!("{}_", self.instance())).unwrap_or(name).to_owned();
        let sorted: BTreeSet<String> = names.lines().map(own).collect();
        sorted.into_iter().collect()
    }

    /// The tags of the services' images, without the instance, as in `web:r1`; an untagged one by its id, unless it is a
    /// step from which the next build goes on.
    pub(crate) async fn images(&self) -> Vec<String> {
        self.until_cleared_away().await;
        let steps = self.leftovers().await;
        let mine = format!("label=mypaas.instance={}", self.instance());
        let format = "{{.Repository}}:{{.Tag}} {{.ID}}";
        let names = docker(&["images", "--filter", &mine, "--format", format]).await;
        let own = |line: &str| match line.split_once(' ') {
            Some((name, _)) if name != "<none>:<none>" => {
                Some(name.strip_prefix(&format!("{}/", self.instance())).unwrap_or(name).to_owned())
            }
            Some((_, id)) if steps.iter().any(|step| step == id) => None,
            _ => Some(line.to_owned()),
        };
        let sorted: BTreeSet<String> = names.lines().filter_map(own).collect();
        sorted.into_iter().collect()
    }

    /// The ids of what builds left without a name.
    pub(crate) async fn leftovers(&self) -> Vec<String> {
        let mine = format!("label=mypaas.instance={}", self.instance());
        let unfinished = ["--filter", "label=mypaas.service=", "--filter", "dangling=true"];
        let ids = docker(&[&["images", "-q", "--filter", &mine][..], &unfinished].concat()).await;
        ids.lines().map(str::to_owned).collect()
    }

    /// All that a deploy may change, to be compared with what is there later.
    pub(crate) async fn state(&self) -> Vec<String> {
        self.until_cleared_away().await;
        let mine = format!("label=mypaas.instance={}", self.instance());
        let format = "{{.Names}} {{.ID}} {{.State}}";
        let mut state = vec![
            docker(&["ps", "-a", "--filter", &mine, "--format", format]).await,
            docker(&["network", "ls", "--filter", &mine, "--format", "{{.Name}} {{.ID}}"]).await,
        ];
        state.extend(self.images().await);
        for folder in ["traefik/config/routes", "contexts", "accepted"] {
            state.extend(files(&self.home().join(folder)));
        }
        if self.process.is_some() {
            for service in self.client().snapshot().await.unwrap().services {
                let detail = self.service(service.name.as_str()).await;
                let releases: Vec<_> = detail.releases.iter().map(|release| release.release.id).collect();
                state.push(format!("{} {:?} {:?} {releases:?}", service.name, service.state, service.release));
            }
        }
        state
    }
}

/// The files below a folder with their contents; none where there is no folder.
fn files(folder: &Path) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            let content = fs::read(&path).unwrap();
            let told = String::from_utf8(content).unwrap_or_else(|error| format!("{} bytes", error.as_bytes().len()));
            found.insert(format!("{}: {told}", path.display()));
        }
    }
    found
}
