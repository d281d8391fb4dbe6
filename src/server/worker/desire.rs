//! Release, request and server → what should be.

use crate::api::{Problem, ProblemCode};
use crate::deploy::{Action, Command, Deploy, Desired, Goal, Pace, Readiness, Release, Serving, Strategy, Template};
use crate::manifest::{Manifest, ServiceUrl};
use crate::name::{DeployId, ServiceName};
use crate::server::asker::Asker;
use crate::server::core::{Core, place_of};
use crate::server::resolve;

impl Core {
    /// Also makes the folders of volumes that are missing.
    pub(super) fn desire(&self, deploy: &Deploy, release: Option<&Release>) -> Result<Desired, Problem> {
        let desired = self.desire_dry(deploy.id, &deploy.service, &deploy.action, release)?;
        if let Goal::Serving(serving) = &desired.goal {
            resolve::make_folders(&serving.template.binds)?;
        }
        Ok(desired)
    }

    /// Changes nothing.
    pub(super) fn desire_dry(
        &self,
        deploy: DeployId,
        service: &ServiceName,
        action: &Action,
        release: Option<&Release>,
    ) -> Result<Desired, Problem> {
        let goal = match (action, release) {
            (Action::Remove, _) | (_, None) => Goal::Gone,
            (Action::Stop, _) => Goal::Stopped,
            (_, Some(release)) => Goal::Serving(self.serving(action, release)?),
        };
        let pace = self.pace(&goal);
        Ok(Desired { deploy, service: service.clone(), goal, pace })
    }

    fn serving(&self, action: &Action, release: &Release) -> Result<Serving, Problem> {
        let manifest = &release.manifest;
        let settings = &self.config.deploy;
        let count = match action {
            Action::Scale { count } => *count,
            _ => self.asked_scale(release)?.unwrap_or(manifest.scale.count()),
        };
        let scale = if manifest.scale.declared() == 0 { 0 } else { count };
        let env = resolve::environment(manifest, &*self.vault.values()?)?;
        let binds = resolve::volumes(manifest, &self.place.user_home, &self.place.home)?;
        Ok(Serving {
            template: Template::of(&self.config.server.instance, release, scale, env, binds),
            strategy: Strategy::from(manifest.scale),
            count,
            readiness: Readiness::of(release, settings.settle, settings.ready_deadline),
            urls: manifest.urls.clone(),
            healthcheck: manifest.healthcheck.clone(),
            command: self.command(action, manifest.release_command.as_deref()),
            fresh: *action == Action::Restart,
        })
    }

    /// A release that was live before has been prepared already.
    fn command(&self, action: &Action, words: Option<&[String]>) -> Option<Command> {
        let words = words.filter(|_| matches!(action, Action::Push | Action::Redeploy))?;
        Some(Command { words: words.to_vec(), limit: self.config.deploy.command_limit })
    }

    fn pace(&self, goal: &Goal) -> Pace {
        let settings = &self.config.deploy;
        let ready = match goal {
            Goal::Serving(serving) => serving.readiness.deadline,
            Goal::Stopped | Goal::Gone => settings.ready_deadline,
        };
        Pace {
            drain: settings.drain(),
            grace: settings.grace,
            hold: settings.grace.saturating_add(ready),
            again: settings.ready_deadline,
        }
    }

    /// What would hinder a release of this manifest once it is built, told before the build.
    pub(super) async fn check_fits(&self, manifest: &Manifest, asker: Asker<'_>) -> Result<(), Problem> {
        resolve::environment(manifest, &*self.vault.values()?)?;
        resolve::volumes(manifest, &self.place.user_home, &self.place.home)?;
        self.check_urls(&manifest.service, &manifest.urls, |holder| asker.hears_of(holder)).await
    }

    /// A URL belongs to one service. Not everybody may be told which.
    pub(super) async fn check_urls(
        &self,
        service: &ServiceName,
        urls: &[ServiceUrl],
        may_be_told: impl Fn(&ServiceName) -> bool,
    ) -> Result<(), Problem> {
        for other in self.router.routes().await?.iter().filter(|other| other.service != *service) {
            let is_held = |wanted: &&ServiceUrl| other.urls.iter().any(|url| place_of(url) == place_of(wanted));
            if let Some(url) = urls.iter().find(is_held) {
                return Err(url_taken(Some(&other.service).filter(|holder| may_be_told(holder)), url));
            }
        }
        Ok(())
    }
}

pub(super) fn url_taken(holder: Option<&ServiceName>, url: &ServiceUrl) -> Problem {
    match holder {
        Some(holder) => Problem::new(ProblemCode::Conflict, format!("{url} belongs to the service {holder}"))
            .hint(format!("Take it out of this Dockerfile or of {holder}'s, or remove {holder}.")),
        None => Problem::new(ProblemCode::Conflict, format!("{url} belongs to another service"))
            .hint("Take it out of this Dockerfile. Whoever keeps the server can tell which service has it."),
    }
}
