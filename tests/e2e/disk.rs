//! Disks that are full, and what makes room on them.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use mypaas::api::{DiskView, Holds, Pruned};

use crate::stage::{Settings, Stage, docker};
use crate::sweep::TEST;

/// A small disk in memory over a folder, for as long as this lives. Only root can have one.
struct SmallDisk(PathBuf);

impl SmallDisk {
    fn over(folder: &Path, mebibytes: u64) -> Self {
        let size = format!("size={mebibytes}m,mode=0700");
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", &size, "none"]).arg(folder).status().unwrap();
        assert!(mounted.success(), "only root can mount a small disk, so only root can run this test");
        Self(folder.to_owned())
    }

    /// Leaves room for so many MiB.
    fn fill(&self, left: usize) -> PathBuf {
        let path = self.0.join("filler");
        let mut file = File::create(&path).unwrap();
        let mebibyte = vec![1; 1 << 20];
        while file.write_all(&mebibyte).is_ok() {}
        let full = file.metadata().unwrap().len();
        file.set_len(full - ((left as u64) << 20)).unwrap();
        path
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // The server may still have files open in it.
        let _ = Command::new("umount").arg("--lazy").arg(&self.0).status();
    }
}

async fn disk(stage: &Stage) -> DiskView {
    serde_json::from_str(&stage.mypaas(&["disk", "local", "--json"]).await.done()).unwrap()
}

#[tokio::test]
async fn a_push_to_a_server_whose_disk_is_full_is_refused_and_changes_nothing() {
    let settings = Settings { min_free_mib: 16, ..Settings::default() };
    let mut stage = Stage::without_server(settings.clone()).await;
    let small = SmallDisk::over(&stage.home(), 48);
    stage.configure(&settings);
    stage.start().await;
    let folder = stage.project("web", &["url=http://web.test"], &[]);
    stage.push(&folder).await.done();

    let filler = small.fill(10);
    let before = stage.state().await;
    let told = stage.push(&folder).await.failed();
    let home = stage.home().display().to_string();
    for part in ["too little room on the disk of", &home, "must stay free (min_free_mib", "`mypaas disk local`"] {
        assert!(told.contains(part), "{part:?} is not told:\n{told}");
    }
    assert_eq!(stage.state().await, before);
    let view = disk(&stage).await;
    let own = view.file_systems.iter().find(|found| found.folders[0].holds == Holds::ServerFolder).unwrap();
    assert_eq!(own.total_bytes, 48 << 20);
    assert!((5 << 20..=10 << 20).contains(&own.free_bytes), "{own:?}");
    assert!(stage.hello("web.test").await.contains("release r1"));

    fs::remove_file(filler).unwrap();
    stage.push(&folder).await.done();
    assert!(stage.hello("web.test").await.contains("release r2"));
}

/// Two stages, one of which stays without a name.
fn in_stages(stage: &Stage, edition: u32) -> String {
    let label = format!("LABEL {TEST}={}", stage.instance());
    let first = format!("FROM scratch AS first\n{label}\nENV EDITION={edition}\nCOPY app /other/app\n");
    let second = format!("FROM scratch\n{label}\nCOPY --from=first /other/app /app\nCMD [\"/app\"]\n");
    stage.folder("web", &format!("# mypaas.service=web\n# mypaas.url=http://web.test\n{first}{second}"))
}

#[tokio::test]
async fn pruning_removes_what_builds_of_ours_left_and_nothing_of_anybody_else() {
    let stage = Stage::new().await;
    for edition in 1..=3 {
        stage.push(&in_stages(&stage, edition)).await.done();
    }
    stage.mypaas(&["pin", "local", "web", "r1"]).await.done();
    assert_eq!(stage.leftovers().await.len(), 3);
    // All of them built on an image of ours, or named after one.
    let ours = format!("{}/web:r2", stage.instance());
    let strangers = stage.folder("stranger", &format!("FROM {ours}\nCOPY app /mine\n"));
    let nameless = docker(&["build", "-q", &strangers]).await;
    let named = format!("{}/web-mine:r1", stage.instance());
    docker(&["tag", &ours, &named]).await;

    let view = disk(&stage).await;
    assert_eq!((view.services[0].releases, view.leftovers.count), (3, 3));
    assert!(view.reclaimable.bytes > 0 && view.leftovers.bytes > 0, "{view:?}");
    let told = stage.mypaas(&["prune", "local", "--keep", "1", "--yes", "--json"]).await.done();
    let pruned: Pruned = serde_json::from_str(&told).unwrap();
    assert_eq!((pruned.removed.leftovers, pruned.removed.releases.len()), (3, 1), "{pruned:?}");
    assert_eq!(stage.leftovers().await, [] as [String; 0]);
    for image in [&nameless, &named] {
        docker(&["image", "inspect", image]).await;
    }
    assert_eq!(stage.images().await.iter().filter(|name| name.starts_with("web:")).count(), 2, "live and pinned");
    assert!(stage.hello("web.test").await.contains("release r3"));
    stage.mypaas(&["rollback", "local", "web", "r1"]).await.done();
    let nothing = stage.mypaas(&["prune", "local", "-y"]).await.done();
    assert!(nothing.contains("nothing was removed from local"), "{nothing}");
}
