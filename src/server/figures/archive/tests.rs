use super::*;

/// A whole hour of some day.
const BEGIN: i64 = 1_767_225_600;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(BEGIN + second).unwrap()
}

fn seconds(seconds: RangeInclusive<i64>) -> RangeInclusive<i64> {
    BEGIN + seconds.start()..=BEGIN + seconds.end()
}

fn query(span: Span, points: u32) -> HistoryQuery {
    HistoryQuery { service: None, span, points: Some(points) }
}

fn cpu(archive: &Archive, query: &HistoryQuery, now: i64) -> Vec<Option<f32>> {
    archive.read(query, at(now)).unwrap().series.remove(&Measure::Cpu).unwrap_or_default()
}

#[test]
fn seconds_of_an_hour_are_there_before_and_after_they_were_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("figures.db");
    let archive = Archive::open(&path);
    for second in 0..4000 {
        archive.record(seconds(second..=second), None, &[(Measure::Cpu, second as f32)]);
        if second % 61 == 0 {
            archive.write(Write::All, at(second));
        }
    }
    let expected: Vec<Option<f32>> = (400..4000).map(|second| Some(second as f32)).collect();
    assert_eq!(cpu(&archive, &query(Span::Hour, 3600), 3999), expected);
    archive.write(Write::All, at(3999));
    assert!(archive.subjects().is_empty());
    let again = Archive::open(&path);
    assert_eq!(cpu(&again, &query(Span::Hour, 3600), 3999), expected, "after a restart");
    let coarse = cpu(&again, &query(Span::Hour, 60), 3999);
    assert_eq!(coarse.len(), 60);
    assert_eq!(coarse.last(), Some(&Some(3999.0)), "the largest stands for all");
    assert_eq!(coarse[0], Some(479.0), "the frame begins at a whole minute");
}

#[test]
fn figures_of_several_seconds_are_those_of_each() {
    let archive = Archive::open(&tempfile::tempdir().unwrap().path().join("figures.db"));
    archive.record(seconds(58..=61), None, &[(Measure::Cpu, 3.0)]);
    let seen: Vec<_> = cpu(&archive, &query(Span::Hour, 3600), 63).into_iter().rev().take(7).collect();
    assert_eq!(seen, [None, None, Some(3.0), Some(3.0), Some(3.0), Some(3.0), None]);
    let minutes = cpu(&archive, &query(Span::Day, 1440), 63);
    assert_eq!(minutes.iter().flatten().count(), 2, "in both minutes");
}

#[test]
fn a_block_is_written_once_it_is_full_and_a_part_of_it_when_all_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("figures.db");
    let archive = Archive::open(&path);
    for second in 0..90 {
        archive.record(seconds(second..=second), None, &[(Measure::Cpu, second as f32)]);
    }
    let on_disk = |span| cpu(&Archive::open(&path), &query(span, 3600), 89).into_iter().flatten().count();
    archive.write(Write::Full, at(90));
    assert_eq!((on_disk(Span::Hour), on_disk(Span::Day)), (60, 0), "of the minute that goes on nothing");
    assert_eq!(cpu(&archive, &query(Span::Hour, 3600), 89).into_iter().flatten().count(), 90, "all is there");
    archive.write(Write::All, at(90));
    assert_eq!((on_disk(Span::Hour), on_disk(Span::Day)), (90, 2));
}

#[test]
fn what_is_too_old_is_forgotten_and_the_rest_is_kept_by_the_minute() {
    let archive = Archive::open(&tempfile::tempdir().unwrap().path().join("figures.db"));
    let day = 24 * 60 * 60;
    for second in [0, 2 * day, 20 * day, 31 * day] {
        archive.record(seconds(second..=second), None, &[(Measure::Cpu, (second / day) as f32)]);
        archive.write(Write::All, at(second));
    }
    let figures =
        |span, points| -> Vec<f32> { cpu(&archive, &query(span, points), 31 * day).into_iter().flatten().collect() };
    assert_eq!(figures(Span::Month, 4000), [2.0, 20.0, 31.0]);
    assert_eq!(figures(Span::Month, 30), [2.0, 20.0, 31.0]);
    assert_eq!(figures(Span::Day, 1440), [31.0]);
    assert_eq!(figures(Span::Hour, 3600), [31.0]);
}

#[test]
fn a_service_has_figures_of_its_own() {
    let archive = Archive::open(&tempfile::tempdir().unwrap().path().join("figures.db"));
    let service: ServiceName = "web".parse().unwrap();
    archive.record(seconds(7..=7), Some(&service), &[(Measure::Requests, 3.0), (Measure::P95, 0.25)]);
    archive.record(seconds(7..=7), None, &[(Measure::Disk, 9.0)]);
    let of = |service| archive.read(&HistoryQuery { service, ..query(Span::Hour, 10) }, at(8)).unwrap();
    let measures = |history: History| history.series.into_keys().collect::<Vec<_>>();
    assert_eq!(measures(of(Some(service))), [Measure::Requests, Measure::P95]);
    assert_eq!(measures(of(Some("other".parse().unwrap()))), []);
    let machine = of(None);
    assert_eq!(machine.step, Duration::from_secs(360));
    assert_eq!(machine.series[&Measure::Disk].len(), 10);
}

#[test]
fn without_a_file_the_last_minutes_are_there_and_no_more() {
    let folder = tempfile::tempdir().unwrap();
    let archive = Archive::open(&folder.path().join("no such folder/figures.db"));
    for second in 0..3000 {
        archive.record(seconds(second..=second), None, &[(Measure::Cpu, 1.0)]);
        archive.write(Write::All, at(second));
    }
    let there = cpu(&archive, &query(Span::Hour, 3600), 2999).into_iter().flatten().count();
    assert!((600..=720).contains(&there), "{there}");
}

#[test]
fn frames_move_on_by_whole_steps() {
    let frame = |now| Frame::of(&query(Span::Day, 100), at(now));
    assert_eq!(frame(0), frame(899));
    assert_eq!(frame(0).step, 900);
    assert_eq!(frame(900).from, frame(0).from + 900);
    assert_eq!(frame(0).points, 96);
    assert_eq!(frame(17).place(BEGIN + 17), Some(95));
    assert_eq!(frame(17).place(BEGIN + 900), None);
}
