//! The rules of the house, read off the source: who may use whom, and what every file looks like.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

#[path = "tidy/source.rs"]
mod source;

use source::{Source, all_rust_files, blanked, files, root, says, sources};

/// What each module may use of ours. `lib.rs` tells the order; here it is enforced.
const LAYERS: &[(&str, &[&str])] = &[
    ("text", &[]),
    ("syntax", &["text"]),
    ("document", &["text", "syntax"]),
    ("workspace", &["text", "syntax", "document"]),
    ("context", &["text", "syntax", "document", "workspace"]),
    ("prompt", &["text", "syntax", "context"]),
    ("engine", &[]),
    ("postprocess", &["text", "syntax"]),
    ("edit", &["text", "syntax", "document"]),
    ("check", &["text", "syntax", "document", "workspace", "edit"]),
    (
        "task",
        &[
            "text",
            "syntax",
            "document",
            "workspace",
            "context",
            "prompt",
            "engine",
            "postprocess",
            "edit",
            "check",
        ],
    ),
    ("models", &["engine"]),
    ("stats", &["text", "postprocess"]),
    ("config", &["text", "workspace", "context", "prompt", "engine", "check", "task", "models"]),
    (
        "lsp",
        &[
            "text",
            "syntax",
            "document",
            "workspace",
            "context",
            "prompt",
            "engine",
            "edit",
            "check",
            "task",
            "models",
            "stats",
            "config",
        ],
    ),
    (
        "cli",
        &[
            "text",
            "syntax",
            "document",
            "workspace",
            "context",
            "prompt",
            "engine",
            "edit",
            "check",
            "task",
            "models",
            "stats",
            "config",
            "lsp",
        ],
    ),
    // Test fixtures: no module uses it outside its tests.
    ("fixture", &["text"]),
];

/// Names from outside and the only places that may say them: a module, or a file of one.
const EXTERNALS: &[(&str, &[&str])] = &[
    ("similar", &["text/diff"]),
    ("tree_sitter", &["syntax"]),
    ("tree_sitter_rust", &["syntax"]),
    ("tree_sitter_python", &["syntax"]),
    ("tree_sitter_c", &["syntax"]),
    ("tree_sitter_cpp", &["syntax"]),
    ("tree_sitter_go", &["syntax"]),
    ("tree_sitter_java", &["syntax"]),
    ("tree_sitter_javascript", &["syntax"]),
    ("tree_sitter_typescript", &["syntax"]),
    ("git2", &["workspace"]),
    ("ignore::", &["workspace", "check/scratch"]),
    ("minijinja", &["prompt"]),
    ("minijinja_contrib", &["prompt"]),
    ("candle_core", &["engine"]),
    ("candle_nn", &["engine"]),
    ("candle_transformers", &["engine"]),
    ("tokenizers", &["engine"]),
    ("memmap2", &["engine"]),
    ("rand", &["engine"]),
    ("landlock", &["check/sandbox"]),
    ("seccompiler", &["check/sandbox"]),
    ("cargo_metadata", &["check"]),
    ("tower", &["lsp"]),
    ("tower_lsp", &["lsp"]),
    ("lsp_types", &["lsp"]),
    ("clap", &["cli"]),
    ("indicatif", &["cli"]),
    ("anyhow", &["cli", "lsp", "main"]),
    ("println!", &["cli"]),
    ("print!", &["cli"]),
    ("eprintln!", &["cli"]),
    ("eprint!", &["cli"]),
    // Running programs: one helper does it; the front ends look after their own process.
    ("std::process", &["check", "cli", "lsp", "main"]),
    ("tokio::process", &["check"]),
    (
        "std::fs",
        &[
            "workspace",
            "edit/apply",
            "check",
            "task/fix",
            "task/test",
            "models",
            "stats/store",
            "config",
            "cli",
            "lsp",
            "engine/gguf",
            "engine/cpu/saved",
        ],
    ),
    ("tokio::fs", &["cli", "lsp"]),
    ("std::env", &["check", "models", "config", "cli", "lsp", "main", "engine/pass/kernels"]),
    ("unsafe", &["engine/gguf", "engine/cpu", "engine/pass", "check/sandbox", "check/command"]),
];

/// Modules that compute and do nothing else: same input, same bytes out.
const PURE: &[&str] = &["text", "syntax", "context", "prompt", "postprocess"];

/// What a pure module must not say.
const IMPURE: &[&str] = &[
    "std::fs",
    "std::env",
    "stdin",
    "stdout",
    "stderr",
    "std::net",
    "std::process",
    "std::thread",
    "Mutex",
    "RwLock",
    "tokio",
    "async",
    "rand",
    "SystemTime",
    "Instant",
];

/// Longest source file, in lines.
const LONGEST_FILE: usize = 500;

#[test]
fn modules_use_only_what_stands_before_them() {
    let allowed: BTreeMap<&str, &[&str]> = LAYERS.iter().copied().collect();
    let mut faults = String::new();
    for file in sources() {
        let Some(module) = file.module().filter(|module| !matches!(*module, "lib" | "main")) else {
            continue;
        };
        let Some(allowed) = allowed.get(module) else {
            let _ = writeln!(faults, "{}:1: {module} has no layer; add it to the table", file.path);
            continue;
        };
        for (line, used) in file.uses() {
            if used != module
                && LAYERS.iter().any(|(known, _)| *known == used)
                && !allowed.contains(&&*used)
            {
                let _ = writeln!(faults, "{}:{line}: {module} must not use {used}", file.path);
            }
        }
    }
    none(&faults);
}

#[test]
fn names_from_outside_stay_where_they_belong() {
    let mut faults = String::new();
    for file in sources() {
        for (line, text) in file.code() {
            for (name, places) in EXTERNALS {
                if says(&text, name) && !file.lies_in(places) {
                    let _ = writeln!(
                        faults,
                        "{}:{line}: only {} may name {name}",
                        file.path,
                        places.join(", ")
                    );
                }
            }
        }
    }
    none(&faults);
}

#[test]
fn pure_modules_do_no_input_or_output_and_read_no_clock() {
    let mut faults = String::new();
    for file in sources().iter().filter(|file| file.lies_in(PURE)) {
        for (line, text) in file.code() {
            for name in IMPURE.iter().filter(|name| says(&text, name)) {
                let _ = writeln!(faults, "{}:{line}: a pure module names {name}", file.path);
            }
        }
    }
    none(&faults);
}

#[test]
fn every_file_opens_by_saying_what_it_is() {
    let mut faults = String::new();
    for file in all_rust_files() {
        if !file.text.starts_with("//! ") {
            let _ = writeln!(faults, "{}:1: does not open with a `//!` line", file.path);
        }
    }
    none(&faults);
}

#[test]
fn no_file_is_too_long() {
    let mut faults = String::new();
    for file in all_rust_files() {
        let lines = file.text.lines().count();
        if lines > LONGEST_FILE {
            let _ = writeln!(faults, "{}: {lines} lines; split it by topic", file.path);
        }
    }
    none(&faults);
}

#[test]
fn nothing_is_left_to_be_written_and_no_test_is_switched_off() {
    let unfinished = ["todo!", "unimplemented!"];
    let switched_off = ["#[ignore", "#[should_panic"];
    let mut faults = String::new();
    for file in all_rust_files().iter().filter(|file| file.path.starts_with("src/")) {
        for (line, code) in (1..).zip(blanked(&file.text).lines()) {
            let code = code.trim();
            if unfinished.iter().any(|name| says(code, name))
                || switched_off.iter().any(|name| code.starts_with(name))
            {
                let _ = writeln!(faults, "{}:{line}: {code}", file.path);
            }
        }
    }
    none(&faults);
}

#[test]
fn every_query_file_belongs_to_a_language_of_the_table() {
    let table = read("grammars/languages.toml");
    let compiled = read("src/syntax/language/sources.rs");
    // The folders of each language: those its row names, else the one of its own name.
    let mut folders: Vec<(&str, Vec<&str>)> = Vec::new();
    for line in table.lines() {
        if let Some(name) = line.strip_prefix("name = \"").and_then(|n| n.strip_suffix('"')) {
            folders.push((name, vec![name]));
        } else if let Some(list) = line.strip_prefix("queries = [") {
            let named = list.split('"').skip(1).step_by(2).collect();
            folders.last_mut().expect("a name before its queries").1 = named;
        }
    }
    assert!(!folders.is_empty(), "grammars/languages.toml names no language");
    let mut faults = String::new();
    for path in files(&root().join("grammars"), &["scm"]) {
        let name = |path: Option<&Path>| {
            path.and_then(Path::file_stem).unwrap_or_default().to_string_lossy().into_owned()
        };
        let (folder, file) = (name(path.parent()), name(Some(&path)));
        if !folders.iter().any(|(_, of)| of.contains(&&*folder)) {
            let _ = writeln!(faults, "{}: no row of languages.toml names it", path.display());
        }
        let listed = compiled.lines().any(|line| {
            let files = line.trim_start().strip_prefix(&format!("\"{folder}\":"));
            files.is_some_and(|files| files.contains(&format!("\"{file}\"")))
        });
        if !listed {
            let _ = writeln!(faults, "{}: QUERIES in sources.rs lacks it", path.display());
        }
    }
    for (name, of) in folders {
        for query in ["items", "scopes", "imports", "tests", "facts", "strict"] {
            let has =
                |folder: &&str| root().join(format!("grammars/{folder}/{query}.scm")).is_file();
            if !of.iter().any(has) {
                let _ = writeln!(faults, "{name}: no folder of its queries holds {query}.scm");
            }
        }
    }
    none(&faults);
}

#[test]
fn no_path_of_one_machine_is_written_down() {
    // Home folders of people and of build machines. Spelled in parts for the same reason as above.
    let paths =
        [["/ho", "me/"], ["/Us", "ers/"], ["/ro", "ot/"], ["/wo", "rk/"]].map(|p| p.concat());
    // Names that stand for anybody's folder in tests and documents.
    let anybody = ["a", "b", "u", "me", "you", "user", "USER", "ana"];
    let mut faults = String::new();
    let endings = &["rs", "toml", "scm", "md", "sh", "py", "lua", "ts", "json"];
    let folders =
        ["src", "tests", "benches", "grammars", "prompts", "tools", "editors", ".ci", "docs"];
    let listed = folders.iter().flat_map(|folder| files(&root().join(folder), endings));
    let top = ["Cargo.toml", "README.md", "CHANGELOG.md"].map(|name| root().join(name));
    for path in listed.chain(top).filter(|path| path.is_file()) {
        for (line, text) in (1..).zip(fs::read_to_string(&path).unwrap_or_default().lines()) {
            let found = paths.iter().any(|start| {
                text.match_indices(start.as_str()).any(|(at, _)| {
                    let own =
                        text[..at].ends_with(|c: char| c.is_alphanumeric() || c == '.' || c == '~');
                    let name = text[at + start.len()..].split(['/', '"', ' ', '`']).next();
                    !own && name.is_some_and(|name| !name.is_empty() && !anybody.contains(&name))
                })
            });
            if found {
                let _ = writeln!(faults, "{}:{line}: {}", path.display(), text.trim());
            }
        }
    }
    none(&faults);
}

#[test]
fn the_reader_of_source_sees_what_the_compiler_sees() {
    let file = Source {
        path: "src/text/diff.rs".to_owned(),
        text: [
            "//! crate::lsp is only spoken of here.",
            "use crate::{edit::{self, apply}, task};",
            "use super::super::check::Proof;",
            "use super::Span; // crate::cli",
            "fn f() { crate::engine::load(\"crate::models::x\") }",
            "#[cfg(test)]",
            "use crate::fixture;",
            "#[cfg(test)]",
            "mod tests {",
            "    use crate::document;",
            "    const X: &str = r#\"\n}\ncrate::cli\"#;",
            "}",
            "fn g(x: &crate::prompt::Prompt) {}",
        ]
        .join("\n"),
    };
    let used: Vec<(usize, String)> = file.uses();
    let names: Vec<(usize, &str)> =
        used.iter().map(|(line, name)| (*line, name.as_str())).collect();
    assert_eq!(names, [(2, "edit"), (2, "task"), (3, "check"), (5, "engine"), (15, "prompt")]);
    assert_eq!(
        blanked("a('\"', \"x\\\"y\", 'b: r#\"z\"#) // c\n/* d */e"),
        "a(   ,       , 'b:       )     \n       e"
    );
    assert!(says("use tree_sitter::Node;", "tree_sitter"));
    assert!(!says("use tree_sitter_rust::LANGUAGE;", "tree_sitter"));
    assert!(!says("eprintln!()", "println!"));
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn none(faults: &str) {
    assert!(faults.is_empty(), "\n{faults}");
}
