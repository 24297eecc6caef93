//! `agent complete`.

use serde_json::json;

use super::project::Project;

#[test]
fn the_suggestion_goes_to_standard_output_and_talk_to_standard_error() {
    let project = Project::new(&[("a.py", "def add(a, b):\n    return \n")]);
    let run = project.run(&["complete", "a.py:2:12", &project.filling(&["a + b"])]);
    assert_eq!((run.code, run.stdout.as_str()), (0, "a + b\n"), "{run:?}");
    assert!(run.stderr.contains("tokens"), "{run:?}");
}

#[test]
fn json_names_model_candidates_and_times() {
    let project = Project::new(&[("a.py", "def add(a, b):\n    return \n")]);
    let model = project.filling(&["a + b", "b + a"]);
    let run = project.run(&["complete", "a.py:2:12", "--json", "-n", "2", &model]);
    let object = run.json();
    assert_eq!(run.code, 0);
    let texts: Vec<&str> = object["candidates"]
        .as_array()
        .unwrap()
        .iter()
        .map(|candidate| candidate["text"].as_str().unwrap())
        .collect();
    assert!(texts.contains(&"a + b") && texts.contains(&"b + a"), "{object}");
    assert!(object["timing_ms"]["total"].as_f64().unwrap() > 0.0, "{object}");
    assert_eq!(object["model"]["origin"], "canned answers");
    assert!(object["trace"]["budget"].as_u64().unwrap() > 0, "{object}");
}

#[test]
fn without_a_suggestion_the_exit_code_is_1() {
    let project = Project::new(&[("a.py", "x = \n")]);
    let run = project.run(&["complete", "a.py:1:5", &project.filling(&[""])]);
    assert_eq!((run.code, run.stdout.as_str()), (1, ""), "{run:?}");
    let run = project.run(&["complete", "a.py:1:5", "--json", &project.filling(&[""])]);
    assert_eq!(run.code, 1);
    assert_eq!(run.json()["candidates"], json!([]));
}

#[test]
fn columns_count_characters_before_any_kind_of_line_end() {
    let project = Project::new(&[
        ("smile.py", "face = '😀ß'; face.\nlast = 1\n"),
        ("windows.py", "one = 1\r\nface = '😀'; face.\r\nlast = 1\r\n"),
    ]);
    // The model answers only when what follows the cursor starts with the line's end.
    let model = project.script(&json!({
        "rules": [
            {"when": "<SUFFIX>\nlast", "answers": ["upper()"]},
            {"when": "<SUFFIX>\r\nlast", "answers": ["upper()"]},
        ]
    }));
    for place in ["smile.py:1:19", "windows.py:2:18"] {
        let run = project.run(&["complete", place, &model]);
        assert_eq!((run.code, run.stdout.as_str()), (0, "upper()\n"), "{place}: {run:?}");
    }
    let beyond = project.run(&["complete", "windows.py:2:20", &model]);
    assert!(beyond.stderr.contains("its last column is 18"), "{beyond:?}");
}

#[test]
fn a_byte_order_mark_is_no_column() {
    let project = Project::new(&[("a.py", "\u{feff}one = \nlast = 1\n")]);
    let model = project.script(&json!({
        "rules": [{"when": "<SUFFIX>\nlast", "answers": ["1"]}]
    }));
    let run = project.run(&["complete", "a.py:1:7", &model]);
    assert_eq!((run.code, run.stdout.as_str()), (0, "1\n"), "{run:?}");
    let beyond = project.run(&["complete", "a.py:1:8", &model]);
    assert!(beyond.stderr.contains("its last column is 7"), "{beyond:?}");
}

#[test]
fn what_only_the_parser_takes_is_not_suggested() {
    let project = Project::new(&[("empty.rs", ""), ("a.rs", "pub fn fact(n: u64) {}\n")]);
    let run = project.run(&["complete", "empty.rs:1:1", &project.filling(&["self.0 = self.0;"])]);
    assert_eq!((run.code, run.stdout.as_str()), (1, ""), "{run:?}");
    let model = project.filling(&["ct(n: i32, b: i32) -> i32"]);
    let run = project.run(&["complete", "a.rs:1:10", &model]);
    assert_eq!((run.code, run.stdout.as_str()), (1, ""), "{run:?}");
}

#[test]
fn unsaved_text_is_read_from_standard_input_and_the_file_is_not() {
    let project = Project::new(&[("a.py", "this is not what is completed\n")]);
    let model = project.script(&json!({
        "rules": [{"when": "unsaved", "answers": ["1"]}]
    }));
    let text = "unsaved = \n";
    let run = project.run_with(&["complete", "a.py:1:11", "--stdin", &model], text);
    assert_eq!((run.code, run.stdout.as_str()), (0, "1\n"), "{run:?}");
    let run = project.run_with(&["complete", "new.py:1:11", "--stdin", &model], text);
    assert_eq!((run.code, run.stdout.as_str()), (0, "1\n"), "{run:?}");
}

#[test]
fn terminal_escapes_are_not_printed_whoever_wrote_them() {
    let project = Project::new(&[("a.py", "x = \n")]);
    let run = project.run(&["complete", "a.py:1:5", &project.filling(&["'\u{1b}[2Jboo'"])]);
    assert!(!run.stdout.contains('\u{1b}'), "{run:?}");
    let run = project.run(&["complete", "\u{1b}[2Jnone\u{202e}.py:1:5"]);
    assert!(run.stderr.starts_with("agent: none.py: "), "{run:?}");
}

#[cfg(feature = "builtin-model")]
#[test]
fn the_built_in_model_completes_and_says_the_same_twice() {
    let project = Project::new(&[(
        "a.py",
        "import os\n\n\ndef names(folder):\n    found = []\n    for name in os.listdir(folder):\n        found.\n    return found\n",
    )]);
    let run = || project.run(&["complete", "a.py:7:15", "--json", "-n", "3", "--seed", "7"]);
    let (first, second) = (run().json(), run().json());
    assert_eq!(first["candidates"], second["candidates"]);
    assert_eq!(first["model"]["name"], "builtin");
    assert!(first["usage"]["prompt_tokens"].as_u64().unwrap() > 10, "{first}");
    assert!(first["usage"]["generated_tokens"].as_u64().unwrap() > 0, "{first}");
}
