//! Whichever signs for an operator: a private key of theirs, or an ssh-agent.

use std::sync::Arc;

use super::agent::{AgentError, AgentKey};
use super::private::PrivateKey;
use super::public::{Fingerprint, PublicKey};

/// Why nothing was signed.
#[derive(Debug, thiserror::Error)]
pub enum SignError {
    #[error("the private key could not sign: the machine gives no random numbers")]
    Random,
    #[error("the ssh-agent did not sign")]
    Agent(#[from] AgentError),
    /// The Python original knows no others.
    #[error("a server of the Python original knows RSA keys only, and {0} is none")]
    NotRsa(Fingerprint),
    #[error("an ssh-agent cannot sign in the way of the Python original")]
    NotByAgent,
}

/// Signs in the operator's name. Cheap to clone.
#[derive(Debug, Clone)]
pub enum Signer {
    Key(Arc<PrivateKey>),
    Agent(Arc<AgentKey>),
}

impl Signer {
    pub fn public(&self) -> &PublicKey {
        match self {
            Signer::Key(key) => key.public(),
            Signer::Agent(key) => key.public(),
        }
    }

    /// The signature in the form of RFC 9421. An agent may ask its owner first.
    pub async fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
        match self {
            Signer::Key(key) => key.sign(message).ok_or(SignError::Random),
            Signer::Agent(key) => Ok(key.sign(message).await?),
        }
    }

    /// The signature of what has this SHA-256, in the way of the Python original.
    pub fn sign_as_original(&self, sha256: &[u8; 32]) -> Result<Vec<u8>, SignError> {
        if self.public().original_id().is_none() {
            return Err(SignError::NotRsa(self.public().fingerprint().clone()));
        }
        match self {
            Signer::Key(key) => key.sign_as_original(sha256).ok_or(SignError::Random),
            Signer::Agent(_) => Err(SignError::NotByAgent),
        }
    }
}

impl From<PrivateKey> for Signer {
    fn from(key: PrivateKey) -> Self {
        Signer::Key(Arc::new(key))
    }
}

impl From<AgentKey> for Signer {
    fn from(key: AgentKey) -> Self {
        Signer::Agent(Arc::new(key))
    }
}
