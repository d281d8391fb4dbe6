//! Lines of containers.

use super::*;

pub(super) fn fill(model: &mut Model) {
    let texts = [
        "GET /up 200 0.4ms",
        "GET /api/orders?limit=50 200 12.1ms",
        "WARN slow query: 340ms select * from orders where customer = $1 order by created desc limit 50 offset 1200",
        "POST /api/orders 201 31.0ms",
        "ERROR payment gateway: connection reset by peer, trying again in 2s",
        "GET /api/orders/8812 200 3.2ms",
    ];
    let line = |index: i64| {
        let container = format!("api.r14.{}", index % 3 + 1);
        let mut line = fixture::log_line(&container, at(index - 200), texts[index as usize % texts.len()]);
        if index % 6 == 4 {
            line.stream = LogStream::Stderr;
        }
        line
    };
    send(model, logged("api", LogNews::Began));
    send(model, logged("api", written((0..120).map(line).collect())));
}

#[test]
fn the_logs() {
    snapshots("logs", |model| {
        press(model, "l");
        fill(model);
        press(model, "t");
    });
}

#[test]
fn the_logs_of_a_release_that_runs_no_more() {
    snapshots("logs_kept", |model| {
        press(model, "tab ] ] j j l");
        let of = LogsOf::Release(ReleaseId::new(12));
        let told = |news| Message::Logs { at: service_at("local", "api"), of: of.clone(), since: None, news };
        let line = |container, second, text| fixture::log_line(container, at(second), text);
        let lines =
            vec![line("api.r12.1", -9, "listening on 8080"), line("api.r12.2", -5, "SIGTERM: 3 requests to finish")];
        for news in [LogNews::Began, written(lines), LogNews::Ended] {
            send(model, told(news));
        }
    });
}

#[test]
fn the_logs_wrapped_and_searched() {
    snapshots("logs_searched", |model| {
        press(model, "l");
        fill(model);
        press(model, "w /");
        type_text(model, "error|slow");
    });
}

#[test]
fn the_logs_with_lines_around_the_matches_and_whole_times() {
    snapshots("logs_around", |model| {
        press(model, "l");
        fill(model);
        send(model, logged("api", LogNews::Some(vec![Caught::Skipped(12_345)])));
        press(model, "t t /");
        type_text(model, "gateway");
        press(model, "enter +");
    });
}

#[test]
fn asking_since_when_the_logs_are_read() {
    snapshots("logs_since", |model| {
        press(model, "l");
        fill(model);
        press(model, "@");
    });
}

#[test]
fn asking_where_to_save_the_logs() {
    snapshots("logs_save", |model| {
        press(model, "l");
        fill(model);
        press(model, "S");
    });
}

#[test]
fn the_logs_beside_the_list() {
    snapshots("logs_tab", |model| {
        press(model, "tab [");
        fill(model);
        press(model, "k k k");
    });
}
