//! The configuration of a test's server: quick where an ordinary one is patient.

use std::net::Ipv4Addr;
use std::process;
use std::sync::atomic::{AtomicU16, Ordering};

#[derive(Debug, Clone)]
pub(crate) struct Settings {
    /// 0: any that is free.
    pub(crate) http_port: u16,
    /// The router's; none: the usual one.
    pub(crate) image: Option<String>,
    pub(crate) ready_deadline: &'static str,
    pub(crate) drain: &'static str,
    pub(crate) grace: &'static str,
    pub(crate) watch: &'static str,
    pub(crate) context_mib: u64,
    pub(crate) min_free_mib: u64,
    /// A line each, as in `TOKEN = "x"`.
    pub(crate) env: &'static str,
    /// Further sections.
    pub(crate) more: String,
    /// Of the services' network, its last byte left out.
    pub(crate) network: [u8; 3],
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            http_port: 0,
            image: None,
            ready_deadline: "15s",
            drain: "500ms",
            grace: "2s",
            watch: "off",
            context_mib: 64,
            min_free_mib: 64,
            env: "",
            more: String::new(),
            network: network(),
        }
    }
}

impl Settings {
    /// The machine's own address for containers.
    pub(crate) fn gateway(&self) -> Ipv4Addr {
        let [first, second, third] = self.network;
        Ipv4Addr::new(first, second, third, 1)
    }

    /// As config.toml.
    pub(super) fn text(&self, instance: &str) -> String {
        let image = self.image.as_ref().map(|image| format!("image = {image:?}\n")).unwrap_or_default();
        let Self {
            http_port, ready_deadline, drain, grace, watch, context_mib, min_free_mib, env, more, network, ..
        } = self;
        let [first, second, third] = network;
        format!(
            "[server]\ninstance = {instance:?}\n[network]\nsubnet = \"{first}.{second}.{third}.0/24\"\n\
             [router]\n{image}bind = \"127.0.0.1\"\nhttp_port = {http_port}\nhttps_port = 0\n\
             [deploy]\nready_deadline = {ready_deadline:?}\ndrain = {drain:?}\nsettle = \"1s\"\ngrace = {grace:?}\n\
             watch = {watch:?}\n[limits]\ncontext_mib = {context_mib}\nmin_free_mib = {min_free_mib}\n[env]\n{env}\n{more}"
        )
    }
}

/// One that no other test has, far from those that mypaas and Docker choose by themselves.
fn network() -> [u8; 3] {
    static COUNT: AtomicU16 = AtomicU16::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let [high, low] = (process::id() as u16).wrapping_mul(61).wrapping_add(count).to_be_bytes();
    [10, 128 + high % 64, low]
}
