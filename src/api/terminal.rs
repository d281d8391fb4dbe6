//! A terminal over the wire. The request asks for an upgrade to [`PROTOCOL`]; after the answer 101 both ends send frames:
//! a length (four bytes, the highest first), and of that length a kind (one byte) and its body.
//!
//! ```text
//! 0   bytes of the terminal, either way
//! 1   a Note as JSON: a new size from the client; how it ended from the server
//! ```
//!
//! Either end leaves by closing the connection; the command is then hung up on.

use bytes::{BufMut, Bytes, BytesMut};
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_util::codec::{Framed, LengthDelimitedCodec};

use super::{Problem, TerminalSize};

/// What the connection is upgraded to.
pub const PROTOCOL: &str = "mypaas-terminal";

/// A frame larger than this is none of ours.
const LARGEST_FRAME: usize = 256 * 1024;

const BYTES: u8 = 0;
const NOTE: u8 = 1;

/// A connection that was upgraded.
pub type Frames<Connection> = Framed<Connection, LengthDelimitedCodec>;

#[derive(Debug, Clone, PartialEq)]
pub enum Frame {
    Bytes(Bytes),
    Note(Note),
}

/// What is said beside the terminal's bytes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Note {
    Resize(TerminalSize),
    /// With this code; nothing follows.
    Exited(i64),
    /// It cannot go on; nothing follows.
    Broken(Problem),
}

/// A frame that is none.
#[derive(Debug, thiserror::Error)]
pub enum FrameError {
    #[error("the connection broke")]
    Connection(#[from] std::io::Error),
    #[error("a frame is of no known kind")]
    Kind,
    #[error("a note cannot be read")]
    Note(#[source] serde_json::Error),
}

pub fn frames<Connection: AsyncRead + AsyncWrite>(connection: Connection) -> Frames<Connection> {
    LengthDelimitedCodec::builder().max_frame_length(LARGEST_FRAME).new_framed(connection)
}

impl Frame {
    pub fn encode(&self) -> Result<Bytes, FrameError> {
        let (kind, body) = match self {
            Frame::Bytes(bytes) => (BYTES, bytes.clone()),
            Frame::Note(note) => (NOTE, serde_json::to_vec(note).map_err(FrameError::Note)?.into()),
        };
        let mut frame = BytesMut::with_capacity(1 + body.len());
        frame.put_u8(kind);
        frame.extend_from_slice(&body);
        Ok(frame.freeze())
    }

    pub fn decode(frame: BytesMut) -> Result<Self, FrameError> {
        let mut body = frame.freeze();
        match (!body.is_empty()).then(|| body.split_to(1)[0]) {
            Some(BYTES) => Ok(Frame::Bytes(body)),
            Some(NOTE) => serde_json::from_slice(&body).map(Frame::Note).map_err(FrameError::Note),
            _ => Err(FrameError::Kind),
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::{SinkExt, StreamExt};

    use super::*;
    use crate::api::ProblemCode;

    #[tokio::test]
    async fn what_goes_in_at_one_end_comes_out_at_the_other() {
        let sent = [
            Frame::Bytes(Bytes::from_static(b"\x1b[1mls\x00\xff")),
            Frame::Bytes(Bytes::new()),
            Frame::Note(Note::Resize(TerminalSize { columns: 80, rows: 24 })),
            Frame::Note(Note::Exited(-1)),
            Frame::Note(Note::Broken(Problem::new(ProblemCode::Internal, "gone"))),
        ];
        let (one, other) = tokio::io::duplex(16);
        let (mut one, mut other) = (frames(one), frames(other));
        let sending = async {
            for frame in &sent {
                one.send(frame.encode().unwrap()).await.unwrap();
            }
            drop(one);
        };
        let receiving = async {
            let mut received = Vec::new();
            while let Some(frame) = other.next().await {
                received.push(Frame::decode(frame.unwrap()).unwrap());
            }
            received
        };
        assert_eq!(tokio::join!(sending, receiving).1, sent);
    }

    #[tokio::test]
    async fn what_is_no_frame_is_refused() {
        for frame in [&b""[..], b"\x07", b"\x01{}", b"\x01"] {
            assert!(Frame::decode(frame.into()).is_err(), "{frame:?}");
        }
        let mut endless = frames(std::io::Cursor::new(b"\xff\xff\xff\xff\x00".to_vec()));
        assert!(endless.next().await.unwrap().is_err());
    }
}
