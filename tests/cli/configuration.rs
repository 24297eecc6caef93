//! Options, trust, and the commands that show what is there.

use super::project::Project;

#[test]
fn unknown_and_wrong_options_are_reported_with_their_line_and_the_rest_is_used() {
    let project = Project::new(&[
        ("a.py", "x = \n"),
        ("agent.toml", "seed = 5\nspeed = 9\n\n[complete]\nmax_token = 3\ncandidates = \"two\"\n"),
    ]);
    let run = project.run(&["complete", "a.py:1:5", &project.filling(&["1"])]);
    assert_eq!((run.code, run.stdout.as_str()), (0, "1\n"), "{run:?}");
    for said in [
        "agent.toml:2: unknown option speed",
        "agent.toml:5: unknown option complete.max_token; is complete.max_tokens meant?",
        "agent.toml:6: complete.candidates: a text where a whole number is wanted",
    ] {
        assert!(run.stderr.contains(said), "{said} is not in {}", run.stderr);
    }
    let object = project.run(&["config", "--json"]).json();
    assert_eq!(object["options"]["seed"]["value"], 5);
    assert!(object["options"]["seed"]["set_by"].as_str().unwrap().ends_with("agent.toml:1"));
    assert_eq!(object["problems"].as_array().unwrap().len(), 3);
}

#[test]
fn an_empty_model_is_reported_and_the_default_is_used() {
    let project = Project::new(&[("agent.toml", "seed = 5\nmodel = \"\"\n")]);
    let run = project.run(&["config", "--json"]);
    assert!(run.stderr.contains("agent.toml:2: model: is empty"), "{run:?}");
    assert_eq!(run.json()["options"]["model"]["value"], serde_json::Value::Null);
}

#[test]
fn the_users_file_stands_below_the_workspaces() {
    let project = Project::new(&[("agent.toml", "seed = 2\n")]);
    let user = project.home(".config/agent");
    std::fs::create_dir_all(&user).unwrap();
    std::fs::write(user.join("agent.toml"), "seed = 1\nthreads = 1\n").unwrap();
    let options = &project.run(&["config", "--json"]).json()["options"];
    assert_eq!((&options["seed"]["value"], &options["threads"]["value"]), (&2.into(), &1.into()));
}

#[test]
fn a_workspace_names_programs_only_once_it_is_trusted() {
    let project = Project::new(&[("agent.toml", "[check]\npython = \"bin/python\"\n")]);
    let before = project.run(&["config", "--json"]);
    assert!(before.json()["options"]["check.python"]["value"].is_null());
    assert!(before.stderr.contains("agent.toml:2: check.python: ignored"), "{before:?}");

    assert_eq!(project.run(&["trust", "."]).code, 0);
    let listed = project.run(&["trust", "--list"]);
    let canonical = project.root().canonicalize().unwrap();
    assert_eq!(listed.stdout.trim_end(), canonical.to_str().unwrap());
    let after = project.run(&["config", "--json"]);
    assert!(after.json()["options"]["check.python"]["value"].as_str().is_some());
    assert_eq!(after.stderr, "");

    assert_eq!(project.run(&["trust", ".", "--remove"]).code, 0);
    assert_eq!(project.run(&["trust", ".", "--remove"]).code, 1);
    assert_eq!(project.run(&["trust", "--list"]).stdout, "");
}

#[test]
fn models_of_configured_folders_are_listed_and_chosen_by_name() {
    let project = Project::new(&[
        ("models/tiny.gguf", "GGUF"),
        ("agent.toml", "models.directories = [\"models\"]\n"),
    ]);
    let run = project.run(&["model", "list"]);
    assert_eq!(run.code, 0, "{run:?}");
    assert!(run.stdout.lines().any(|line| line.starts_with("tiny ")), "{run:?}");
    let listed = project.run(&["model", "list", "--json"]).json();
    let names: Vec<&str> =
        listed["models"].as_array().unwrap().iter().map(|m| m["name"].as_str().unwrap()).collect();
    assert_eq!(names.contains(&"builtin"), cfg!(feature = "builtin-model"), "{names:?}");
    project.write("a.py", "x = \n");
    let run = project.run(&["complete", "a.py:1:5", "--model", "tiny"]);
    assert!(run.code == 2 && run.stderr.contains("tiny.gguf"), "{run:?}");
}

#[cfg(feature = "builtin-model")]
#[test]
fn the_doctor_names_and_measures_everything() {
    let project = Project::new(&[]);
    let run = project.run(&["doctor", "--json"]);
    let object = run.json();
    assert_eq!(run.code, 0, "{object}");
    assert_eq!(object["model"]["origin"], "built in");
    assert!(object["speed"]["prompt_tokens_per_second"].as_f64().unwrap() > 0.0, "{object}");
    assert!(object["speed"]["generated_tokens_per_second"].as_f64().unwrap() > 0.0, "{object}");
    assert!(object["sandbox"]["enforcement"].is_string() && object["tools"].is_object());
    assert_eq!(object["faults"], serde_json::json!([]));

    project.write("agent.toml", "speed = 1\n");
    let run = project.run(&["doctor"]);
    assert_eq!(run.code, 1, "{run:?}");
    assert!(run.stdout.contains("agent.toml:1: unknown option speed"), "{run:?}");
}

#[test]
fn the_doctor_lists_the_files_that_are_left_out() {
    let project = Project::new(&[
        ("agent.toml", "exclude = [\"vendor/\"]\n"),
        (".ignore", "out/\n"),
        (".env", "A=1\n"),
        ("a.py", "x = 1\n"),
        ("out/b.py", "x = 1\n"),
        ("vendor/c.py", "x = 1\n"),
        ("d.py", "API_KEY = 'q7Wz2LkP9vTn4XbR8sYd1MfH'\n"),
    ]);
    let run = project.run(&["doctor", "--files", "--json"]);
    let object = run.json();
    assert_eq!((run.code, &object["read"]), (0, &serde_json::json!(1)), "{object}");
    let reason = |path: &str| {
        let left_out = object["left_out"].as_array().unwrap();
        left_out.iter().find(|one| one["path"] == path).map(|one| one["reason"].clone()).unwrap()
    };
    assert_eq!(reason(".env"), "secret by its name");
    assert_eq!(reason("out"), "ignored by git or .ignore");
    assert_eq!(reason("vendor/c.py"), "excluded by the configuration");
    assert_eq!(reason("d.py"), "holds a secret");
    assert_eq!(object["reasons"]["holds a secret"], 1);
    let run = project.run(&["doctor", "--files"]);
    assert!(run.stdout.lines().any(|line| line.ends_with(" d.py")), "{run:?}");
}

#[cfg(all(unix, feature = "builtin-model"))]
#[test]
fn the_doctor_starts_no_program_of_a_project_before_it_is_trusted() {
    use std::os::unix::fs::PermissionsExt;

    let project = Project::new(&[("pyproject.toml", "")]);
    let marker = project.path("started");
    let script = format!("#!/bin/sh\ntouch '{}'\necho Python 9.9\n", marker.display());
    project.write(".venv/bin/python", &script);
    let python = project.path(".venv/bin/python");
    std::fs::set_permissions(python, std::fs::Permissions::from_mode(0o755)).unwrap();
    let run = project.run(&["doctor"]);
    assert!(!marker.exists() && run.stdout.contains("not trusted"), "{run:?}");
    assert_eq!(project.run(&["trust", "."]).code, 0);
    let run = project.run(&["doctor"]);
    assert!(marker.exists() && run.stdout.contains("Python 9.9"), "{run:?}");
}

#[test]
fn a_cache_folder_that_cannot_be_written_to_is_named_with_what_moves_it() {
    let project = Project::new(&[("m.py", "x = (1\n")]);
    let model = project.filling(&["x"]);
    std::fs::create_dir_all(project.home("")).unwrap();
    std::fs::write(project.home(".cache"), "not a folder").unwrap();
    let cache = project.home(".cache/agent").display().to_string();
    let run = project.run(&["doctor", &model]);
    assert_eq!(run.code, 1, "{run:?}");
    for said in [&*cache, "cannot be written to"] {
        assert!(run.stdout.contains(said), "{said}: {run:?}");
    }
    let run = project.run(&["fix", "m.py", &model]);
    assert_eq!(run.code, 2, "{run:?}");
    assert!(run.stderr.contains(&cache), "{run:?}");
    if cfg!(unix) {
        assert!(run.stderr.contains("XDG_CACHE_HOME"), "{run:?}");
    }
}
