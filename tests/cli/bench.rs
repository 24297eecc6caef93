//! `agent bench` on the built-in model.

use super::project::Project;

#[test]
fn a_bench_gives_every_figure_it_names() {
    let project = Project::new(&[]);
    let arguments = ["bench", "builtin", "--repeats", "1", "--context", "256", "--json"];
    let report = project.run(&arguments).json();
    for key in [
        "prefill_tps",
        "decode_tps",
        "load_ms",
        "first_token_ms",
        "keystroke_ms",
        "step_ms",
        "verify_ms",
        "verify_last_ms",
        "one_ms",
        "four_ms",
        "tokenize_ms",
    ] {
        assert!(report[key].as_f64().is_some_and(|figure| figure > 0.0), "{key}: {report}");
    }
    assert!(report["rss_mb"].as_f64().is_some_and(|size| size > 1.0) || !cfg!(target_os = "linux"));
    let range = &report["spread"]["decode"];
    assert!(range[0].as_f64() <= range[1].as_f64(), "{report}");
}

#[test]
fn turns_are_answered_one_by_one() {
    let project = Project::new(&[]);
    let file = project.path("logits");
    let turns = format!("step\nmemory\nlogits {} 5 6 7\n", file.display());
    let arguments = ["bench", "builtin", "--context", "64", "--turns"];
    let run = project.run_with(&arguments, &turns);
    assert_eq!(run.code, 0, "{run:?}");
    assert_eq!(run.stdout.lines().count(), 4, "{run:?}");
    let last: serde_json::Value =
        serde_json::from_str(run.stdout.lines().next_back().unwrap()).unwrap();
    let size = std::fs::metadata(&file).unwrap().len();
    assert_eq!(last["rows"], 3);
    assert_eq!(last["columns"].as_u64().unwrap() * 3 * 4, size);
    let run = project.run_with(&arguments, "jump\n");
    assert_eq!(run.code, 2, "{run:?}");
    assert!(run.stderr.contains("jump"), "{run:?}");
}
