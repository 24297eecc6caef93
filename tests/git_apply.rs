//! Unified diffs are taken by the real `git apply` and give exactly the new text.

#![expect(clippy::print_stdout, reason = "a part that is skipped says so")]

use std::path::Path;
use std::process::{Command, Stdio};

use agent::text::diff::unified;
use proptest::prelude::*;

fn git_is_here() -> bool {
    let found = Command::new("git").arg("--version").stdout(Stdio::null()).status().is_ok();
    if !found {
        println!("skipped: git is not installed");
    }
    found
}

/// Applies the diff from `old` to `new` in an empty folder and returns what `path` then holds.
fn applied(path: &str, old: Option<&str>, new: &str) -> Result<String, String> {
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let file = folder.path().join(path);
    if let Some(parent) = file.parent() {
        std::fs::create_dir_all(parent).map_err(|error| error.to_string())?;
    }
    if let Some(old) = old {
        std::fs::write(&file, old).map_err(|error| error.to_string())?;
    }
    let diff = unified(path, old, new);
    if !diff.is_empty() {
        git_apply(folder.path(), &diff)?;
    }
    std::fs::read_to_string(&file).map_err(|error| error.to_string())
}

fn git_apply(folder: &Path, diff: &str) -> Result<(), String> {
    let patch = folder.join("the.patch");
    std::fs::write(&patch, diff).map_err(|error| error.to_string())?;
    let output = Command::new("git")
        .args(["-c", "core.autocrlf=false", "apply", "--whitespace=nowarn", "the.patch"])
        .current_dir(folder)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CEILING_DIRECTORIES", folder.parent().unwrap_or(folder))
        .output()
        .map_err(|error| error.to_string())?;
    if output.status.success() {
        Ok(())
    } else {
        Err(format!("{}\n{diff}", String::from_utf8_lossy(&output.stderr)))
    }
}

#[test]
fn git_takes_odd_names_and_files_without_lines() {
    if !git_is_here() {
        return;
    }
    for path in [
        "a.rs",
        "dir/two words.py",
        "gr\u{f6}\u{df}e.rs",
        "say \"hi\".py",
        "back\\slash.py",
        "tab\there.py",
    ] {
        for (old, new) in [
            (None, ""),
            (None, "x\n"),
            (None, "x"),
            (Some(""), "x"),
            (Some("x"), ""),
            (Some("x\r\ny\r\n"), "x\r\nz\r\n"),
            (Some("x\r\n"), "x\n"),
            (Some("x"), "x\n"),
        ] {
            assert_eq!(applied(path, old, new).as_deref(), Ok(new), "{path} {old:?}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]
    #[test]
    fn git_makes_the_new_text_of_any_diff(
        old in "([abc]\n|[ab]\r\n|é\n|\n){0,24}[ab]?",
        new in "([abc]\n|[ab]\r\n|é\n|\n){0,24}[ab]?",
    ) {
        if !git_is_here() {
            return Ok(());
        }
        let result = applied("src/file.rs", Some(&old), &new);
        prop_assert_eq!(result, Ok(new));
    }
}
