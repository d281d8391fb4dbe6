//! Context → image → release.

use std::path::{Path, PathBuf};
use std::time::Instant;

use futures_util::StreamExt;
use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use super::accept::check_scale;
use super::cancel::Ending;
use super::{Work, unkept};
use crate::api::{Problem, ProblemCode};
use crate::context;
use crate::deploy::{Action, Deploy, Failure, Phase, Release, What};
use crate::engine::{Build, BuildLimits};
use crate::machine::Memory;
use crate::manifest::{Manifest, MemoryLimit};
use crate::name::{ImageName, ReleaseId, ServiceName};
use crate::server::config::BuildMemory;
use crate::server::core::{Core, discard};
use crate::server::feed::Recorder;
use crate::server::problem::failure;

/// Contexts kept of each service, so that its newest releases can be built again.
const CONTEXTS_KEPT: usize = 3;

/// Of the machine's memory, this part is left to what runs already, so that it can grow while a build runs.
const LEFT_TO_SERVICES: u64 = 10;

/// With less no build would come to its end.
const LEAST_FOR_A_BUILD: u64 = 256 << 20;

impl Core {
    /// The release that the deploy is about: built now, or there already; none for a deploy that ends all.
    pub(super) async fn release_for(
        &self,
        deploy: &Deploy,
        work: Work,
        recorder: &Recorder,
    ) -> Result<Option<Release>, Ending> {
        let service = &deploy.service;
        let unfound = |problem| Ending::Failed(failure(Phase::Starting, problem));
        match work {
            Work::Push { context, manifest } => {
                let release = self.build_cancellable(deploy, &context, *manifest, recorder).await?;
                self.keep_context(&context, &release);
                Ok(Some(release))
            }
            Work::Change { action: Action::Redeploy } => {
                let unbuilt = |problem| Ending::Failed(failure(Phase::Building, problem));
                let (context, manifest) = self.to_build_again(service).map_err(unbuilt)?;
                let release = self.build_cancellable(deploy, &context, manifest, recorder).await?;
                self.copy_context(&context, &release);
                Ok(Some(release))
            }
            Work::Change { action: Action::Remove } => Ok(None),
            Work::Change { action: Action::Rollback { to } } => {
                let release = self.release(service, to).map_err(unfound)?;
                self.check_image(&release).await.map_err(unfound)?;
                Ok(Some(release))
            }
            Work::Change { action } => {
                let live = self.known(service).and_then(|record| self.live_release(&record)).map_err(unfound)?;
                // The release that scales may be another than the one that was live when this was asked.
                if let Action::Scale { count } = action {
                    check_scale(&live, count).map_err(unfound)?;
                }
                Ok(Some(live))
            }
        }
    }

    /// Dropping the build ends it in the engine too.
    async fn build_cancellable(
        &self,
        deploy: &Deploy,
        context: &Path,
        manifest: Manifest,
        recorder: &Recorder,
    ) -> Result<Release, Ending> {
        let cancelled = self.cancellable(deploy.id);
        let build = self.build(deploy, context, manifest, recorder);
        let ending = tokio::select! {
            built = build => built.map_err(Ending::from),
            Ok(by) = cancelled => Err(Ending::Cancelled { by }),
        };
        self.no_longer_cancellable(deploy.id);
        if ending.is_err() {
            self.prune_unreleased(&deploy.service, recorder).await;
        }
        ending
    }

    async fn build(
        &self,
        deploy: &Deploy,
        context: &Path,
        manifest: Manifest,
        recorder: &Recorder,
    ) -> Result<Release, Failure> {
        let broken = |problem: Problem| failure(Phase::Building, problem);
        // Held until the image is a release: what is of none may be removed while nobody builds.
        let _place = self.builds.acquire().await;
        recorder.report(What::Phase { phase: Phase::Building });
        self.check_room_to_build(context).await.map_err(broken)?;
        let service = &deploy.service;
        let id = self.store.next_release(service).map_err(|error| broken(error.into()))?;
        let name = ImageName::of(&self.config.server.instance, service, id);
        let (sources, repositories) = self.sources_of(deploy, context).await.map_err(broken)?;
        let began = Instant::now();
        let stream = context::open(context).await.map_err(|error| broken(error.into()))?;
        let build = Build {
            name,
            service: service.clone(),
            release: id,
            context: stream.boxed(),
            pull: manifest.pulls_latest,
            sources,
            limits: self.build_limits(),
        };
        let (confined, triggered) = (self.is_confined(deploy), CancellationToken::new());
        let mut output = |line: String| {
            if confined && announces_triggers(&line) {
                triggered.cancel();
            }
            recorder.report(What::BuildOutput { line });
        };
        let built = triggered.run_until_cancelled(self.engine.build(build, &mut output)).await;
        let built = built.filter(|_| !triggered.is_cancelled()).ok_or_else(|| broken(has_triggers()))?;
        let image = built.map_err(|error| {
            let hint = "The build's output says which instruction failed. Mend it and push again.";
            let problem = Problem::from(error);
            broken(Problem { hint: problem.hint.clone().or_else(|| Some(hint.to_owned())), ..problem })
        })?;
        recorder.report(What::Built { image: image.name.clone(), bytes: image.bytes });
        let release = Release {
            service: service.clone(),
            id,
            image: image.name,
            image_id: image.id,
            image_bytes: image.bytes,
            image_has_healthcheck: image.has_healthcheck,
            image_first_check: image.first_check,
            image_volumes: image.volumes,
            repositories,
            manifest,
            origin: deploy.origin.clone(),
            built: Timestamp::now(),
            build_seconds: began.elapsed().as_secs_f64(),
        };
        self.store.put_release(service, id, &release).map_err(|error| broken(error.into()))?;
        recorder.update(|deploy| deploy.to = Some(id));
        unkept::of_new(&release).into_iter().for_each(|message| recorder.report(What::Warning { message }));
        Ok(release)
    }

    pub(super) fn is_confined(&self, deploy: &Deploy) -> bool {
        deploy.origin.key.as_ref().is_some_and(|holder| self.gate.limits(holder))
    }

    /// What is live goes first: a build gets little CPU beside it, and no memory that it may need.
    fn build_limits(&self) -> BuildLimits {
        let settings = &self.config.deploy;
        let max_mem = match settings.build_max_mem {
            BuildMemory::Off => None,
            BuildMemory::Limit(limit) => Some(limit),
            BuildMemory::Auto => match self.machine.memory() {
                Ok(memory) => Some(share_of(memory, settings.parallel_builds())),
                Err(error) => {
                    tracing::warn!(%error, "a build's memory is not limited");
                    None
                }
            },
        };
        BuildLimits { cpu_shares: settings.build_cpu_shares, max_cpu: settings.build_max_cpu, max_mem }
    }

    /// Where the context of a release is kept.
    pub(in crate::server) fn context_of(&self, service: &ServiceName, release: ReleaseId) -> PathBuf {
        self.contexts_of(service).join(format!("{release}.tar.gz"))
    }

    pub(in crate::server) fn contexts_of(&self, service: &ServiceName) -> PathBuf {
        self.contexts().join(service.flat())
    }

    /// Without its context a release can still be rolled back to, only not be built again; so failing here is told in
    /// the log and fails nothing.
    fn keep_context(&self, context: &Path, release: &Release) {
        let kept = self.context_of(&release.service, release.id);
        let moved =
            std::fs::create_dir_all(self.contexts_of(&release.service)).and_then(|()| std::fs::rename(context, &kept));
        if let Err(error) = moved {
            tracing::warn!(release = %release.id, service = %release.service, %error, "the context is not kept");
            discard(context);
        }
        self.prune_contexts(release);
    }

    fn copy_context(&self, context: &Path, release: &Release) {
        let kept = self.context_of(&release.service, release.id);
        // Contexts never change once received, so that two releases may share one.
        if let Err(error) = std::fs::hard_link(context, &kept) {
            tracing::warn!(release = %release.id, service = %release.service, %error, "the context is not kept");
        }
        self.prune_contexts(release);
    }

    fn prune_contexts(&self, newest: &Release) {
        let Ok(releases) = self.store.releases::<Release>(&newest.service) else { return };
        for old in releases.iter().skip(CONTEXTS_KEPT) {
            // What is live can be built anew, however many builds came to nothing after it.
            if self.is_needed(&old.service, old.id).is_ok_and(|needed| !needed) {
                discard(&self.context_of(&old.service, old.id));
            }
        }
    }

    pub(super) fn discard_contexts(&self, service: &ServiceName) -> std::io::Result<()> {
        match std::fs::remove_dir_all(self.contexts_of(service)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }
}

fn has_triggers() -> Problem {
    let message = "an image that it builds on has instructions of its own (ONBUILD), which might take something from images \
                   of other services; the key is for some services only";
    Problem::new(ProblemCode::Forbidden, message)
        .hint("Build on another image, or push with a key that is not limited.")
}

/// Docker says so before it does what a base image brings along as ONBUILD, which no check of the Dockerfile can see: as in
/// `# Executing 2 build triggers`.
fn announces_triggers(line: &str) -> bool {
    let words: Vec<&str> = line.split_whitespace().collect();
    let ["#", "Executing", count, "build", "trigger" | "triggers"] = words[..] else { return false };
    count.parse::<u32>().is_ok()
}

/// How much of the memory that is available each of so many builds may use.
fn share_of(memory: Memory, builds: u32) -> MemoryLimit {
    let spare = memory.available_bytes.saturating_sub(memory.total_bytes / LEFT_TO_SERVICES);
    let share = (spare / u64::from(builds)).max(LEAST_FOR_A_BUILD);
    MemoryLimit { bytes: i64::try_from(share).unwrap_or(i64::MAX) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_docker_announces_triggers() {
        assert!(announces_triggers("# Executing 1 build trigger"));
        assert!(announces_triggers("# Executing 12 build triggers "));
        for line in ["# Executing tests", "# Executing 1 build trigger more", "# Executing all build triggers", ""] {
            assert!(!announces_triggers(line), "{line}");
        }
    }

    #[test]
    fn builds_share_what_is_available_but_for_a_tenth_of_the_machine() {
        let share = |total_mib: u64, available_mib: u64, builds| {
            let memory = Memory { total_bytes: total_mib << 20, available_bytes: available_mib << 20 };
            share_of(memory, builds).bytes >> 20
        };
        assert_eq!(share(10_000, 7000, 1), 6000);
        assert_eq!(share(10_000, 7000, 2), 3000);
        assert_eq!(share(1000, 300, 1), 256, "little, and still enough to try");
        assert_eq!(share(1000, 50, 4), 256);
    }
}
