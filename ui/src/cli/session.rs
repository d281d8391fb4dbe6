//! What every verb is given: the screen, the environment, and the way to the servers.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use anyhow::Context;
use mypaas::api::ProblemCode;
use mypaas::client::{Client, ClientError};
use mypaas::fleet::{Address, Fleet, FleetError, Server};
use mypaas::keys::{PrivateKeyError, Signer};
use mypaas::name::ServerName;
use mypaas::server::{self, socket_path};
use tokio::sync::Mutex as Turn;

use super::environment::Environment;
use super::input::InputError;
use super::local::{Local, nobody_listens};
use super::operator_keys::{KeyError, OperatorKeys};
use super::output::Screen;
use super::signal::Whole;
use super::{advice, confirm};

/// The name of this machine's own server.
pub(crate) const LOCAL: &str = "local";

/// How often a server is asked that ends before it takes the question.
const ATTEMPTS: u32 = 20;
const BETWEEN_ATTEMPTS: Duration = Duration::from_millis(100);

/// An end that takes longer than this is worth a word.
const SILENT_END: Duration = Duration::from_millis(500);
const WAITS: &str = "this machine's server runs in this very process, and waits until its deploys have come to their end; \
                     ctrl-c ends it at once\n";

/// How long a server that is gone is left to whoever restarts it.
const OTHERS_TURN: Duration = Duration::from_secs(3);

#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) screen: Screen,
    pub(crate) environment: Arc<Environment>,
    shared: Arc<Shared>,
}

/// What all sessions of a process have in common.
#[derive(Debug, Default)]
struct Shared {
    fleet: OnceLock<Fleet>,
    /// The ways that were opened; each is opened once.
    clients: Turn<BTreeMap<ServerName, Client>>,
    /// The keys that were found, by what the fleet says of them; none: its passphrase was not known. None is asked for
    /// twice.
    signers: Turn<BTreeMap<Option<String>, Option<Signer>>>,
    local: Local,
    /// Only what is there already is shown.
    only_shows: AtomicBool,
    notes: Mutex<Vec<String>>,
    /// Locked servers whose name was given.
    unlocked: Mutex<BTreeSet<ServerName>>,
    whole: Whole,
}

impl Session {
    pub(crate) fn new(screen: Screen, environment: Environment) -> Self {
        Self { screen, environment: Arc::new(environment), shared: Arc::default() }
    }

    /// The same session for one server among several, whose lines are told apart.
    pub(crate) fn labelled(&self, server: &ServerName, width: usize) -> Self {
        Self {
            screen: self.screen.labelled(server, width),
            environment: Arc::clone(&self.environment),
            shared: Arc::clone(&self.shared),
        }
    }

    /// Nothing is made for what this session asks: where no server ever ran, none is started.
    pub(crate) fn only_show(&self) {
        self.shared.only_shows.store(true, Ordering::Relaxed);
    }

    /// Changes on this server are meant, also when it is locked.
    pub(crate) fn mark_unlocked(&self, name: &ServerName) {
        self.shared.unlocked.lock().unwrap_or_else(PoisonError::into_inner).insert(name.clone());
    }

    /// Lets changes on this server begin. Of one that is locked the name has to be typed, once.
    pub(crate) async fn unlock(&self, name: &ServerName) -> anyhow::Result<()> {
        let is_unlocked = self.shared.unlocked.lock().unwrap_or_else(PoisonError::into_inner).contains(name);
        if self.server(name)?.lock && !is_unlocked {
            confirm::unlock(self, name).await?;
            self.mark_unlocked(name);
        }
        Ok(())
    }

    /// Asks the server of that name to change something.
    pub(crate) async fn change<T>(
        &self,
        name: &ServerName,
        question: impl AsyncFn(&Client) -> Result<T, ClientError>,
    ) -> anyhow::Result<T> {
        self.unlock(name).await?;
        self.ask(name, question).await
    }

    /// The servers that are meant where none is named: all of the fleet, or this machine's own.
    pub(crate) fn all(&self) -> anyhow::Result<Vec<(ServerName, Server)>> {
        let fleet = self.fleet()?;
        if fleet.is_empty() {
            return Ok(vec![(LOCAL.parse()?, self.local_server())]);
        }
        Ok(fleet.servers().map(|(name, server)| (name.clone(), server.clone())).collect())
    }

    /// What is known of the server of that name. `local` is this machine's own, unless the fleet says otherwise.
    pub(crate) fn server(&self, name: &ServerName) -> anyhow::Result<Server> {
        let fleet = self.fleet()?;
        match fleet.server(name) {
            Some(server) => Ok(server.clone()),
            None if name.as_str() == LOCAL => Ok(self.local_server()),
            None => Err(self.unknown(name, fleet).into()),
        }
    }

    /// Asks the server of that name. This machine's own is started when it does not run; one that ends just then, because
    /// another command ran it for itself, is replaced by ours, and asked again: it did not take the question.
    pub(crate) async fn ask<T>(
        &self,
        name: &ServerName,
        question: impl AsyncFn(&Client) -> Result<T, ClientError>,
    ) -> anyhow::Result<T> {
        let client = self.client(name).await?;
        let is_own = self.is_own(name)?;
        let mut attempts = 1;
        loop {
            if is_own {
                self.check_may_start()?;
                self.shared.local.ensure(&client, &self.environment, Some(&self.screen)).await?;
            }
            match question(&client).await {
                Err(error) if is_own && attempts < ATTEMPTS && is_over(&error) => attempts += 1,
                answer => return Ok(answer.map_err(|error| advice::of_error(error, name))?),
            }
            tokio::time::sleep(BETWEEN_ATTEMPTS).await;
        }
    }

    /// A start brings up a router that takes the machine's ports, which nobody expects of a question.
    fn check_may_start(&self) -> Result<(), InputError> {
        let home = &self.environment.home;
        if self.shared.only_shows.load(Ordering::Relaxed) && !server::has_run(home) {
            return Err(InputError::NeverRan { home: self.environment.shown(home) });
        }
        Ok(())
    }

    /// Keeps this machine's own server there for as long as this is waited for, in silence: one that another command ran
    /// for itself ends with that command. Whoever else is to start it again gets the time to do so.
    pub(crate) async fn keep(&self, name: &ServerName) -> anyhow::Result<Infallible> {
        let client = self.client(name).await?;
        loop {
            tokio::time::sleep(OTHERS_TURN).await;
            let gone = |answer: Result<_, ClientError>| answer.is_err_and(|error| nobody_listens(&error));
            if self.shared.local.runs() || !gone(client.server().await) {
                continue;
            }
            tokio::time::sleep(OTHERS_TURN).await;
            if let Err(error) = self.shared.local.ensure(&client, &self.environment, None).await {
                tracing::warn!("{error:#}");
            }
        }
    }

    /// The way to the server of that name, whether it runs or not. Over the network a key is needed, and perhaps its
    /// passphrase.
    pub(crate) async fn client(&self, name: &ServerName) -> anyhow::Result<Client> {
        let server = self.server(name)?;
        let mut clients = self.shared.clients.lock().await;
        if let Some(client) = clients.get(name) {
            return Ok(client.clone());
        }
        let client = self.way_to(&server).await?;
        clients.insert(name.clone(), client.clone());
        Ok(client)
    }

    /// A new way to a server, as it is described here.
    pub(crate) async fn way_to(&self, server: &Server) -> anyhow::Result<Client> {
        let signer = match server.address {
            Address::Network(_) => Some(self.signer(server.key.as_ref()).await?),
            Address::Unix(_) | Address::Ssh(_) => None,
        };
        Ok(Client::connect(&server.address, signer)?)
    }

    /// The way to a server of the Python original, with a key such as it knows.
    pub(crate) async fn original(&self, name: &ServerName) -> anyhow::Result<Client> {
        let server = self.server(name)?;
        let signer = OperatorKeys::new(&self.environment).original_signer(server.key.as_deref()).await?;
        Ok(Client::connect(&server.address, Some(signer))?)
    }

    async fn signer(&self, key: Option<&String>) -> anyhow::Result<Signer> {
        let mut signers = self.shared.signers.lock().await;
        if let Some(known) = signers.get(&key.cloned()) {
            return Ok(known.clone().ok_or(KeyError::StaysLocked)?);
        }
        let found = OperatorKeys::new(&self.environment).signer(key.map(String::as_str)).await;
        match &found {
            Ok(signer) => drop(signers.insert(key.cloned(), Some(signer.clone()))),
            Err(KeyError::Unusable { source: PrivateKeyError::Passphrase, .. }) => {
                signers.insert(key.cloned(), None);
            }
            Err(_) => {}
        }
        Ok(found?)
    }

    /// Whether that server runs in this process, and ends with it.
    pub(crate) fn runs(&self, name: &ServerName) -> bool {
        self.shared.local.runs() && self.is_own(name).unwrap_or(false)
    }

    /// Whether that server is the one that this process may start.
    pub(crate) fn is_own(&self, name: &ServerName) -> Result<bool, FleetError> {
        Ok(name.as_str() == LOCAL && self.fleet()?.server(name).is_none())
    }

    /// For what no signal may end in its middle.
    pub(crate) fn whole(&self) -> &Whole {
        &self.shared.whole
    }

    /// What the operator is told when ctrl-c ends the verb from now on.
    pub(crate) fn note_for_interrupt(&self, note: String) {
        self.shared.notes.lock().unwrap_or_else(PoisonError::into_inner).push(note);
    }

    /// A line each.
    pub(crate) fn interrupt_notes(&self) -> String {
        let notes = std::mem::take(&mut *self.shared.notes.lock().unwrap_or_else(PoisonError::into_inner));
        notes.into_iter().map(|note| note + "\n").collect()
    }

    /// Stops what was started for this session, in good order.
    pub(crate) async fn end(&self) -> anyhow::Result<()> {
        let Some(server) = self.shared.local.take() else { return Ok(()) };
        let mut stopped = std::pin::pin!(server.stop());
        let result = match tokio::time::timeout(SILENT_END, &mut stopped).await {
            Ok(result) => result,
            Err(_) => {
                self.screen.tell(WAITS);
                stopped.await
            }
        };
        result.context("the server in this process did not end well")
    }

    /// Read when it is needed first: a mistake in the file must not hinder a verb that has no use for it.
    fn fleet(&self) -> Result<&Fleet, FleetError> {
        if let Some(fleet) = self.shared.fleet.get() {
            return Ok(fleet);
        }
        let fleet = Fleet::load(&self.environment.fleet)?;
        Ok(self.shared.fleet.get_or_init(|| fleet))
    }

    fn local_server(&self) -> Server {
        let address = Address::Unix(socket_path(&self.environment.home));
        Server { address, key: None, colour: None, lock: false, insecure: false }
    }

    fn unknown(&self, name: &ServerName, fleet: &Fleet) -> InputError {
        let mut known: Vec<String> = fleet.servers().map(|(name, _)| name.to_string()).collect();
        if !known.iter().any(|name| name == LOCAL) {
            known.push(LOCAL.to_owned());
        }
        InputError::UnknownServer { name: name.clone(), known, fleet: self.environment.fleet.clone() }
    }
}

/// The server is gone, or about to go, and has not begun with what it was asked for.
fn is_over(error: &ClientError) -> bool {
    match error {
        ClientError::Refused(problem) => problem.code == ProblemCode::Stopping,
        other => nobody_listens(other),
    }
}
