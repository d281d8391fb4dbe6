use super::{Scheme, ServiceUrl};

/// Why a text is not a URL of a service.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct UrlError(String);

impl TryFrom<String> for ServiceUrl {
    type Error = UrlError;

    fn try_from(text: String) -> Result<Self, UrlError> {
        let url = url::Url::parse(&text).map_err(|e| UrlError(e.to_string()))?;
        let scheme = if url.scheme() == "https" { Scheme::Https } else { Scheme::Http };
        let host = url.host_str().ok_or_else(|| UrlError("no domain".into()))?.to_owned();
        Ok(Self { scheme, host, path: url.path().trim_end_matches('/').to_owned() })
    }
}

impl From<ServiceUrl> for String {
    fn from(url: ServiceUrl) -> String {
        url.to_string()
    }
}
