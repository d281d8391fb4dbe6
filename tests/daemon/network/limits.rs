//! Slow, large, many.

use std::time::{Duration, Instant};

use mypaas::api::ProblemCode;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use super::wire::{Forged, Wire, read_answer, told};

#[tokio::test]
async fn a_head_that_trickles_in_is_cut_off() {
    let wire = Wire::start().await;
    let mut stream = TcpStream::connect(wire.address).await.unwrap();
    let begun = Instant::now();
    stream.write_all(b"GET /daemon/v1/server HTTP/1.1\r\n").await.unwrap();
    let (reader, mut writer) = stream.into_split();
    let trickle = tokio::spawn(async move {
        while writer.write_all(b"x-slow: 1\r\n").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    });
    let mut end = [0; 512];
    loop {
        reader.readable().await.unwrap();
        match reader.try_read(&mut end) {
            Ok(0) => break,
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
            Ok(_) => {}
            Err(_) => break,
        }
        assert!(begun.elapsed() < Duration::from_secs(30), "it is still open");
    }
    assert!(begun.elapsed() >= Duration::from_secs(4), "cut off too early: {:?}", begun.elapsed());
    trickle.abort();
    told("slow loris: a head that trickles in", &format!("cut off after {:.0?}", begun.elapsed()));
}

#[tokio::test]
async fn a_connection_that_says_nothing_is_cut_off() {
    let wire = Wire::start().await;
    let begun = Instant::now();
    let answer = read_answer(TcpStream::connect(wire.address).await.unwrap()).await;
    assert_eq!(answer.body, "");
    assert!((4..30).contains(&begun.elapsed().as_secs()), "{:?}", begun.elapsed());
    told("half-open: a connection that says nothing", &format!("cut off after {:.0?}", begun.elapsed()));
}

#[tokio::test]
async fn heads_that_are_too_large_are_refused() {
    let wire = Wire::start().await;
    let good = wire.good().await;
    let long = good.clone().set("x-long", "x".repeat(100_000));
    assert!(matches!(wire.send(&long).await.status, 0 | 431), "a field of 100,000 bytes");
    let many = (0..200).fold(good, |request, number| request.set(&format!("x-{number}"), "1"));
    assert!(matches!(wire.send(&many).await.status, 0 | 431), "200 fields");
    told("a header field of 100,000 bytes; 200 fields", "431, or the connection closed");
    assert_eq!(wire.send(&wire.good().await).await.status, 200);
}

#[tokio::test]
async fn a_body_that_is_too_large_is_refused_before_it_is_read_to_its_end() {
    let wire = Wire::start().await;
    let body = vec![b' '; 3 * 1024 * 1024];
    let large = Forged::with_body("POST", "/daemon/v1/plans", body).signed(&wire, "ed25519").await;
    let answer = wire.send(&large).await;
    // The connection may be reset before the answer is read.
    assert!(answer.status == 0 || answer.problem().code == ProblemCode::TooLarge, "{answer:?}");
    told("a request of 3 MiB", "413, or the connection closed, before it is read to its end");
}

#[tokio::test]
async fn uploads_that_never_end_of_one_key_keep_no_other_from_pushing() {
    let wire = Wire::start().await;
    let mut begun = Vec::new();
    for _ in 0..8 {
        let upload = Forged::with_body("POST", "/daemon/v1/contexts", vec![7; 10]).signed(&wire, "rsa").await;
        let mut stream = TcpStream::connect(wire.address).await.unwrap();
        stream.write_all(&upload.set("content-length", "1000000").bytes()).await.unwrap();
        begun.push(stream);
    }
    let upload = async |key| {
        let upload = Forged::with_body("POST", "/daemon/v1/contexts", vec![7; 10]).signed(&wire, key).await;
        wire.send(&upload).await
    };
    let since = Instant::now();
    while upload("rsa").await.status != 429 {
        assert!(since.elapsed() < Duration::from_secs(15), "the others have not begun");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let refused = upload("rsa").await.problem();
    assert_eq!((refused.code, refused.message.as_str()), (ProblemCode::TooMany, "rsa key sends 2 folders already"));
    assert_eq!(upload("ed25519").await.status, 400, "of another key it is received, and found to be no archive");
    told("8 uploads of one key that never end", &format!("429 {}", refused.message));
}

#[tokio::test]
async fn who_proves_nothing_may_not_even_send_a_body() {
    let wire = Wire::start().await;
    let mut upload = Forged::with_body("POST", "/daemon/v1/contexts", vec![7; 10]).signed(&wire, "ed25519").await;
    upload = upload.without("signature").set("content-length", "1000000000");
    let begun = Instant::now();
    assert_eq!(wire.send(&upload).await.status, 401);
    assert!(begun.elapsed() < Duration::from_secs(5), "it was waited for: {:?}", begun.elapsed());
    told("an upload of 1 GB without a proof", "401 before the body is read");
}

#[tokio::test]
async fn a_refusal_is_heard_also_while_a_large_body_still_comes() {
    let wire = Wire::start().await;
    let body = vec![7; 8 * 1024 * 1024];
    for _ in 0..3 {
        let upload = Forged::with_body("POST", "/daemon/v1/contexts", body.clone()).signed(&wire, "p256").await;
        let answer = wire.send(&upload).await;
        assert_eq!(answer.status, 403, "{answer:?}");
    }
    assert_eq!(wire.kept(), 0);
}

#[tokio::test]
async fn each_connection_is_good_for_one_request() {
    let wire = Wire::start().await;
    let both = [wire.good().await.bytes(), wire.good().await.bytes()].concat();
    let answer = wire.send_bytes(&both).await;
    assert_eq!(answer.status, 200);
    assert!(answer.head.contains("connection: close"), "{}", answer.head);
    assert!(!answer.body.contains("HTTP/1.1"), "a second answer: {}", answer.body);
}

#[tokio::test]
async fn one_key_cannot_take_all_connections() {
    let wire = Wire::start().await;
    let client = wire.client("p256");
    let mut watching = Vec::new();
    for _ in 0..64 {
        watching.push(client.watch().await.unwrap());
    }
    let request = Forged::new("GET", "/daemon/v1/server").signed(&wire, "p256").await;
    let answer = wire.send(&request).await;
    assert_eq!((answer.status, answer.problem().code), (429, ProblemCode::TooMany));
    told("the 65th answer at once that one key keeps open", &format!("429 {}", answer.problem().message));
    assert_eq!(wire.send(&wire.good().await).await.status, 200, "another key");
    drop(watching);
    let begun = Instant::now();
    while client.server().await.is_err() {
        assert!(begun.elapsed() < Duration::from_secs(15), "what has ended makes room");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn what_is_no_http_gets_no_further() {
    let wire = Wire::start().await;
    for bytes in
        [&b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"[..], b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"\0\0\0\0\r\n\r\n"]
    {
        let answer = wire.send_bytes(bytes).await;
        assert!(matches!(answer.status, 0 | 400), "{answer:?}");
    }
    told("TLS, HTTP/2 or zeros where HTTP/1.1 is spoken", "400, or the connection closed");
    assert_eq!(wire.send(&wire.good().await).await.status, 200);
}

#[tokio::test]
async fn a_body_that_does_not_come_is_not_waited_for_for_long() {
    let wire = Wire::start().await;
    // Two lengths: the one that counts is that of the chunks, which never come.
    let smuggled = wire.good().await.set("transfer-encoding", "chunked");
    let begun = Instant::now();
    let answer = wire.send(&smuggled).await;
    assert!(answer.problem().message.contains("did not arrive within"), "{answer:?}");
    assert!((10..30).contains(&begun.elapsed().as_secs()), "{:?}", begun.elapsed());
    told(
        "a body that never comes, of two lengths (smuggling)",
        &format!("{} after {:.0?}", answer.status, begun.elapsed()),
    );
}

#[tokio::test]
async fn connections_beyond_the_limit_wait_and_those_that_say_nothing_make_room() {
    let wire = Wire::start().await;
    let mut silent = Vec::new();
    for _ in 0..600 {
        silent.push(TcpStream::connect(wire.address).await.unwrap());
    }
    let begun = Instant::now();
    let answer = wire.send(&wire.good().await).await;
    assert_eq!(answer.status, 200, "those that say nothing are cut off: {answer:?}");
    told("600 connections that say nothing", &format!("who has a key is answered after {:.0?}", begun.elapsed()));
    drop(silent);
}
