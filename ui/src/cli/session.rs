//! What every verb is given: the screen, the environment, and the way to the servers.

use std::sync::{Mutex, OnceLock, PoisonError};

use anyhow::Context;
use mypaas::client::Client;
use mypaas::fleet::{Address, Fleet, FleetError};
use mypaas::name::ServerName;
use mypaas::server::socket_path;

use super::environment::Environment;
use super::input::InputError;
use super::local::Local;
use super::output::Screen;

/// The name of this machine's own server.
pub(crate) const LOCAL: &str = "local";

#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) screen: Screen,
    pub(crate) environment: Environment,
    fleet: OnceLock<Fleet>,
    local: Local,
    note: Mutex<Option<String>>,
}

/// A server that can be talked to.
#[derive(Debug, Clone)]
pub(crate) struct Server {
    pub(crate) name: ServerName,
    pub(crate) client: Client,
    /// It runs in this process, and ends with it.
    pub(crate) in_process: bool,
}

impl Session {
    pub(crate) fn new(screen: Screen, environment: Environment) -> Self {
        Self { screen, environment, fleet: OnceLock::new(), local: Local::default(), note: Mutex::default() }
    }

    /// The servers that are meant where none is named: all of the fleet, or this machine's own.
    pub(crate) fn all(&self) -> anyhow::Result<Vec<(ServerName, Address)>> {
        let fleet = self.fleet()?;
        if fleet.is_empty() {
            return Ok(vec![(LOCAL.parse()?, self.local_address())]);
        }
        Ok(fleet.servers().map(|(name, address)| (name.clone(), address.clone())).collect())
    }

    /// Where the server of that name is. `local` is this machine's own, unless the fleet says otherwise.
    pub(crate) fn address(&self, name: &ServerName) -> anyhow::Result<Address> {
        let fleet = self.fleet()?;
        match fleet.address(name) {
            Some(address) => Ok(address.clone()),
            None if name.as_str() == LOCAL => Ok(self.local_address()),
            None => Err(self.unknown(name, fleet).into()),
        }
    }

    /// The server of that name, ready to be asked; this machine's own is started when it does not run.
    pub(crate) async fn server(&self, name: &ServerName) -> anyhow::Result<Server> {
        let Address::Unix(socket) = self.address(name)?;
        let client = Client::unix(&socket)?;
        let mut in_process = false;
        if self.is_own(name)? {
            in_process = self.local.ensure(&client, &self.environment, &self.screen).await?;
        }
        Ok(Server { name: name.clone(), client, in_process })
    }

    /// Whether that server is the one that this process may start.
    pub(crate) fn is_own(&self, name: &ServerName) -> Result<bool, FleetError> {
        Ok(name.as_str() == LOCAL && self.fleet()?.address(name).is_none())
    }

    /// What the operator is told when ctrl-c ends the verb from now on.
    pub(crate) fn note_for_interrupt(&self, note: String) {
        *self.note.lock().unwrap_or_else(PoisonError::into_inner) = Some(note);
    }

    pub(crate) fn interrupt_note(&self) -> Option<String> {
        self.note.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Stops what was started for this session, in good order.
    pub(crate) async fn end(&self) -> anyhow::Result<()> {
        match self.local.take() {
            Some(server) => server.stop().await.context("the server in this process did not end well"),
            None => Ok(()),
        }
    }

    /// Read when it is needed first: a mistake in the file must not hinder a verb that has no use for it.
    fn fleet(&self) -> Result<&Fleet, FleetError> {
        if let Some(fleet) = self.fleet.get() {
            return Ok(fleet);
        }
        let fleet = Fleet::load(&self.environment.fleet)?;
        Ok(self.fleet.get_or_init(|| fleet))
    }

    fn local_address(&self) -> Address {
        Address::Unix(socket_path(&self.environment.home))
    }

    fn unknown(&self, name: &ServerName, fleet: &Fleet) -> InputError {
        let mut known: Vec<String> = fleet.servers().map(|(name, _)| name.to_string()).collect();
        if !known.iter().any(|name| name == LOCAL) {
            known.push(LOCAL.to_owned());
        }
        InputError::UnknownServer { name: name.clone(), known, fleet: self.environment.fleet.clone() }
    }
}
