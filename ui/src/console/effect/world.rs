//! Starts what the model wants from the world, and ends what it no longer wants.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;
use mypaas::api::{
    CancelRequest, DeployRequest, Origin, PinRequest, PlanRequest, Problem, PruneRequest, Snapshot, Target,
};
use mypaas::client::{Client, Shell};
use mypaas::name::{ContainerName, ReleaseId, ServerName};
use tokio::sync::Semaphore;
use tokio::sync::mpsc::Sender;
use tokio::task::{AbortHandle, JoinSet};

use super::problem::of_client;
use super::{Effect, Subscription, TerminalEffect, folders, listen, logs, memory, nowhere, poll, push, save, watch};
use crate::console::message::{Message, ServerNews};
use crate::console::model::Ticket;
use crate::console::model::fleet::ServiceAt;
use crate::console::model::histories::Measured;
use crate::console::shell;

/// Where what comes from the world goes.
#[derive(Debug)]
pub(crate) struct Inboxes {
    pub news: Sender<Message>,
    /// For what containers write, apart from what matters more.
    pub logs: Sender<Message>,
    pub shells: Sender<Opened>,
}

/// A shell that was asked for.
#[derive(Debug)]
pub(crate) struct Opened {
    pub at: ServiceAt,
    pub container: Option<ContainerName>,
    pub shell: Shell,
}

/// So many plans and deploys are asked of a server at a time, when there are many.
const AT_A_TIME: usize = 16;

/// The way to the servers, and everything that is under way. All of it ends with this.
#[derive(Debug)]
pub(crate) struct World {
    servers: BTreeMap<ServerName, Client>,
    /// Servers to which there is no way, and why.
    nowhere: BTreeMap<ServerName, Problem>,
    /// As in `ada@laptop`.
    who: String,
    state: Option<PathBuf>,
    inbox: Sender<Message>,
    /// For what containers write, apart from what matters more.
    log_inbox: Sender<Message>,
    shells: Sender<Opened>,
    tasks: JoinSet<()>,
    /// Of each server, so that one that is frozen keeps nobody from the others.
    turns: BTreeMap<ServerName, Arc<Semaphore>>,
    /// Plans that were asked for, by their tickets.
    plans: BTreeMap<Ticket, AbortHandle>,
    listening: BTreeMap<Subscription, AbortHandle>,
}

impl World {
    pub(crate) fn new(ways: BTreeMap<ServerName, Result<Client, Problem>>, who: String, inboxes: Inboxes) -> Self {
        let Inboxes { news: inbox, logs: log_inbox, shells } = inboxes;
        let state = folders::state_folder();
        let (mut servers, mut nowhere) = (BTreeMap::new(), BTreeMap::new());
        for (name, way) in ways {
            match way {
                Ok(client) => drop(servers.insert(name, client)),
                Err(problem) => drop(nowhere.insert(name, problem)),
            }
        }
        Self {
            servers,
            nowhere,
            who,
            state,
            inbox,
            log_inbox,
            shells,
            tasks: JoinSet::new(),
            turns: BTreeMap::new(),
            plans: BTreeMap::new(),
            listening: BTreeMap::new(),
        }
    }

    /// Listens to what is wanted, and to nothing else any more.
    pub(crate) fn listen(&mut self, wanted: BTreeSet<Subscription>) {
        self.listening.retain(|known, task| {
            let stays = wanted.contains(known);
            if !stays {
                task.abort();
            }
            stays
        });
        for subscription in wanted {
            if !self.listening.contains_key(&subscription)
                && let Some(task) = self.start(subscription.clone())
            {
                self.listening.insert(subscription, task);
            }
        }
        // What is over is forgotten, so that the set does not grow.
        while self.tasks.try_join_next().is_some() {}
    }

    fn start(&mut self, subscription: Subscription) -> Option<AbortHandle> {
        let inbox = self.inbox.clone();
        let client = |servers: &BTreeMap<ServerName, Client>, name: &ServerName| servers.get(name).cloned();
        Some(match subscription {
            Subscription::Server(name) => {
                let client = client(&self.servers, &name)?;
                self.tasks.spawn(listen::server(client, name, inbox))
            }
            Subscription::Detail { at, .. } => {
                let client = client(&self.servers, &at.server)?;
                self.tasks.spawn(listen::detail(client, at, inbox))
            }
            Subscription::Deploy { server, id } => {
                let client = client(&self.servers, &server)?;
                self.tasks.spawn(listen::deploy(client, server, id, inbox))
            }
            Subscription::History { of, span } => {
                let server = match &of {
                    Measured::Machine(server) => server,
                    Measured::Service(at) => &at.server,
                };
                let client = client(&self.servers, server)?;
                self.tasks.spawn(poll::history(client, of, span, inbox))
            }
            Subscription::Variables(server) => {
                let client = client(&self.servers, &server)?;
                self.tasks.spawn(poll::variables(client, server, inbox))
            }
            Subscription::Disk { server, reading } => {
                let client = client(&self.servers, &server)?;
                self.tasks.spawn(poll::disk(client, reading, inbox))
            }
            Subscription::Audit(server) => {
                let client = client(&self.servers, &server)?;
                self.tasks.spawn(poll::audit(client, server, inbox))
            }
            Subscription::Glance(folder) => self.tasks.spawn(push::glance(folder, inbox)),
            Subscription::Dockerfile(folder) => self.tasks.spawn(watch::dockerfile(folder, inbox)),
            Subscription::Logs { at, of, since, .. } => {
                let client = client(&self.servers, &at.server)?;
                self.tasks.spawn(logs::listen(client, logs::Wanted { at, of, since }, self.log_inbox.clone()))
            }
        })
    }

    /// Plans that nobody waits for any more are not asked for any longer.
    pub(crate) fn keep_plans(&mut self, is_awaited: impl Fn(Ticket) -> bool) {
        self.plans.retain(|ticket, task| {
            let stays = is_awaited(*ticket);
            if !stays {
                task.abort();
            }
            stays
        });
    }

    /// Does it in the background. What is for the terminal is handed back.
    pub(crate) fn perform(&mut self, effect: Effect) -> Option<TerminalEffect> {
        if let Some(answer) = nowhere::answer(&effect, &self.nowhere) {
            self.read(move || answer);
            return None;
        }
        match effect {
            Effect::Terminal(effect) => return Some(effect),
            Effect::Plan { ticket, server, request } => self.plan(ticket, &server, request),
            Effect::Deploy { ticket, server, target } => self.deploy(ticket, server, target),
            Effect::Cancel { ticket, server, id } => {
                let request = CancelRequest { who: self.who.clone() };
                self.with(&server, async move |client, inbox| {
                    let result = client.cancel(id, &request).await.map(|_| ()).map_err(of_client);
                    tell(&inbox, Message::Cancelled { ticket, result }).await;
                });
            }
            Effect::ChangeVariable { ticket, server, change } => {
                let name = server.clone();
                self.with(&name, async move |client, inbox| {
                    let result = client.change_variable(&change).await.map_err(of_client);
                    tell(&inbox, Message::VariableChanged { ticket, server, result }).await;
                });
            }
            Effect::Pin { ticket, at, release, pinned } => self.pin(ticket, at, release, pinned),
            Effect::Prune { ticket, server } => {
                let name = server.clone();
                self.with(&name, async move |client, inbox| {
                    let result = client.prune(PruneRequest::default()).await.map_err(of_client);
                    tell(&inbox, Message::Pruned { ticket, server, result }).await;
                });
            }
            Effect::Check { ticket, server, folder } => {
                self.with(&server, async move |client, inbox| {
                    let report = Box::new(push::check(&client, &folder).await);
                    tell(&inbox, Message::Checked { ticket, report }).await;
                });
            }
            Effect::Push { ticket, server, folder } => self.push(ticket, server, folder),
            Effect::FindFolders { ticket, typed } => self.read(move || {
                let found = folders::find(&typed);
                Message::Folders { ticket, found }
            }),
            Effect::Shell { at, container } => self.shell(at, container),
            // A look at a folder's few names; the editor that comes next takes longer.
            Effect::Edit { folder, line } => match push::dockerfile_of(&folder) {
                Ok(file) => return Some(TerminalEffect::Edit { file, line }),
                Err(problem) => self.read(move || Message::Edited { result: Err(problem) }),
            },
            Effect::Save { path, text } => self.read(move || Message::Saved { result: save::save(&path, &text) }),
            Effect::Keep { server, heard, snapshot } => self.keep(server, heard, *snapshot),
            Effect::LoadRecents => {
                let state = self.state.clone();
                self.read(move || Message::Recents { folders: folders::recents(state.as_deref()) });
            }
        }
        None
    }

    fn keep(&mut self, server: ServerName, heard: Timestamp, snapshot: Snapshot) {
        let Some(client) = self.servers.get(&server) else { return };
        let Some(state) = self.state.clone() else { return };
        let endpoint = client.endpoint().to_owned();
        let memory = memory::Memory::new(endpoint, heard, snapshot);
        self.tasks.spawn_blocking(move || memory.keep(&state, &server));
    }

    /// What is known before any server is asked.
    pub(crate) fn first_news(&self) -> Vec<Message> {
        let no_way = self.nowhere.iter().map(|(name, problem)| {
            let news = ServerNews::NoWay(problem.clone());
            Message::Server { server: name.clone(), news }
        });
        self.recall().into_iter().chain(no_way).collect()
    }

    /// What the servers said in an earlier session.
    fn recall(&self) -> Vec<Message> {
        let Some(state) = &self.state else { return Vec::new() };
        let known = self.servers.iter().filter_map(|(name, client)| {
            let (snapshot, heard) = memory::recall(state, name, client.endpoint())?;
            let news = ServerNews::Remembered { snapshot: Box::new(snapshot), heard };
            Some(Message::Server { server: name.clone(), news })
        });
        known.collect()
    }

    fn turns(&mut self, server: &ServerName) -> Arc<Semaphore> {
        let turns = self.turns.entry(server.clone()).or_insert_with(|| Arc::new(Semaphore::new(AT_A_TIME)));
        Arc::clone(turns)
    }

    fn with<Done>(
        &mut self,
        server: &ServerName,
        task: impl FnOnce(Client, Sender<Message>) -> Done,
    ) -> Option<AbortHandle>
    where
        Done: Future<Output = ()> + Send + 'static,
    {
        let client = self.servers.get(server)?;
        Some(self.tasks.spawn(task(client.clone(), self.inbox.clone())))
    }

    /// Something with files.
    fn read(&mut self, look: impl FnOnce() -> Message + Send + 'static) {
        let inbox = self.inbox.clone();
        self.tasks.spawn_blocking(move || {
            // A console that is gone wants to hear nothing.
            let _ = inbox.blocking_send(look());
        });
    }

    fn plan(&mut self, ticket: Ticket, server: &ServerName, request: PlanRequest) {
        let turns = self.turns(server);
        let asked = self.with(server, async move |client, inbox| {
            let _turn = turns.acquire().await;
            let result = client.plan(&request).await.map_err(of_client);
            tell(&inbox, Message::Planned { ticket, result }).await;
        });
        self.plans.extend(asked.map(|task| (ticket, task)));
    }

    fn pin(&mut self, ticket: Ticket, at: ServiceAt, release: ReleaseId, pinned: bool) {
        let name = at.server.clone();
        self.with(&name, async move |client, inbox| {
            let answer = client.pin(&at.service, release, PinRequest { pinned }).await;
            let result = answer.map(Box::new).map_err(of_client);
            tell(&inbox, Message::Pinned { ticket, at, result }).await;
        });
    }

    fn deploy(&mut self, ticket: Ticket, server: ServerName, target: Target) {
        let origin = Origin { who: self.who.clone(), key: None, folder: None, commit: None };
        let name = server.clone();
        let turns = self.turns(&server);
        self.with(&name, async move |client, inbox| {
            let _turn = turns.acquire().await;
            let answer = client.deploy(&DeployRequest { target, origin }).await;
            let result = answer.map(Box::new).map_err(of_client);
            tell(&inbox, Message::Answered { ticket, server, result }).await;
        });
    }

    fn shell(&mut self, at: ServiceAt, container: Option<ContainerName>) {
        let shells = self.shells.clone();
        let name = at.server.clone();
        self.with(&name, async move |client, inbox| {
            let kind = shell::kind();
            match listen::in_time(client.shell(&at.service, container.as_ref(), &kind)).await {
                // A console that is gone wants no shell.
                Ok(shell) => drop(shells.send(Opened { at, container, shell }).await),
                Err(problem) => tell(&inbox, Message::ShellEnded { at, result: Err(problem) }).await,
            }
        });
    }

    fn push(&mut self, ticket: Ticket, server: ServerName, folder: PathBuf) {
        let (who, state, name) = (self.who.clone(), self.state.clone(), server.clone());
        self.with(&name, async move |client, inbox| {
            let told = inbox.clone();
            // The next figure makes good for one that found no room.
            let progress = move |bytes| drop(told.try_send(Message::Sent { ticket, bytes }));
            let result = push::push(client, folder.clone(), who, progress).await.map(Box::new);
            if result.is_ok() {
                folders::remember(state.as_deref(), &folder);
            }
            tell(&inbox, Message::Answered { ticket, server, result }).await;
        });
    }
}

async fn tell(inbox: &Sender<Message>, message: Message) {
    let _ = inbox.send(message).await;
}
