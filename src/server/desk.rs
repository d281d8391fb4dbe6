//! What a caller may ask for. Endpoints get a [`Desk`] and nothing else of the server, and everything it hands out is
//! limited to the services of the caller: an endpoint cannot forget to ask.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{FromRequestParts, Request};
use axum::http::request::Parts;
use axum::response::Response;
use futures_util::stream::{BoxStream, StreamExt};
use jiff::Timestamp;

use super::answer::Refusal;
use super::asker::Asker;
use super::core::Core;
use super::gate::{About, Caller, Note, Stay};
use super::shell::Wanted;
use super::watch::{Narrow, Told};
use super::{logs, shell};
use crate::api::{
    AuditEntry, By, DeployRequest, DiskView, History, HistoryQuery, LogsOf, PlanRequest, PlanView, Problem,
    ProblemCode, Pruned, ReleaseView, ServerView, ServiceDetail, Snapshot, VariableChange, VariableView, WebhookTest,
};
use crate::context::Received;
use crate::deploy::{Deploy, Event, Origin};
use crate::engine::{LogLine, LogQuery};
use crate::name::{DeployId, ReleaseId, ServiceName};
use crate::store::StoreError;

type Result<T, E = Problem> = std::result::Result<T, E>;

/// The server, as one caller sees it.
#[derive(Debug)]
pub(super) struct Desk {
    core: Arc<Core>,
    caller: Caller,
    note: Note,
    stay: Stay,
}

impl FromRequestParts<Arc<Core>> for Desk {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, core: &Arc<Core>) -> Result<Self, Refusal> {
        let extensions = &mut parts.extensions;
        let guarded = (extensions.remove(), extensions.remove(), extensions.remove());
        let (Some(caller), Some(note), Some(stay)) = guarded else {
            let message = "the endpoint is not guarded, so nobody may use it";
            return Err(Problem::new(ProblemCode::Internal, message).into());
        };
        Ok(Self { core: Arc::clone(core), caller, note, stay })
    }
}

impl Desk {
    pub(super) async fn server(&self) -> ServerView {
        ServerView { limits: self.caller.limits(), ..self.core.known_server_view().await }
    }

    pub(super) async fn snapshot(&self) -> Result<Snapshot> {
        Ok(narrowed(&self.caller, self.core.snapshot().await?))
    }

    pub(super) fn watch(&self) -> BoxStream<'static, Told> {
        self.core.begin_looking();
        let caller = self.caller.clone();
        let see: Narrow = Box::new(move |snapshot| narrowed(&caller, snapshot));
        // Those who watch see the stream end, and look for the server again.
        let stopping = Box::pin(self.core.stopping.clone().cancelled_owned());
        self.core.watchers.subscribe(self.caller.limits().is_some().then_some(see)).take_until(stopping).boxed()
    }

    /// The machine's history is everybody's, as its figures are.
    pub(super) async fn history(&self, query: HistoryQuery) -> Result<History> {
        if let Some(service) = &query.service {
            self.caller.check(service)?;
            self.core.known(service).map_err(|problem| self.discreet(problem))?;
        }
        let core = Arc::clone(&self.core);
        let reading = tokio::task::spawn_blocking(move || core.figures.archive.read(&query, Timestamp::now()));
        reading.await.map_err(|error| Problem::of(ProblemCode::Internal, &error))?
    }

    /// Who is told is all services'.
    pub(super) async fn test_webhooks(&self) -> Result<Vec<WebhookTest>> {
        self.caller.check_all()?;
        self.core.test_webhooks().await
    }

    pub(super) async fn service(&self, service: &ServiceName) -> Result<ServiceDetail> {
        self.caller.check(service)?;
        self.core.service_detail(service).await.map_err(|problem| self.discreet(problem))
    }

    pub(super) async fn logs(
        &self,
        service: &ServiceName,
        of: &LogsOf,
        query: LogQuery,
    ) -> Result<BoxStream<'static, LogLine>> {
        self.caller.check(service)?;
        let lines = logs::of_service(&self.core, self.caller.holder(), service, of, query).await;
        lines.map_err(|problem| self.discreet(problem))
    }

    pub(super) async fn shell(&self, wanted: Wanted, request: Request) -> Result<Response> {
        self.note.tell(About { service: Some(wanted.service.clone()), ..About::default() });
        self.caller.check(&wanted.service)?;
        shell::open(Arc::clone(&self.core), self.stay.clone(), wanted, request).await
    }

    pub(super) async fn receive(&self, body: Body) -> Result<Received> {
        self.core.receive_from(self.caller.holder(), body.into_data_stream()).await
    }

    pub(super) async fn receive_zip(&self, body: Body) -> Result<Received> {
        self.core.receive_zip(self.caller.holder(), body.into_data_stream()).await
    }

    pub(super) async fn preview(&self, request: &PlanRequest) -> Result<PlanView> {
        let asker = Asker::new(&self.caller, &self.note);
        self.core.preview_for(request, asker).await.map_err(|problem| self.discreet(problem))
    }

    pub(super) async fn accept(&self, request: DeployRequest) -> Result<Deploy> {
        let request = DeployRequest { origin: self.signed(request.origin), ..request };
        let asker = Asker::new(&self.caller, &self.note);
        let accepted = self.core.accept_for(request, asker).await.map_err(|problem| self.discreet(problem))?;
        let Deploy { id, service, action, .. } = accepted.clone();
        self.note.tell(About { service: Some(service), action: Some(action), deploy: Some(id), detail: None });
        Ok(accepted)
    }

    pub(super) async fn pin(&self, service: &ServiceName, release: ReleaseId, pinned: bool) -> Result<ReleaseView> {
        let detail = Some(format!("{} {release}", if pinned { "pin" } else { "unpin" }));
        self.note.tell(About { service: Some(service.clone()), detail, ..About::default() });
        self.caller.check(service)?;
        self.core.pin(service, release, pinned).await
    }

    /// Room is all services'.
    pub(super) async fn disk(&self, keep: Option<u32>) -> Result<DiskView> {
        self.caller.check_all()?;
        self.core.disk(keep).await
    }

    pub(super) async fn prune(&self, keep: Option<u32>) -> Result<Pruned> {
        self.caller.check_all()?;
        self.core.prune(keep).await
    }

    /// Who is limited to some services sees what these use.
    pub(super) fn variables(&self) -> Result<Vec<VariableView>> {
        let mut all = self.core.variables()?;
        if self.caller.is_limited() {
            all.iter_mut().for_each(|view| view.used_by.retain(|service| self.caller.sees(service)));
            all.retain(|view| !view.used_by.is_empty());
        }
        Ok(all)
    }

    pub(super) fn change_variable(&self, change: VariableChange) -> Result<VariableView> {
        let detail = Some(format!("{} {}", if change.value.is_some() { "set" } else { "unset" }, change.name));
        self.note.tell(About { detail, ..About::default() });
        self.caller.check_all()?;
        self.core.change_variable(change)
    }

    pub(super) fn deploys(&self, service: Option<&ServiceName>, limit: u32) -> Result<Vec<Deploy>> {
        match (service, &self.caller.rights.services) {
            (None, Some(services)) => {
                let each = services.iter().map(|service| self.core.deploys(Some(service), limit));
                let mut found = each.collect::<Result<Vec<_>, _>>()?.concat();
                found.sort_by_key(|deploy| std::cmp::Reverse(deploy.id));
                found.truncate(limit as usize);
                Ok(found)
            }
            (None, None) => Ok(self.core.deploys(None, limit)?),
            (Some(service), _) => {
                self.caller.check(service)?;
                Ok(self.core.deploys(Some(service), limit)?)
            }
        }
    }

    /// One of a service that the caller may not see is as if it were not there.
    pub(super) fn deploy(&self, id: DeployId) -> Result<Deploy> {
        let deploy = self.core.deploy(id).map_err(|problem| self.discreet(problem))?;
        if self.caller.sees(&deploy.service) { Ok(deploy) } else { Err(self.discreet(Core::no_deploy(id))) }
    }

    pub(super) fn cancel(&self, id: DeployId, who: &str) -> Result<Deploy> {
        let deploy = self.deploy(id)?;
        self.note.tell(About { service: Some(deploy.service), deploy: Some(id), ..About::default() });
        self.core.cancel(id, self.caller.holder().map_or(who, |holder| holder.name()))
    }

    pub(super) fn events(&self, id: DeployId, from: u64) -> Result<BoxStream<'static, Result<Event, StoreError>>> {
        self.deploy(id)?;
        Ok(self.core.events(id, from))
    }

    /// Who is limited to some services sees what concerns these, and what they did themselves.
    pub(super) fn audit(&self, service: Option<&ServiceName>, limit: usize) -> Result<Vec<AuditEntry>> {
        let own = |entry: &AuditEntry| matches!(&entry.by, By::Key(holder) if Some(holder) == self.caller.holder());
        let concerns = |entry: &AuditEntry| entry.service.as_ref().is_some_and(|service| self.caller.sees(service));
        let is_about = |entry: &AuditEntry| service.is_none_or(|service| entry.service.as_ref() == Some(service));
        let may_see = |entry: &AuditEntry| !self.caller.is_limited() || own(entry) || concerns(entry);
        let wanted = |entry: &AuditEntry| is_about(entry) && may_see(entry);
        Ok(self.core.store.audit(limit, wanted)?)
    }

    /// The end of the server's life, for answers that go on.
    pub(super) fn stopped(&self) -> impl Future<Output = ()> + Send + 'static {
        self.core.stopped.clone().cancelled_owned()
    }

    /// What a key signed is its holder's, whatever the request says.
    fn signed(&self, origin: Origin) -> Origin {
        match self.caller.holder() {
            Some(holder) => Origin { who: holder.name().to_owned(), key: Some(holder.clone()), ..origin },
            None => Origin { key: None, ..origin },
        }
    }

    /// A hint may name other services.
    fn discreet(&self, problem: Problem) -> Problem {
        if self.caller.is_limited() && problem.code == ProblemCode::NotFound {
            return Problem { hint: None, ..problem };
        }
        problem
    }
}

/// What the caller may see of it.
fn narrowed(caller: &Caller, mut snapshot: Snapshot) -> Snapshot {
    snapshot.server.limits = caller.limits();
    snapshot.services.retain(|service| caller.sees(&service.name));
    snapshot.deploys.retain(|deploy| caller.sees(&deploy.service));
    snapshot.alerts.retain(|alert| alert.service.as_ref().is_none_or(|service| caller.sees(service)));
    snapshot
}
