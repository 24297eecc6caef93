//! Tests for Python: a recorder calls the functions in the sandbox three times, and what was the
//! same each time becomes a test file.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::{Bench, Outcome, RUNS, TaskError, counted, full_name, nothing, proof, suspects_note};
use crate::check::TestRun;
use crate::check::command::Invocation;
use crate::check::scratch::Scratch;
use crate::edit::{FileChange, Proposal};
use crate::syntax::outline::Item;
use crate::text::word::is_word;

mod render;

/// The recorder; says itself what it does.
const RECORDER: &str = include_str!("record.py");

/// What the recorder prints.
#[derive(Debug, Deserialize)]
struct Recording {
    error: Option<String>,
    pytest: bool,
    targets: Vec<Recorded>,
}

/// One function.
#[derive(Debug, Clone, Deserialize)]
struct Recorded {
    name: String,
    cases: Vec<Case>,
    imports: Vec<String>,
    suspects: Vec<String>,
    reason: Option<String>,
}

/// One call and what came of it.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
enum Case {
    /// A value that can be written down.
    Value { call: String, value: String, float: bool },
    /// A value of which only the type, and perhaps the length, is asserted.
    Type {
        call: String,
        #[serde(rename = "type")]
        type_name: String,
        len: Option<usize>,
    },
    /// An exception that the module raises on purpose.
    Raises { call: String, exception: String },
    /// A changed first argument, called `argument`.
    Mutates { call: String, before: String, after: String },
}

/// Where a module lies and how it is imported; paths are the user's.
struct Module {
    /// The folder that must be on the module path.
    folder: PathBuf,
    dotted: String,
}

pub(super) async fn write(bench: &mut Bench<'_>, functions: &[Item]) -> Result<Outcome, TaskError> {
    let path = bench.judge.path().to_owned();
    let root = bench.judge.scratch().root().to_owned();
    let Some(module) = module_of(&root, &path) else {
        return Ok(nothing("the file's name cannot be imported as a module"));
    };
    let names: Vec<String> = functions.iter().map(full_name).collect();
    (bench.tools.report)(&format!("calling {} in the sandbox", names.join(", ")));
    let mut recording = match record(bench, &module, &names).await? {
        Ok(recording) => recording,
        Err(reason) => return Ok(nothing(&reason)),
    };
    recording.targets.retain(|target| !target.cases.is_empty() || target.reason.is_some());

    let file = test_file(&root, &path, &module);
    let plan = render::Plan { module: &module, file: &file, pytest: recording.pytest };
    let mut own: Vec<Recorded> = recording.targets.clone();
    own.retain(|target| !target.cases.is_empty());
    let mut passed = None;
    // What fails in the test runner and not in the recorder depends on its surroundings.
    for _ in 0..2 {
        if own.is_empty() {
            break;
        }
        let text = render::file(&plan, &own, "");
        let run = run_tests(bench, &root, &file, text.clone()).await?;
        if run.success {
            passed = Some((text, run));
            break;
        }
        let failed: BTreeSet<&str> = run.failed.iter().map(String::as_str).collect();
        let before: usize = own.iter().map(|target| target.cases.len()).sum();
        for target in &mut own {
            let name = target.name.clone();
            let mut number = 0;
            target.cases.retain(|_| {
                number += 1;
                let test = render::test_name(&name, number);
                !failed.iter().any(|failed| failed.contains(&test))
            });
        }
        own.retain(|target| !target.cases.is_empty());
        if own.iter().map(|target| target.cases.len()).sum::<usize>() == before {
            break;
        }
    }

    let recorded = passed.as_ref().map_or(0, |(_, run)| run.passed.len());
    let mut written = 0;
    if let Some((text, run)) = model_tests(bench, functions, &plan, &own, &root).await? {
        written = run.passed.len().saturating_sub(recorded);
        passed = Some((text, run));
    }
    let Some((text, run)) = passed else {
        let reasons = recording.targets.iter().filter_map(|target| {
            target.reason.as_ref().map(|reason| format!("{}: {reason}", target.name))
        });
        let reasons: Vec<String> = reasons.collect();
        let reason = if reasons.is_empty() {
            "what was recorded does not pass in the test runner".to_owned()
        } else {
            reasons.join("; ")
        };
        let suspects: Vec<String> =
            recording.targets.iter().flat_map(|target| target.suspects.clone()).collect();
        return Ok(nothing(&format!("{reason}{}", suspects_note(&suspects))));
    };
    let suspects: Vec<String> =
        recording.targets.iter().flat_map(|target| target.suspects.clone()).collect();
    let by_model =
        if written > 0 { format!(", {written} of them by the model") } else { String::new() };
    let change = FileChange::new_file(file.clone(), &root, text);
    Ok(Outcome {
        message: format!(
            "{} for {}{by_model}; recorded ones say what the code does today, which need not be \
             right{}",
            counted(run.passed.len(), "test"),
            names.join(", "),
            suspects_note(&suspects)
        ),
        proposal: Proposal { title: format!("Test {}", names.join(", ")), changes: vec![change] },
        verified: true,
        proof: vec![proof(&run, if plan.pytest { "pytest" } else { "unittest" })],
    })
}

/// What three runs agree on, or why nothing can be recorded.
async fn record(
    bench: &Bench<'_>,
    module: &Module,
    names: &[String],
) -> Result<Result<Recording, String>, TaskError> {
    let mut agreed: Option<Recording> = None;
    for seed in 0..RUNS {
        let recording = match record_once(bench, module, names, seed).await? {
            Ok(recording) => recording,
            Err(reason) => return Ok(Err(reason)),
        };
        if let Some(error) = recording.error {
            return Ok(Err(error));
        }
        agreed = Some(match agreed {
            None => recording,
            Some(before) => intersection(before, &recording),
        });
    }
    Ok(agreed.ok_or_else(|| "nothing was recorded".to_owned()))
}

async fn record_once(
    bench: &Bench<'_>,
    module: &Module,
    names: &[String],
    seed: usize,
) -> Result<Result<Recording, String>, TaskError> {
    let scratch = bench.judge.scratch();
    let inside = |path: &Path| inside(scratch, path);
    let Some(python) = bench.judge.python() else {
        return Ok(Err("no Python was found".to_owned()));
    };
    let request = serde_json::json!({
        "file": inside(bench.judge.path()),
        "module": module.dotted,
        "path": [inside(&module.folder)],
        "tree": scratch.tree(),
        "targets": names,
    });
    let settings = &bench.tools.check;
    let invocation = Invocation::new(python.interpreter(), scratch.tree(), settings.timeout)
        .args(["-c", RECORDER])
        .arg(request.to_string())
        // A set or a hash in another order must not look like a fixed result.
        .env("PYTHONHASHSEED", seed.to_string())
        .env("PYTHONDONTWRITEBYTECODE", "1");
    let (output, _) = match python.run_python(settings, scratch, &invocation).await {
        Err(error) if super::is_refusal(&error) => return Ok(Err(error.to_string())),
        other => other?,
    };
    let line = output.stdout.lines().rev().find(|line| line.starts_with('{'));
    Ok(line.and_then(|line| serde_json::from_str(line).ok()).ok_or_else(|| {
        let said = output.stderr.lines().rev().find(|line| !line.trim().is_empty());
        format!(
            "calling it ended the interpreter ({}): {}",
            output.exit(),
            said.unwrap_or("no message")
        )
    }))
}

/// The cases that both recordings hold.
fn intersection(mut first: Recording, second: &Recording) -> Recording {
    for target in &mut first.targets {
        let same = second.targets.iter().find(|other| other.name == target.name);
        let had_cases = !target.cases.is_empty();
        target.cases.retain(|case| same.is_some_and(|other| other.cases.contains(case)));
        if had_cases && target.cases.is_empty() {
            target.reason = Some("its results differ from run to run".to_owned());
        }
    }
    first
}

/// The tests of a model that pass with the recorded ones, three times in a row.
async fn model_tests(
    bench: &mut Bench<'_>,
    functions: &[Item],
    plan: &render::Plan<'_>,
    own: &[Recorded],
    root: &Path,
) -> Result<Option<(String, TestRun)>, TaskError> {
    let [item] = functions else { return Ok(None) };
    let framework = if plan.pytest { "pytest" } else { "unittest" };
    let usage = format!("The module is imported as `{}`.", plan.module.dotted);
    for answer in bench.ask(item, framework, &usage).await? {
        let text = render::file(plan, own, &answer);
        let mut last = None;
        for _ in 0..RUNS {
            let run = run_tests(bench, root, plan.file, text.clone()).await?;
            let more = run.passed.len() > own.iter().map(|t| t.cases.len()).sum();
            last = Some(run).filter(|run| run.success && more);
            if last.is_none() {
                break;
            }
        }
        if let Some(run) = last {
            return Ok(Some((text, run)));
        }
    }
    Ok(None)
}

async fn run_tests(
    bench: &mut Bench<'_>,
    root: &Path,
    file: &Path,
    text: String,
) -> Result<TestRun, TaskError> {
    let change = FileChange::new_file(file.to_owned(), root, text);
    bench.judge.lay(&Proposal { title: String::new(), changes: vec![change] })?;
    Ok(bench.judge.test(Some(file), None).await?)
}

/// The module of the file at `path`: its package is the run of folders upwards with an
/// `__init__.py`. `None` for a name that cannot be imported.
fn module_of(root: &Path, path: &Path) -> Option<Module> {
    let stem = path.file_stem()?.to_str()?;
    let mut names = Vec::new();
    if stem != "__init__" {
        names.push(stem.to_owned());
    }
    let mut folder = path.parent()?;
    while folder != root && folder.starts_with(root) && folder.join("__init__.py").is_file() {
        names.push(folder.file_name()?.to_str()?.to_owned());
        folder = folder.parent()?;
    }
    let importable = |name: &String| {
        let mut letters = name.chars();
        letters.next().is_some_and(|c| c.is_alphabetic() || c == '_') && letters.all(is_word)
    };
    if names.is_empty() || !names.iter().all(importable) {
        return None;
    }
    names.reverse();
    Some(Module { folder: folder.to_owned(), dotted: names.join(".") })
}

/// Where the tests go: a name not taken, in the project's `tests` or `test` folder, beside the
/// module where other tests stand there or there is no project, else in a new `tests`.
fn test_file(root: &Path, path: &Path, module: &Module) -> PathBuf {
    const PROJECT: [&str; 5] = [".git", "pyproject.toml", "setup.py", "setup.cfg", "agent.toml"];
    let beside = path.parent().unwrap_or(root);
    let has_tests = |folder: &Path| {
        std::fs::read_dir(folder).into_iter().flatten().flatten().any(|entry| {
            let name = entry.file_name().to_string_lossy().into_owned();
            let python = Path::new(&name).extension().is_some_and(|ending| ending == "py");
            python && (name.starts_with("test_") || name.ends_with("_test.py"))
        })
    };
    let folder = ["tests", "test"]
        .iter()
        .map(|name| root.join(name))
        .find(|folder| folder.is_dir())
        .unwrap_or_else(|| {
            let is_project = PROJECT.iter().any(|mark| root.join(mark).exists());
            if is_project && !has_tests(beside) { root.join("tests") } else { beside.to_owned() }
        });
    let stem = module.dotted.rsplit('.').next().unwrap_or("module").trim_matches('_').to_owned();
    let mut number = 0;
    loop {
        let name = match number {
            0 => format!("test_{stem}.py"),
            1 => format!("test_{stem}_recorded.py"),
            _ => format!("test_{stem}_recorded_{number}.py"),
        };
        let file = folder.join(name);
        if !file.exists() {
            return file;
        }
        number += 1;
    }
}

/// The copy of a path of the user's.
fn inside(scratch: &Scratch, path: &Path) -> PathBuf {
    if path == scratch.root() {
        return scratch.tree().to_owned();
    }
    scratch.inside(path).unwrap_or_else(|| path.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(files: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for file in files {
            let path = folder.path().join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "").unwrap();
        }
        folder
    }

    #[test]
    fn a_module_is_named_from_the_top_of_its_package() {
        let folder = tree(&["src/shop/__init__.py", "src/shop/cart.py", "tool.py", "my-tool.py"]);
        let of = |path: &str| module_of(folder.path(), &folder.path().join(path));
        let cart = of("src/shop/cart.py").unwrap();
        assert_eq!((cart.dotted.as_str(), cart.folder), ("shop.cart", folder.path().join("src")));
        assert_eq!(of("src/shop/__init__.py").unwrap().dotted, "shop");
        assert_eq!(of("tool.py").unwrap().dotted, "tool");
        assert!(of("my-tool.py").is_none());
    }

    #[test]
    fn a_test_file_goes_where_tests_are_and_replaces_none() {
        let place = |files: &[&str], path: &str| {
            let folder = tree(files);
            let module = module_of(folder.path(), &folder.path().join(path)).unwrap();
            let file = test_file(folder.path(), &folder.path().join(path), &module);
            file.strip_prefix(folder.path()).unwrap().display().to_string()
        };
        assert_eq!(place(&["pyproject.toml", "a.py"], "a.py"), "tests/test_a.py");
        assert_eq!(place(&["setup.py", "a.py", "test/x.py"], "a.py"), "test/test_a.py");
        assert_eq!(place(&["setup.py", "p/a.py", "p/test_b.py"], "p/a.py"), "p/test_a.py");
        assert_eq!(place(&["a.py"], "a.py"), "test_a.py");
        assert_eq!(place(&["a.py", "test_a.py"], "a.py"), "test_a_recorded.py");
    }

    #[test]
    fn only_what_is_the_same_twice_is_kept() {
        let recording = |value: &str| -> Recording {
            let text = format!(
                r#"{{"error": null, "pytest": false, "targets": [{{"name": "f", "imports": ["f"],
                "suspects": [], "reason": null, "cases": [
                {{"call": "f(1)", "kind": "value", "value": "{value}", "type": "int", "float": false}},
                {{"call": "f(2)", "kind": "type", "type": "int"}}]}}]}}"#
            );
            serde_json::from_str(&text).unwrap()
        };
        let kept = intersection(recording("1"), &recording("2"));
        assert_eq!(kept.targets[0].cases.len(), 1);
        let kept = intersection(recording("1"), &recording("1"));
        assert_eq!(kept.targets[0].cases.len(), 2);
    }
}
