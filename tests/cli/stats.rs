//! `agent stats`: what is told of the counts, and the switch.

use std::time::Duration;

use agent::postprocess::Applied;
use agent::stats::{Event, How, Stats};

use super::project::Project;

const FILE: &str = ".local/state/agent/stats.json";

/// Counts ten suggestions as an editor's server does, in a file of its own process.
fn count(project: &Project, model: &str) {
    let stats = Stats::open(Some(project.home(FILE)), true);
    stats.set_model(model);
    for number in 0..10 {
        let latency = Duration::from_millis(100 * (number + 1));
        let from_cache = number == 0;
        stats.record(Event::Shown { characters: 20, lines: 2, latency, from_cache, again: false });
        let dropped = if number < 4 { 0 } else { 5 };
        stats.record(Event::Cleaned(&[Applied { pass: "gate", bytes: (9, dropped) }]));
    }
    stats.record(Event::Accepted { how: How::Whole, characters: 20 });
    stats.record(Event::Accepted { how: How::Part, characters: 7 });
    stats.record(Event::Retained { characters: 18, standing: 9 });
}

#[test]
fn with_nothing_counted_it_says_so_where_it_would_be_and_how_to_turn_it_off() {
    let project = Project::new(&[]);
    let run = project.run(&["stats"]);
    assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{run:?}");
    for said in ["nothing was counted yet", "stats.json", "nothing is sent", "`stats = false`"] {
        assert!(run.stdout.contains(said), "{said}: {run:?}");
    }
    let object = project.run(&["stats", "--json"]).json();
    assert_eq!((&object["enabled"], &object["total"]["shown"]), (&true.into(), &0.into()));
    assert!(
        object["since"].is_null() && object["total"]["latency_ms"]["p50"].is_null(),
        "{object}"
    );
    assert!(!project.home(".local/state").exists(), "looking writes nothing");
}

#[test]
fn what_several_processes_counted_is_told_in_words_and_numbers() {
    let project = Project::new(&[]);
    count(&project, "/srv/models/tiny.gguf");
    count(&project, "large");
    let run = project.run(&["stats"]);
    assert_eq!(run.code, 0, "{run:?}");
    for said in [
        "20 suggestions, 40 lines, 400 characters",
        "4 of 20 (20 %): 2 whole, 2 in part; 54 characters",
        "18 of 36 (50 %) characters after 30 seconds",
        "2 of 20 (10 %) answers",
        "passes over 20 raw answers",
        "dropped      8 ( 40 %)",
        "\n  tiny ",
        "\nby day ",
    ] {
        assert!(run.stdout.contains(said), "{said}: {}", run.stdout);
    }
    assert!(!run.stdout.contains("ann"), "{}", run.stdout);

    let object = project.run(&["stats", "--json", "--days", "2"]).json();
    let total = &object["total"];
    assert_eq!((&total["shown"], &total["accepted"]), (&20.into(), &4.into()), "{object}");
    assert_eq!((&total["cache_hits"], &total["cache_misses"]), (&2.into(), &18.into()));
    assert_eq!(total["passes"]["gate"]["dropped"], 8);
    let near = |name: &str, wanted: f64| {
        let told = total["latency_ms"][name].as_f64().unwrap();
        assert!((told - wanted).abs() <= 0.05 * wanted, "{name}: {told}");
    };
    near("p50", 500.0);
    near("p95", 1000.0);
    assert_eq!(object["by_model"], serde_json::json!({}), "models are not told by day");
    let object = project.run(&["stats", "--json"]).json();
    assert_eq!(object["by_model"]["large"]["shown"], 10);
}

#[test]
fn a_reset_removes_what_was_counted() {
    let project = Project::new(&[]);
    assert_eq!(project.run(&["stats", "--reset", "--json"]).json()["removed"], false);
    count(&project, "tiny");
    let run = project.run(&["stats", "--reset"]);
    assert!(run.code == 0 && run.stderr.contains("stats.json: removed"), "{run:?}");
    assert!(!project.home(FILE).exists());
    assert!(project.run(&["stats"]).stdout.contains("nothing was counted yet"));
    assert_eq!(project.run(&["stats", "--days", "31"]).code, 2);
}

#[test]
fn a_damaged_file_is_named_with_what_removes_it() {
    let project = Project::new(&[]);
    count(&project, "tiny");
    std::fs::write(project.home(FILE), "{\"schema\":1,").unwrap();
    let run = project.run(&["stats"]);
    assert_eq!(run.code, 2, "{run:?}");
    for said in ["stats.json: damaged: ", "line 1 column", "agent stats --reset"] {
        assert!(run.stderr.contains(said), "{said}: {run:?}");
    }
    assert_eq!(project.run(&["stats", "--json"]).json()["exit_code"], 2);
    assert_eq!(project.run(&["stats", "--reset"]).code, 0);
    assert_eq!(project.run(&["stats"]).code, 0);
}

#[test]
fn only_the_user_switches_it() {
    let project = Project::new(&[("agent.toml", "stats = true\n")]);
    let user = project.home(".config/agent");
    std::fs::create_dir_all(&user).unwrap();
    std::fs::write(user.join("agent.toml"), "stats = false\n").unwrap();
    let run = project.run(&["stats"]);
    assert!(run.stdout.contains("counting is off"), "{run:?}");
    assert!(run.stderr.contains("agent.toml:1: stats: ignored"), "{run:?}");
}
