//! The router's folder. Nobody else writes to it.
//!
//! ```text
//! config/traefik-<hash>.toml    what a Traefik reads when it starts: one that is to come back finds its own settings
//! config/authority.pem          what vouches for a certificate authority of one's own
//! config/routes/_base.toml      what all services' routes share
//! config/routes/_server.toml    the way to the server's own API
//! config/routes/<service>.toml  a service's routes; the folder is watched
//! config/trial/_base.toml       what a trial watches, which has no routes; trial.json is for its certificates
//! staging/                      unfinished files, where nobody watches
//! before/<service>.toml         its routes before the last change, to be put back also when the disk is full
//! password                      for Traefik's API
//! fallback.pem                  the certificate for domains that there is none for, with its key
//! ```

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use sha2::{Digest, Sha256};

use crate::atomic_file::{self, Access};
use crate::engine::Secret;
use crate::name::ServiceName;
use crate::router::traefik::{config, fallback};
use crate::router::{Result, RouterError, Routes};

/// The name of the file beside Traefik's settings.
pub(super) const AUTHORITY: &str = "authority.pem";

/// The folder that Traefik watches, and the one of a trial.
pub(super) const ROUTES: &str = "routes";
pub(super) const TRIAL: &str = "trial";

/// How the names of files with Traefik's own settings begin.
const SETUP: &str = "traefik-";

const PASSWORD_BYTES: usize = 32;

/// The router's folder; clones are the same folder. Calls wait for the disk, on a thread of their own.
#[derive(Debug, Clone)]
pub struct Files {
    folder: Arc<Path>,
    /// Held while a service's file is replaced.
    replacing: Arc<Mutex<()>>,
}

impl Files {
    /// Makes the folder where it is missing, and clears away what a server left that was killed while it wrote. Nobody else
    /// writes to it.
    pub async fn open(folder: PathBuf) -> Result<Self> {
        // A container engine wants to be told whole paths.
        let absolute = std::path::absolute(&folder);
        let absolute = absolute.map_err(|source| RouterError::File { action: "find", path: folder, source })?;
        let files = Self { folder: absolute.into(), replacing: Arc::default() };
        let (staging, others) = (files.staging(), [files.routes_folder(), files.before()]);
        let make = move || {
            others.iter().chain([&staging]).try_for_each(fs::create_dir_all)?;
            fs::read_dir(&staging)?.try_for_each(|left| fs::remove_file(left?.path()))
        };
        files.on_thread("make", files.folder.to_path_buf(), make).await?;
        Ok(files)
    }

    /// What Traefik's container sees.
    pub fn config(&self) -> PathBuf {
        self.folder.join("config")
    }

    /// What vouches for the certificate authority's own server.
    pub(super) async fn write_authority(&self, pem: &str) -> Result<()> {
        self.write_news(self.config().join(AUTHORITY), pem, Access::Everyone).await
    }

    pub fn routes_folder(&self) -> PathBuf {
        self.config().join(ROUTES)
    }

    /// Makes what a trial watches: what all routes share, and no route. Returns the file for its certificates.
    pub(super) async fn make_trial(&self) -> Result<PathBuf> {
        let (folder, base) = (self.config().join(TRIAL), self.base());
        let making = folder.clone();
        self.on_thread("make", folder.clone(), move || fs::create_dir_all(making)).await?;
        let text = self.on_thread("read", base.clone(), move || fs::read_to_string(base)).await?;
        self.write(folder.join("_base.toml"), &text, Access::Owner).await?;
        Ok(self.folder.join("trial.json"))
    }

    /// The text of a service's file; none when it has no file.
    pub async fn read(&self, service: &ServiceName) -> Result<Option<String>> {
        let path = self.path(service);
        self.on_thread("read", path.clone(), move || read(&path)).await
    }

    /// Replaces a service's file, or removes it.
    pub async fn put(&self, service: &ServiceName, text: Option<&str>) -> Result<()> {
        let (path, kept, staging) = (self.path(service), self.kept(service), self.staging());
        let (told, text) = (path.clone(), text.map(str::to_owned));
        let action = if text.is_some() { "write" } else { "remove" };
        let replacing = Arc::clone(&self.replacing);
        let change = move || {
            let _alone = replacing.lock().unwrap_or_else(PoisonError::into_inner);
            match text {
                Some(text) => atomic_file::write_keeping(&path, &kept, &staging, text.as_bytes(), Access::Everyone),
                None => atomic_file::remove(&path).and_then(|()| atomic_file::remove(&kept)),
            }
        };
        self.on_thread(action, told, change).await
    }

    /// Replaces a service's file with what is made of it; none: it stays. Nobody else replaces it meanwhile, so that it
    /// does not become again what it was before.
    pub(super) async fn rewrite(
        &self,
        service: &ServiceName,
        make: impl FnOnce(&str) -> Option<String> + Send + 'static,
    ) -> Result<()> {
        let (path, kept, staging) = (self.path(service), self.kept(service), self.staging());
        let (told, replacing) = (path.clone(), Arc::clone(&self.replacing));
        let change = move || {
            let _alone = replacing.lock().unwrap_or_else(PoisonError::into_inner);
            let Some(text) = read(&path)? else { return Ok(()) };
            match make(&text).filter(|made| *made != text) {
                Some(made) => atomic_file::write_keeping(&path, &kept, &staging, made.as_bytes(), Access::Everyone),
                None => Ok(()),
            }
        };
        self.on_thread("write", told, change).await
    }

    /// The routes in all files that mypaas wrote, sorted by service.
    pub async fn routes(&self) -> Result<Vec<Routes>> {
        let folder = self.routes_folder();
        let mut routes = self.on_thread("read", folder.clone(), move || read_all(&folder)).await?;
        routes.sort_by(|one, other| one.service.cmp(&other.service));
        Ok(routes)
    }

    /// What a Traefik reads when it starts; returns the file's name, which is of what is in it.
    pub async fn write_setup(&self, text: &str) -> Result<String> {
        let hash = Sha256::digest(text);
        let name = hash[..6].iter().fold(SETUP.to_owned(), |name, byte| format!("{name}{byte:02x}")) + ".toml";
        self.write_news(self.config().join(&name), text, Access::Everyone).await?;
        Ok(name)
    }

    /// Removes the settings of routers that do not come back: all but this file.
    pub(super) async fn forget_setups(&self, but: &str) -> Result<()> {
        let (folder, kept) = (self.config(), but.to_owned());
        let is_old = move |name: &str| name.starts_with("traefik") && name.ends_with(".toml") && name != kept;
        let reading = folder.clone();
        let forget = move || {
            fs::read_dir(reading)?.try_for_each(|entry| {
                let entry = entry?;
                if entry.file_name().to_str().is_some_and(&is_old) {
                    atomic_file::remove(&entry.path())
                } else {
                    Ok(())
                }
            })
        };
        self.on_thread("clear", folder, forget).await
    }

    /// What all services' routes share.
    pub async fn write_base(&self, text: &str) -> Result<()> {
        self.write_news(self.base(), text, Access::Owner).await
    }

    /// The way to the server's own API; none: there is none.
    pub async fn write_api(&self, text: Option<&str>) -> Result<()> {
        let path = self.routes_folder().join("_server.toml");
        match text {
            Some(text) => self.write_news(path, text, Access::Everyone).await,
            None => self.on_thread("remove", path.clone(), move || atomic_file::remove(&path)).await,
        }
    }

    /// Changes nothing, but makes Traefik read all files again.
    pub async fn nudge(&self) -> Result<()> {
        let path = self.base();
        match self.on_thread("read", path.clone(), move || read(&path)).await? {
            Some(text) => self.write(self.base(), &text, Access::Owner).await,
            None => Ok(()),
        }
    }

    /// The password for Traefik's API.
    pub async fn password(&self) -> Result<Secret> {
        self.made_once("password", fresh_password).await
    }

    /// The certificate for domains that there is none for, with its key, in PEM.
    pub async fn fallback(&self) -> Result<Secret> {
        self.made_once("fallback.pem", fallback::make).await
    }

    /// What a file says, which is made when it is not there.
    async fn made_once(&self, name: &str, make: fn() -> io::Result<String>) -> Result<Secret> {
        let path = self.folder.join(name);
        let reading = path.clone();
        if let Some(known) = self.on_thread("read", path.clone(), move || read(&reading)).await? {
            return Ok(Secret::new(known));
        }
        let fresh = self.on_thread("make", path.clone(), make).await?;
        self.write(path, &fresh, Access::Owner).await?;
        Ok(Secret::new(fresh))
    }

    fn path(&self, service: &ServiceName) -> PathBuf {
        self.routes_folder().join(format!("{}.toml", service.flat()))
    }

    fn base(&self) -> PathBuf {
        self.routes_folder().join("_base.toml")
    }

    fn staging(&self) -> PathBuf {
        self.folder.join("staging")
    }

    fn before(&self) -> PathBuf {
        self.folder.join("before")
    }

    fn kept(&self, service: &ServiceName) -> PathBuf {
        self.before().join(format!("{}.toml", service.flat()))
    }

    /// What is written already stays: Traefik need not read it anew, and there may be no room to write it.
    async fn write_news(&self, path: PathBuf, text: &str, access: Access) -> Result<()> {
        let reading = path.clone();
        let there = self.on_thread("read", path.clone(), move || read(&reading)).await?;
        if there.as_deref() == Some(text) { Ok(()) } else { self.write(path, text, access).await }
    }

    async fn write(&self, path: PathBuf, text: &str, access: Access) -> Result<()> {
        let (staging, text) = (self.staging(), text.to_owned());
        self.on_thread("write", path.clone(), move || atomic_file::write(&path, &staging, text.as_bytes(), access))
            .await
    }

    pub(super) async fn on_thread<T: Send + 'static>(
        &self,
        action: &'static str,
        path: PathBuf,
        work: impl FnOnce() -> io::Result<T> + Send + 'static,
    ) -> Result<T> {
        let done = tokio::task::spawn_blocking(work).await.unwrap_or_else(|stopped| Err(io::Error::other(stopped)));
        done.map_err(|source| RouterError::File { action, path, source })
    }
}

/// Bytes that are not UTF-8 are replaced: a file with such bytes is none of ours, and nothing to fail at.
fn read(path: &Path) -> io::Result<Option<String>> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(String::from_utf8_lossy(&bytes).into_owned())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn read_all(folder: &Path) -> io::Result<Vec<Routes>> {
    let mut routes = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_file() && path.extension().is_some_and(|extension| extension == "toml") {
            routes.extend(read(&path)?.as_deref().and_then(config::parse));
        }
    }
    Ok(routes)
}

fn fresh_password() -> io::Result<String> {
    let mut bytes = [0; PASSWORD_BYTES];
    getrandom::fill(&mut bytes).map_err(io::Error::from)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn routes(service: &str) -> Routes {
        Routes { service: service.parse().unwrap(), urls: vec![], targets: vec![], healthcheck: None, hold: None }
    }

    async fn open(folder: &tempfile::TempDir) -> Files {
        Files::open(folder.path().join("traefik")).await.unwrap()
    }

    async fn put(files: &Files, service: &str) {
        let routes = routes(service);
        files.put(&routes.service, Some(&config::render(&routes, None).text)).await.unwrap();
    }

    #[tokio::test]
    async fn routes_are_read_back_in_order_from_a_folder_opened_again() {
        let folder = tempfile::tempdir().unwrap();
        let files = open(&folder).await;
        for service in ["b", "a/b", "a.b", "a"] {
            put(&files, service).await;
        }
        let again = open(&folder).await;
        let found: Vec<_> =
            again.routes().await.unwrap().into_iter().map(|routes| routes.service.to_string()).collect();
        assert_eq!(found, ["a", "a.b", "a/b", "b"]);
    }

    #[tokio::test]
    async fn the_files_of_an_operator_are_neither_routes_nor_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let files = open(&folder).await;
        put(&files, "hello").await;
        fs::write(files.routes_folder().join("own.toml"), "[http]").unwrap();
        fs::write(files.routes_folder().join("latin.toml"), b"# caf\xe9\n").unwrap();
        fs::create_dir(files.routes_folder().join("folder.toml")).unwrap();
        assert_eq!(files.routes().await.unwrap(), [routes("hello")]);
    }

    #[tokio::test]
    async fn a_file_is_rewritten_from_what_it_says_then_and_stays_where_nothing_is_made_of_it() {
        let folder = tempfile::tempdir().unwrap();
        let files = open(&folder).await;
        let service = "web".parse().unwrap();
        files.rewrite(&service, |_| Some("new".to_owned())).await.unwrap();
        assert_eq!(files.read(&service).await.unwrap(), None, "there was none");
        files.put(&service, Some("one")).await.unwrap();
        files.rewrite(&service, |text| Some(format!("{text}, two"))).await.unwrap();
        files.rewrite(&service, |_| None).await.unwrap();
        assert_eq!(files.read(&service).await.unwrap().as_deref(), Some("one, two"));
    }

    #[tokio::test]
    async fn nothing_unfinished_ever_lies_in_the_watched_folder() {
        let folder = tempfile::tempdir().unwrap();
        let files = open(&folder).await;
        fs::remove_dir(files.staging()).unwrap();
        let failed = files.put(&"hello".parse().unwrap(), Some("text")).await;
        assert!(matches!(failed, Err(RouterError::File { action: "write", .. })), "{failed:?}");
        assert_eq!(fs::read_dir(files.routes_folder()).unwrap().count(), 0);
    }

    /// As when the disk is full.
    #[tokio::test]
    async fn what_is_written_already_needs_no_room() {
        let folder = tempfile::tempdir().unwrap();
        let files = open(&folder).await;
        let name = files.write_setup("setup").await.unwrap();
        files.write_base("base").await.unwrap();
        fs::remove_dir(files.staging()).unwrap();
        assert_eq!(files.write_setup("setup").await.unwrap(), name);
        files.write_base("base").await.unwrap();
        assert!(files.write_setup("another").await.is_err() && files.write_base("another").await.is_err());
    }

    #[tokio::test]
    async fn what_a_killed_server_had_not_finished_is_cleared_away() {
        let folder = tempfile::tempdir().unwrap();
        let files = open(&folder).await;
        put(&files, "web").await;
        for ending in ["old", "new"] {
            fs::write(files.staging().join(format!(".web.toml.{ending}")), "half").unwrap();
        }
        let again = open(&folder).await;
        assert_eq!(fs::read_dir(again.staging()).unwrap().count(), 0);
        assert_eq!(again.routes().await.unwrap(), [routes("web")]);
    }

    #[tokio::test]
    async fn the_password_is_made_once_and_only_its_owner_reads_it() {
        let folder = tempfile::tempdir().unwrap();
        let first = open(&folder).await.password().await.unwrap();
        assert_eq!(first.expose().len(), 2 * PASSWORD_BYTES);
        assert_eq!(open(&folder).await.password().await.unwrap(), first);
        let mode = fs::metadata(folder.path().join("traefik/password")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}
