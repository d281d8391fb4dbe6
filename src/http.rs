//! HTTP clients, as the parts above begin to set them up. None of them takes a proxy from the environment.

use std::sync::Arc;

use reqwest::ClientBuilder;
use rustls::crypto::{CryptoProvider, ring};
use rustls::{ClientConfig, RootCertStore};

/// For sockets and plain http. It trusts no certificate, so it reads none from the disk either, which would take longer
/// than most of its requests.
pub fn plain() -> ClientBuilder {
    let config = ClientConfig::builder_with_provider(arithmetic()).with_safe_default_protocol_versions();
    let config = config.expect("ring knows all versions of TLS").with_root_certificates(RootCertStore::empty());
    reqwest::Client::builder().no_proxy().tls_backend_preconfigured(config.with_no_client_auth())
}

/// For https: it trusts whom the machine trusts.
pub fn secure() -> ClientBuilder {
    if CryptoProvider::get_default().is_none() {
        // That somebody else was quicker is as good.
        let _ = ring::default_provider().install_default();
    }
    reqwest::Client::builder().no_proxy()
}

fn arithmetic() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_kinds_can_be_made() {
        plain().build().unwrap();
        secure().build().unwrap();
    }
}
