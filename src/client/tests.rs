use futures_util::{StreamExt, stream};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};
use tokio::time::timeout;

use super::*;
use crate::api::TerminalSize;

/// Of paused time.
const FOR_EVER: Duration = Duration::from_secs(24 * 60 * 60);

/// Somebody who listens where a server should.
struct Other {
    client: Client,
    _folder: tempfile::TempDir,
}

impl Other {
    fn new<F: Future<Output = ()> + Send + 'static>(answer: fn(UnixStream) -> F) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("mypaas.sock");
        let listener = UnixListener::bind(&socket).unwrap();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(answer(stream));
            }
        });
        Self { client: Client::unix(&socket).unwrap(), _folder: folder }
    }

    /// As a process that is frozen, whose connections the kernel takes.
    fn frozen() -> Self {
        Self::new(|stream| async move {
            let _stream = stream;
            std::future::pending::<()>().await;
        })
    }
}

/// Answers, and does not stop.
async fn endless(mut stream: UnixStream, status: &str, piece: &[u8]) {
    take_question(&mut stream).await;
    stream.write_all(format!("HTTP/1.1 {status}\r\n\r\n").as_bytes()).await.unwrap();
    let pieces = piece.repeat((1 << 20) / piece.len());
    while stream.write_all(&pieces).await.is_ok() {}
}

async fn take_question(stream: &mut UnixStream) {
    let mut taken = Vec::new();
    while !taken.ends_with(b"\r\n\r\n") {
        assert!(stream.read_buf(&mut taken).await.unwrap() > 0, "{taken:?}");
    }
}

/// After how long it was given up.
async fn given_up<T>(question: impl Future<Output = Result<T>>) -> Duration {
    match timeout(FOR_EVER, question).await.expect("it is given up at some time") {
        Err(ClientError::TimedOut { limit }) => limit,
        Err(error) => panic!("{error:?}"),
        Ok(_) => panic!("nobody answered"),
    }
}

#[tokio::test(start_paused = true)]
async fn a_stream_or_a_shell_is_not_waited_for_longer_than_an_answer() {
    let Other { client, _folder } = Other::frozen();
    let web: ServiceName = "web".parse().unwrap();
    assert_eq!(given_up(client.watch()).await, ANSWER_LIMIT);
    assert_eq!(given_up(client.deploy_events(DeployId::new(3), 1)).await, ANSWER_LIMIT);
    let query = LogQuery { tail: None, since: None, follow: true };
    assert_eq!(given_up(client.logs(&web, &LogsOf::Service, &query)).await, ANSWER_LIMIT);
    let kind = TerminalKind { size: TerminalSize { columns: 80, rows: 24 }, term: None };
    assert_eq!(given_up(client.shell(&web, None, &kind)).await, DECISION_LIMIT);
}

#[tokio::test(start_paused = true)]
async fn a_refusal_that_never_ends_is_given_up_too() {
    let Other { client, _folder } = Other::new(|mut stream| async move {
        take_question(&mut stream).await;
        stream.write_all(b"HTTP/1.1 500 No\r\ncontent-length: 100\r\n\r\n{").await.unwrap();
        std::future::pending::<()>().await;
    });
    assert_eq!(given_up(client.watch()).await, ANSWER_LIMIT);
}

#[tokio::test(start_paused = true)]
async fn an_upload_is_given_up_when_nobody_takes_it() {
    let Other { client, _folder } = Other::frozen();
    let chunks = (0..64).map(|_| Ok(Bytes::from(vec![0; 64 * 1024])));
    assert_eq!(given_up(client.upload(stream::iter(chunks), Arc::default())).await, UPLOAD_LIMIT);
}

#[tokio::test(start_paused = true)]
async fn an_upload_is_given_up_when_nobody_answers_it() {
    let Other { client, _folder } = Other::new(|mut stream| async move {
        let mut taken = vec![0; 64 * 1024];
        while stream.read(&mut taken).await.is_ok_and(|count| count > 0) {}
    });
    let chunks = stream::iter([Ok(Bytes::from_static(b"context"))]);
    assert_eq!(given_up(client.upload(chunks, Arc::default())).await, UPLOAD_LIMIT);
}

#[tokio::test(start_paused = true)]
async fn an_upload_has_as_long_as_its_files_take_to_be_packed() {
    let Other { client, _folder } = Other::new(|mut stream| async move {
        let mut taken = Vec::new();
        while !taken.ends_with(b"0\r\n\r\n") {
            assert!(stream.read_buf(&mut taken).await.unwrap() > 0, "{taken:?}");
        }
        let view = r#"{"id":"0","bytes":2,"files":1,"digest":"sha256:0"}"#;
        let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{view}", view.len());
        stream.write_all(answer.as_bytes()).await.unwrap();
    });
    let slow = stream::iter([b"a", b"b"]).then(|chunk| async move {
        tokio::time::sleep(UPLOAD_LIMIT * 2).await;
        Ok(Bytes::from_static(chunk))
    });
    let received = timeout(FOR_EVER, client.upload(slow, Arc::default())).await.unwrap().unwrap();
    assert_eq!(received.bytes, 2);
}

#[tokio::test]
async fn an_answer_without_end_is_read_no_further_than_one_may_be() {
    let Other { client, _folder } = Other::new(|stream| endless(stream, "200 OK", b" "));
    let told = client.snapshot().await.unwrap_err().to_string();
    assert_eq!(told, "the server's answer to /snapshot is larger than 64 MiB, so it was read no further");

    let Other { client, _folder } = Other::new(|stream| endless(stream, "500 No", b" "));
    for refusal in [client.snapshot().await.map(drop), client.watch().await.map(drop)] {
        assert!(matches!(refusal, Err(ClientError::TooLarge { mebibytes: 1, .. })), "{refusal:?}");
    }
}

#[tokio::test]
async fn events_of_a_deploy_that_never_end_are_not_gathered_for_ever() {
    let Other { client, _folder } = Other::new(|stream| async move {
        let line = "x".repeat(64 * 1024);
        let event = format!(r#"{{"seq":1,"at":"2026-01-31T12:00:00Z","event":"build_output","line":"{line}"}}"#) + "\n";
        endless(stream, "200 OK", event.as_bytes()).await;
    });
    let told = client.past_events(DeployId::new(3)).await.unwrap_err();
    assert!(matches!(told, ClientError::TooLarge { mebibytes: 64, .. }), "{told:?}");
}
