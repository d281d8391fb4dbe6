//! What containers write, on its way to the console. However fast it comes, it waits in a pool of bounded size; what
//! finds no room there makes room by the oldest going, and is counted. The console takes from the pool what it can
//! show, and is never kept from the keyboard by it.

use std::collections::VecDeque;

use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use jiff::Timestamp;
use mypaas::api::{LogLine, LogQuery, LogsOf, Problem};
use mypaas::client::{self, Client};
use tokio::time::sleep;

use super::listen::{Inbox, Pause, REST, in_time, tell};
use super::problem::of_client;
use crate::console::message::{LogNews, Message};
use crate::console::model::clean::clean;
use crate::console::model::fleet::ServiceAt;
use crate::console::model::logs::{BYTES, Caught, LINES, tail};

/// So many lines are taken from the stream at once, when as many are there …
const GULP: usize = 512;

/// … and so many are handed on at once: what a console takes in within a few milliseconds.
const HANDFUL: usize = 2_000;

/// What is read: of whom, since when.
#[derive(Debug, Clone)]
pub(super) struct Wanted {
    pub at: ServiceAt,
    pub of: LogsOf,
    pub since: Option<Timestamp>,
}

/// What a service's containers write, from some lines ago on.
pub(super) async fn listen(client: Client, wanted: Wanted, inbox: Inbox) {
    sleep(REST).await;
    let Wanted { at, of, since } = wanted;
    let told = |news| Message::Logs { at: at.clone(), of: of.clone(), since, news };
    let query = LogQuery { tail: u32::try_from(tail(since)).ok(), since, follow: true };
    let ask = || {
        let (client, service, of, query) = (client.clone(), at.service.clone(), of.clone(), query.clone());
        async move { in_time(client.logs(&service, &of, &query)).await }
    };
    again_and_again(ask, told, &inbox).await;
}

type Lines = BoxStream<'static, client::Result<LogLine>>;

/// Where nothing new comes, as of containers that are gone, the pauses grow.
async fn again_and_again<Asked: Future<Output = Result<Lines, Problem>>>(
    ask: impl Fn() -> Asked,
    told: impl Fn(LogNews) -> Message,
    inbox: &Inbox,
) {
    let mut pause = Pause::new();
    let mut newest = None;
    loop {
        let before = newest;
        let news = match ask().await {
            Ok(lines) => {
                tell(inbox, told(LogNews::Began)).await;
                pour(lines, &mut newest, &told, inbox).await
            }
            Err(problem) => LogNews::Lost(problem),
        };
        tell(inbox, told(news)).await;
        if newest > before {
            pause = Pause::new();
        }
        pause.wait().await;
    }
}

/// Hands on what the stream brings, and notes when the newest of it was written; says how it ended.
async fn pour(
    lines: Lines,
    newest: &mut Option<Timestamp>,
    told: impl Fn(LogNews) -> Message,
    inbox: &Inbox,
) -> LogNews {
    let mut pool = Pool::default();
    let mut end = None;
    let mut gulps = lines.ready_chunks(GULP);
    loop {
        tokio::select! {
            biased;
            place = inbox.reserve(), if !pool.is_empty() => match place {
                Ok(place) => place.send(told(LogNews::Some(pool.handful()))),
                Err(_) => return LogNews::Ended,
            },
            gulp = gulps.next(), if end.is_none() => match gulp {
                Some(gulp) => {
                    let written = gulp.iter().flatten().map(|line| line.at).max();
                    *newest = (*newest).max(written);
                    end = pool.take(gulp);
                }
                None => end = Some(LogNews::Ended),
            },
        }
        if pool.is_empty()
            && let Some(end) = end.take()
        {
            return end;
        }
    }
}

/// Lines that wait, and how many had to go before them.
#[derive(Debug, Default)]
struct Pool {
    skipped: u64,
    lines: VecDeque<LogLine>,
    bytes: usize,
}

impl Pool {
    fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// Takes in what came at once; says whether that was the end.
    fn take(&mut self, gulp: Vec<client::Result<LogLine>>) -> Option<LogNews> {
        for line in gulp {
            match line {
                Ok(line) => self.add(line),
                Err(error) => return Some(LogNews::Lost(of_client(error))),
            }
        }
        None
    }

    fn add(&mut self, mut line: LogLine) {
        line.text = clean(&line.text);
        self.bytes += line.text.len();
        self.lines.push_back(line);
        while self.lines.len() > LINES || self.bytes > BYTES {
            let Some(oldest) = self.lines.pop_front() else { break };
            self.bytes -= oldest.text.len();
            self.skipped += 1;
        }
    }

    fn handful(&mut self) -> Vec<Caught> {
        let count = self.lines.len().min(HANDFUL);
        let gap = (self.skipped > 0).then(|| Caught::Skipped(std::mem::take(&mut self.skipped)));
        let lines: Vec<LogLine> = self.lines.drain(..count).collect();
        self.bytes -= lines.iter().map(|line| line.text.len()).sum::<usize>();
        gap.into_iter().chain(lines.into_iter().map(Caught::Line)).collect()
    }
}

#[cfg(test)]
mod tests {
    use futures_util::stream;
    use mypaas::client::ClientError;
    use tokio::sync::mpsc;

    use super::*;
    use crate::console::fixture::{at, log_line, service_at};

    fn line(second: i64) -> client::Result<LogLine> {
        Ok(log_line("api.r14.1", at(second), &format!("\u{1b}[1mline {second}")))
    }

    /// Pours lines to somebody who takes nothing before all have come; what they then get.
    async fn poured(lines: Vec<client::Result<LogLine>>) -> Vec<LogNews> {
        let (sender, mut inbox) = mpsc::channel(1);
        let told = |news| Message::Logs { at: service_at("local", "api"), of: LogsOf::Service, since: None, news };
        let all_came = sender.reserve().await.unwrap();
        let pouring = tokio::spawn({
            let sender = sender.clone();
            async move { pour(stream::iter(lines).boxed(), &mut None, told, &sender).await }
        });
        tokio::time::sleep(std::time::Duration::from_secs(1)).await;
        drop(all_came);
        drop(sender);
        let mut news = Vec::new();
        while let Some(Message::Logs { news: next, .. }) = inbox.recv().await {
            news.push(next);
        }
        news.push(pouring.await.unwrap());
        news
    }

    fn counts(news: &[LogNews]) -> (u64, usize) {
        let caught = news.iter().flat_map(|news| match news {
            LogNews::Some(caught) => caught.as_slice(),
            _ => &[],
        });
        caught.fold((0, 0), |(skipped, lines), caught| match caught {
            Caught::Skipped(count) => (skipped + count, lines),
            Caught::Line(_) => (skipped, lines + 1),
        })
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_too_much_to_wait_goes_the_oldest_first_and_is_counted() {
        let news = poured((0..LINES as i64 + 5000).map(line).collect()).await;
        assert_eq!(counts(&news), (5000, LINES));
        let LogNews::Some(caught) = &news[0] else { panic!("{:?}", news[0]) };
        assert_eq!(caught[0], Caught::Skipped(5000), "it is told where it is missing");
        assert!(matches!(&caught[1], Caught::Line(line) if line.text == "line 5000"), "{:?}", caught[1]);
        assert!(matches!(news.last(), Some(LogNews::Ended)));
    }

    /// How often a log that ends at once is asked for in a minute.
    async fn asked_in_a_minute(lines_of: impl Fn(i64) -> Vec<i64>) -> i64 {
        let (sender, mut inbox) = mpsc::channel(1);
        let told = |news| Message::Logs { at: service_at("local", "api"), of: LogsOf::Service, since: None, news };
        let asked = std::cell::Cell::new(0);
        let ask = || {
            asked.set(asked.get() + 1);
            let lines: Vec<_> = lines_of(asked.get()).into_iter().map(line).collect();
            async { Ok(stream::iter(lines).boxed()) }
        };
        let heard = async { while inbox.recv().await.is_some() {} };
        let asking = async { tokio::join!(again_and_again(ask, told, &sender), heard) };
        assert!(tokio::time::timeout(std::time::Duration::from_secs(60), asking).await.is_err());
        asked.get()
    }

    #[tokio::test(start_paused = true)]
    async fn a_log_that_has_ended_is_asked_for_ever_more_seldom() {
        let empty = asked_in_a_minute(|_| Vec::new()).await;
        let same = asked_in_a_minute(|_| vec![1, 2]).await;
        let growing = asked_in_a_minute(|times| vec![times]).await;
        assert!(empty < 12 && same < 12 && growing > 100, "{empty} {same} {growing}");
    }

    #[tokio::test(start_paused = true)]
    async fn long_lines_are_bounded_by_their_bytes() {
        let long = |second| Ok(log_line("api.r14.1", at(second), &"x".repeat(3000)));
        let (skipped, kept) = counts(&poured((0..4000).map(long).collect()).await);
        assert!(skipped > 1000 && kept * 3000 <= BYTES && skipped + kept as u64 == 4000, "{skipped} {kept}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_stream_that_breaks_hands_on_what_came_before() {
        let broken = Err(ClientError::TimedOut { limit: REST });
        let news = poured(vec![line(0), line(1), broken]).await;
        assert_eq!(counts(&news), (0, 2));
        assert!(matches!(news.last(), Some(LogNews::Lost(_))));
    }
}
