//! Request → accepted deploy, or a problem; then the queue.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;

use super::Work;
use super::bearings::Bearings;
use super::keep::{Going, check_stays};
use crate::api::{DeployRequest, Problem, ProblemCode, Target};
use crate::context::{self, ContextId};
use crate::deploy::queue::Admission;
use crate::deploy::{Action, Deploy, DeployState, Origin, Outcome, Release, What};
use crate::manifest::{self, Images, Manifest, Scale};
use crate::name::{DeployId, ReleaseId, ServiceName};
use crate::server::asker::Asker;
use crate::server::core::{Core, discard};
use crate::store::ServiceRecord;

impl Core {
    /// Checks what is asked, and hands it to the queue. The deploy goes on whether or not anybody watches.
    pub async fn accept(self: &Arc<Self>, request: DeployRequest) -> Result<Deploy, Problem> {
        self.accept_for(request, Asker::SERVER).await
    }

    /// The same, for somebody who may not have everything done.
    pub(in crate::server) async fn accept_for(
        self: &Arc<Self>,
        request: DeployRequest,
        asker: Asker<'_>,
    ) -> Result<Deploy, Problem> {
        self.check_accepting()?;
        let (service, action, work) = self.work_of(&request.target, asker).await?;
        self.admit(&service, action, work, request.origin, None, || Ok(()))
    }

    /// Hands a deploy to the queue, if `holds` finds that what asked for it is still so; its events begin with `why`. Waits
    /// for nothing: work that was taken in is never left lying.
    pub(super) fn admit(
        self: &Arc<Self>,
        service: &ServiceName,
        action: Action,
        work: Work,
        origin: Origin,
        why: Option<String>,
        holds: impl FnOnce() -> Result<(), Problem>,
    ) -> Result<Deploy, Problem> {
        // No release goes meanwhile that it needs, and deploys are queued in the order of their numbers.
        let going = self.going();
        match (self.write_down(service, action, origin, &going, holds), work) {
            (Ok(deploy), work) => {
                why.into_iter().for_each(|message| self.recorder(&deploy).report(What::Warning { message }));
                self.enqueue(&deploy, work);
                Ok(deploy)
            }
            (Err(problem), Work::Push { context, .. }) => {
                discard(&context);
                Err(problem)
            }
            (Err(problem), Work::Change { .. }) => Err(problem),
        }
    }

    /// The deploy as it stands in the history from now on.
    fn write_down(
        &self,
        service: &ServiceName,
        action: Action,
        origin: Origin,
        going: &Going,
        holds: impl FnOnce() -> Result<(), Problem>,
    ) -> Result<Deploy, Problem> {
        holds()?;
        let Bearings { from, to, origin } = self.bearings(service, &action, origin)?;
        if let Some(to) = to {
            check_stays(going, service, to)?;
        }
        let deploy = |id| Deploy {
            id,
            service: service.clone(),
            action,
            from,
            to,
            origin,
            accepted: Timestamp::now(),
            state: DeployState::Queued,
        };
        Ok(self.store.add_deploy(service, deploy)?)
    }

    pub(in crate::server) fn check_not_stopping(&self) -> Result<(), Problem> {
        if !self.stopping.is_cancelled() {
            return Ok(());
        }
        let message = "the server is about to stop and changes nothing any more";
        Err(Problem::new(ProblemCode::Stopping, message).hint("Try again once it is back."))
    }

    pub(in crate::server) fn check_accepting(&self) -> Result<(), Problem> {
        self.check_not_stopping()?;
        if !self.is_recovered() {
            let message = "the server has not yet dealt with what its last stop cut off";
            let problem = Problem::new(ProblemCode::Unavailable, message);
            return Err(match self.trouble() {
                Some(trouble) => {
                    let causes = [vec![trouble.message], trouble.causes].concat();
                    Problem { causes, hint: trouble.hint, ..problem }
                }
                None => problem.hint("It needs the engine and the router for that. Try again in a few seconds."),
            });
        }
        Ok(())
    }

    async fn work_of(&self, target: &Target, asker: Asker<'_>) -> Result<(ServiceName, Action, Work), Problem> {
        match target {
            Target::Context { context } => {
                let received = received_context(context, &self.incoming())?;
                let manifest = Box::new(self.fitting_manifest_in(&received, asker).await?);
                let context = self.take_context(&received)?;
                Ok((manifest.service.clone(), Action::Push, Work::Push { context, manifest }))
            }
            Target::Service { service, action } => {
                asker.may(service, action)?;
                self.check_action(service, action).await?;
                Ok((service.clone(), action.clone(), Work::Change { action: action.clone() }))
            }
        }
    }

    /// A context that can only fail is not kept, and not built either.
    async fn fitting_manifest_in(&self, context: &Path, asker: Asker<'_>) -> Result<Manifest, Problem> {
        let fitting = async {
            let (manifest, images) = self.manifest_in(context).await?;
            asker.may(&manifest.service, &Action::Push)?;
            self.check_confined(asker, &manifest, &images).await?;
            self.check_fits(&manifest, asker).await?;
            self.check_room_to_build(context).await?;
            Ok(manifest)
        };
        fitting.await.inspect_err(|_| discard(context))
    }

    /// The manifest of a context that was received, and the images that it builds on.
    async fn manifest_in(&self, context: &Path) -> Result<(Manifest, Images), Problem> {
        let dockerfile = context::dockerfile_of(context).await?;
        let checked = match &dockerfile {
            Some(text) => manifest::check(text),
            None => manifest::check_missing(),
        };
        let manifest = checked.manifest.ok_or_else(|| Problem {
            diagnostics: checked.diagnostics,
            ..Problem::new(ProblemCode::BadRequest, "the Dockerfile has problems; nothing is deployed")
        })?;
        Ok((manifest, manifest::images(&dockerfile.unwrap_or_default())))
    }

    /// Out of the folder of contexts that expire.
    fn take_context(&self, received: &Path) -> Result<PathBuf, Problem> {
        let taken = self.taken().join(received.file_name().unwrap_or_default());
        let moved = std::fs::create_dir_all(self.taken()).and_then(|()| std::fs::rename(received, &taken));
        moved.map_err(|error| {
            Problem::new(ProblemCode::Internal, "the pushed context could not be kept").because(&error)
        })?;
        Ok(taken)
    }

    async fn check_action(&self, service: &ServiceName, action: &Action) -> Result<(), Problem> {
        let record = self.known(service)?;
        match action {
            Action::Push => Err(Problem::new(ProblemCode::BadRequest, "a push needs a context")),
            Action::Remove => Ok(()),
            Action::Redeploy => {
                let (context, _) = self.to_build_again(service)?;
                self.check_room_to_build(&context).await
            }
            Action::Rollback { to } => self.release(service, *to).map(drop),
            Action::Scale { count } => check_scale(&self.live_release(&record)?, *count),
            Action::Restart | Action::Stop | Action::Start => self.live_release(&record).map(drop),
        }
    }

    /// The context of the live release, and its manifest.
    pub(super) fn to_build_again(&self, service: &ServiceName) -> Result<(PathBuf, Manifest), Problem> {
        let live = self.live_release(&self.known(service)?)?;
        let context = self.context_of(service, live.id);
        if context.exists() {
            return Ok((context, live.manifest));
        }
        let message = format!("the folder that {} was built from is not kept any more", live.id);
        Err(Problem::new(ProblemCode::Conflict, message).hint("Push the folder again."))
    }

    /// Whether an action could be accepted now; a push is of so many bytes.
    pub(super) async fn check_possible(
        &self,
        service: &ServiceName,
        action: &Action,
        context_bytes: u64,
    ) -> Result<(), Problem> {
        match action {
            Action::Push => self.check_room_to_push(context_bytes).await,
            Action::Rollback { to } => {
                let release = self.release(service, *to)?;
                self.check_image(&release).await
            }
            _ => self.check_action(service, action).await,
        }
    }

    /// Whether one can go back to the release.
    pub(super) async fn check_image(&self, release: &Release) -> Result<(), Problem> {
        if self.engine.image(&release.image).await?.is_some() {
            return Ok(());
        }
        let message = format!("the image of {} {} is not on the server any more", release.service, release.id);
        Err(Problem::new(ProblemCode::Conflict, message).hint("Roll back to a release whose image is there, or push."))
    }

    pub(in crate::server) fn known(&self, service: &ServiceName) -> Result<ServiceRecord, Problem> {
        if let Some(record) = self.store.service(service)? {
            return Ok(record);
        }
        let names: Vec<_> = self.store.services()?.into_iter().map(|record| record.name.to_string()).collect();
        let problem = Problem::new(ProblemCode::NotFound, format!("there is no service {service}"));
        Err(match names.iter().max_by(|a, b| closeness(service, a).total_cmp(&closeness(service, b))) {
            Some(near) if closeness(service, near) > 0.6 => problem.hint(format!("Did you mean {near}?")),
            Some(_) => problem.hint(format!("There are {}.", names.join(", "))),
            None => problem.hint("Nothing was pushed to this server yet: `mypaas push SERVER DIR`."),
        })
    }

    pub(in crate::server) fn live_release(&self, record: &ServiceRecord) -> Result<Release, Problem> {
        match record.live {
            Some(live) => self.release(&record.name, live),
            None => {
                let message = format!("no release of {} was ever live", record.name);
                Err(Problem::new(ProblemCode::Conflict, message).hint("Mend what its last deploy failed of, and push."))
            }
        }
    }

    pub(in crate::server) fn release(&self, service: &ServiceName, id: ReleaseId) -> Result<Release, Problem> {
        self.store.release(service, id)?.ok_or_else(|| {
            Problem::new(ProblemCode::NotFound, format!("{service} has no release {id}"))
                .hint(format!("`mypaas releases SERVER {service}` lists them."))
        })
    }

    fn enqueue(self: &Arc<Self>, deploy: &Deploy, work: Work) {
        let recorder = self.recorder(deploy);
        let mut admission = self.admission();
        admission.work.insert(deploy.id, work);
        match admission.queue.admit(&deploy.service, deploy.id) {
            Admission::Runs => {
                drop(admission);
                self.spawn(deploy.clone());
            }
            Admission::Waits { behind, supersedes } => {
                recorder.report(What::Queued { behind });
                let dropped = supersedes.map(|old| (old, admission.work.remove(&old)));
                drop(admission);
                if let Some((old, work)) = dropped {
                    self.dismiss(old, work, Outcome::Superseded { by: deploy.id });
                }
            }
        }
    }

    /// Runs a deploy, and then those that waited for it.
    fn spawn(self: &Arc<Self>, deploy: Deploy) {
        let core = Arc::clone(self);
        let abandoned = self.abandoned.clone();
        let running = async move {
            let mut current = Some(deploy);
            while let Some(deploy) = current {
                let work = core.admission().work.remove(&deploy.id);
                let service = deploy.service.clone();
                if let Some(work) = work {
                    core.run_guarded(deploy, work).await;
                }
                current = core.next_of(&service);
            }
        };
        self.tasks.spawn(abandoned.run_until_cancelled_owned(running));
    }

    fn next_of(&self, service: &ServiceName) -> Option<Deploy> {
        loop {
            let next = self.admission().queue.finish(service)?;
            match self.feeds.deploy(next) {
                Some(deploy) => return Some(deploy),
                None => tracing::error!(deploy = %next, "nothing is known of a deploy that waits"),
            }
        }
    }

    /// Ends deploys that wait, because the server stops.
    pub(in crate::server) fn dismiss_waiting(&self) {
        let waiting: Vec<_> = {
            let mut admission = self.admission();
            let ids = admission.queue.drop_waiting();
            ids.into_iter().map(|id| (id, admission.work.remove(&id))).collect()
        };
        for (id, work) in waiting {
            let detail = "the server stopped before its turn came; nothing was changed".to_owned();
            self.dismiss(id, work, Outcome::Interrupted { detail });
        }
    }

    /// Ends a deploy that never ran.
    pub(super) fn dismiss(&self, id: DeployId, work: Option<Work>, outcome: Outcome) {
        if let Some(Work::Push { context, .. }) = work {
            discard(&context);
        }
        if let Ok(Some(deploy)) = self.store.deploy::<Deploy>(id) {
            self.recorder(&deploy).finish(outcome);
        }
        self.feeds.close(id);
    }
}

fn received_context(id: &str, folder: &Path) -> Result<PathBuf, Problem> {
    let path = id.parse().ok().map(|id: ContextId| id.path_in(folder)).filter(|path| path.exists());
    path.ok_or_else(|| {
        Problem::new(ProblemCode::NotFound, "the pushed context is not here (any more)").hint("Push the folder again.")
    })
}

pub(super) fn check_scale(live: &Release, count: u32) -> Result<(), Problem> {
    let service = &live.service;
    if live.manifest.scale.declared() == 0 {
        let message = format!("{service} does not scale: its Dockerfile has no mypaas.scale above 0");
        let hint = "Write mypaas.scale=1 (or more) into it and push; from then on it can be scaled.";
        return Err(Problem::new(ProblemCode::Conflict, message).hint(hint));
    }
    let problem = |message| Problem::new(ProblemCode::BadRequest, message);
    match count {
        0 => Err(problem(format!("{service} cannot run 0 containers")).hint("`mypaas stop` runs none.")),
        1..=Scale::LARGEST => Ok(()),
        _ => Err(problem(format!("{service} cannot run {count} containers; at most {} are possible", Scale::LARGEST))),
    }
}

fn closeness(service: &ServiceName, other: &str) -> f64 {
    strsim::jaro_winkler(service.as_str(), other)
}
