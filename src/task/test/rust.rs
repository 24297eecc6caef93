//! Tests for Rust: a probe module, laid into the scratch tree only, calls the functions with
//! simple values and prints what came of it; what two runs agree on becomes assertions.

use std::fmt::Write as _;
mod render;
mod signature;
mod values;

use std::collections::BTreeSet;

use super::{Bench, Outcome, RUNS, TaskError, counted, full_name, nothing, proof, suspects_note};
use crate::check::{CheckError, TestRun};
use crate::edit::Proposal;
use crate::syntax::SyntaxTree;
use crate::syntax::outline::{self, Item, ItemKind};
use crate::text::word::is_word;
use render::Call;
use signature::{Receiver, Signature};
use values::Values;

/// Calls per function that the probe makes, and how many of them are recorded.
const MAX_PROBED: usize = 16;
const MAX_RECORDED: usize = 6;
/// Words in a body that make a result depend on more than the arguments.
const IMPURE: [&str; 8] =
    ["SystemTime", "Instant::", "rand", "env::", "::now(", "thread::", "File::", "temp_dir"];

/// A function with the calls that are tried.
struct Subject {
    name: String,
    test: String,
    calls: Vec<Call>,
    /// Whether results may be asserted.
    pure: bool,
}

pub(super) async fn write(bench: &mut Bench<'_>, functions: &[Item]) -> Result<Outcome, TaskError> {
    let items = bench.document.items();
    let mut reasons = Vec::new();
    let mut subjects = Vec::new();
    for function in functions {
        match subject(function, items, &bench.document.text) {
            Ok(subject) => subjects.push(subject),
            Err(why) => reasons.push(format!("{}: {why}", full_name(function))),
        }
    }
    let mut tests = Vec::new();
    let mut suspects = Vec::new();
    for subject in &subjects {
        (bench.tools.report)(&format!("calling {} in the sandbox", subject.name));
        match record(bench, subject).await? {
            Ok(recorded) => {
                suspects.extend(recorded.suspects);
                if recorded.statements.is_empty() {
                    let why = "no call came to an end without a panic";
                    reasons.push(format!("{}: {why}", subject.name));
                } else {
                    tests.push(test_function(&subject.test, &recorded.statements));
                }
            }
            Err(why) => reasons.push(format!("{}: {why}", subject.name)),
        }
    }

    let mut best = None;
    if !tests.is_empty() {
        match verify(bench, items, &tests, Some("current_behaviour"), 1).await? {
            Ok((proposal, run)) => best = Some((proposal, run)),
            Err(why) => {
                reasons.push(why);
                tests.clear();
            }
        }
    }
    let recorded = tests.len();
    if let Some(found) = model_tests(bench, functions, items, &tests).await? {
        best = Some(found);
    }
    let Some((proposal, run)) = best else {
        let reason = reasons.join("; ");
        return Ok(nothing(&format!("{reason}{}", suspects_note(&suspects))));
    };
    let names: Vec<String> = functions.iter().map(full_name).collect();
    let written = run.passed.len().saturating_sub(recorded);
    let by_model = if written > 0 { " and tests by the model" } else { "" };
    Ok(Outcome {
        message: format!(
            "{} for {}{by_model}; recorded ones say what the code does today, which need not be \
             right{}",
            counted(recorded, "recorded test"),
            names.join(", "),
            suspects_note(&suspects)
        ),
        proposal,
        verified: true,
        proof: vec![proof(&run, "cargo test")],
    })
}

/// The calls to try, or why there are none.
fn subject(function: &Item, items: &[Item], text: &str) -> Result<Subject, String> {
    let signature = signature::read(function, text)?;
    let values = Values::new(items, text, function);
    let body = function.body.and_then(|body| body.of(text)).unwrap_or_default();
    let owner_kind = function.owner.as_ref().and_then(|owner| {
        let is_owner = |item: &&Item| item.name == *owner && item.span.covers(function.span);
        items.iter().filter(is_owner).map(|item| item.kind).next_back()
    });
    if owner_kind == Some(ItemKind::Interface) {
        return Err("it is a method of a trait".to_owned());
    }
    let path = match &function.owner {
        Some(owner) => format!("{owner}::{}", function.name),
        None => function.name.clone(),
    };
    let objects = match (signature.receiver, &function.owner) {
        (Some(_), Some(owner)) => values.objects(owner),
        _ => vec![String::new()],
    };
    if objects.is_empty() {
        let owner = function.owner.as_deref().unwrap_or_default();
        return Err(format!("no simple way to make a {owner} was found"));
    }
    let mut choices = Vec::new();
    for kind in &signature.parameters {
        let found = values.of(kind);
        if found.is_empty() {
            return Err(format!("no simple value of type {kind} is known"));
        }
        choices.push(found);
    }
    let mut calls: Vec<Call> = Vec::new();
    for object in objects.iter().take(3) {
        for arguments in combinations(&choices) {
            let call = call(&signature, function, &path, object, &arguments);
            if calls.len() < MAX_PROBED && !calls.contains(&call) {
                calls.push(call);
            }
        }
    }
    Ok(Subject {
        name: full_name(function),
        test: render::test_name(function, items),
        calls,
        pure: !IMPURE.iter().any(|word| body.contains(word)),
    })
}

/// Every value once, the parameters turning with each other; then what pairs are left, up to a
/// limit.
fn combinations(choices: &[Vec<String>]) -> Vec<Vec<String>> {
    let longest = choices.iter().map(Vec::len).max().unwrap_or(1);
    let pick = |turn: usize, stride: usize| -> Vec<String> {
        let of = |(at, values): (usize, &Vec<String>)| {
            values.get((turn + turn * at * stride) % values.len()).cloned().unwrap_or_default()
        };
        choices.iter().enumerate().map(of).collect()
    };
    let mut found: Vec<Vec<String>> = Vec::new();
    for stride in 0..3 {
        for turn in 0..longest {
            let arguments = pick(turn, stride);
            if !found.contains(&arguments) {
                found.push(arguments);
            }
        }
    }
    found
}

fn call(
    signature: &Signature,
    function: &Item,
    path: &str,
    object: &str,
    arguments: &[String],
) -> Call {
    let mut setup = Vec::new();
    let mut observed = None;
    let mut arguments = arguments.to_vec();
    let gives_nothing = signature.result == "()";
    let mut kind = signature.result.clone();
    for (argument, of) in arguments.iter_mut().zip(&signature.parameters) {
        if let Some(value) = argument.strip_prefix("&mut ") {
            let name = if observed.is_none() { "argument" } else { continue };
            let value =
                if value.starts_with('[') { format!("vec!{value}") } else { value.to_owned() };
            setup.push(format!("let mut {name} = {value};"));
            *argument = format!("&mut {name}");
            if gives_nothing {
                observed = Some(name.to_owned());
                let of = of.trim_start_matches('&').trim().trim_start_matches("mut ");
                let slice = of.strip_prefix('[').and_then(|of| of.strip_suffix(']'));
                kind = slice.map_or_else(|| of.to_owned(), |of| format!("Vec<{of}>"));
            }
        }
    }
    let list = arguments.join(", ");
    let expression = match signature.receiver {
        None => format!("{path}({list})"),
        Some(Receiver::Shared) => format!("{object}.{}({list})", function.name),
        Some(Receiver::Changing) => {
            setup.push(format!("let mut subject = {object};"));
            if gives_nothing && observed.is_none() {
                observed = Some("subject".to_owned());
                kind = function.owner.clone().unwrap_or_default();
            }
            format!("subject.{}({list})", function.name)
        }
    };
    if kind == "Self" {
        kind = function.owner.clone().unwrap_or_default();
    }
    Call { setup, expression, observed, kind, gives_nothing }
}

/// What was recorded of a function.
struct Recorded {
    /// Statements, a group for each call.
    statements: Vec<Vec<String>>,
    suspects: Vec<String>,
}

/// Runs the probe twice and keeps what both runs agree on.
async fn record(
    bench: &mut Bench<'_>,
    subject: &Subject,
) -> Result<Result<Recorded, String>, TaskError> {
    let root = bench.tools.workspace.root().to_owned();
    let text = format!("{}\n{}", bench.document.text, render::probe(&subject.calls));
    let proposal = Proposal::of_document("", bench.document, &root, text);
    bench.judge.lay(&proposal)?;
    let mut agreed: Option<Vec<Option<render::Outcome>>> = None;
    for _ in 0..2 {
        let run = match bench.judge.test(None, Some(&format!("{}::", render::PROBE))).await {
            Err(CheckError::Tool { message, .. }) => return Ok(Err(compile_error(&message))),
            other => other?,
        };
        let outcomes = render::outcomes(&run.output, subject.calls.len());
        if outcomes.iter().all(Option::is_none) {
            return Ok(Err(compile_error(&run.output)));
        }
        agreed = Some(match agreed {
            None => outcomes,
            Some(before) => {
                let same = |(a, b): (_, _)| if a == b { a } else { Some(render::Outcome::Opaque) };
                before.into_iter().zip(outcomes).map(same).collect()
            }
        });
    }
    bench.judge.restore()?;

    let tree = bench.judge.scratch().tree().to_string_lossy().into_owned();
    let mut recorded = Recorded { statements: Vec::new(), suspects: Vec::new() };
    let mut seen = BTreeSet::new();
    let mut repeated = Vec::new();
    for (call, outcome) in subject.calls.iter().zip(agreed.unwrap_or_default()) {
        let outcome = match outcome {
            None => continue,
            Some(render::Outcome::Panic) => {
                recorded.suspects.push(format!("{} panics", call.expression));
                continue;
            }
            Some(render::Outcome::Hang) => {
                recorded.suspects.push(format!("{} does not come to an end", call.expression));
                continue;
            }
            Some(render::Outcome::Value(text))
                if !subject.pure || !render::is_stable(&text, &tree) =>
            {
                render::Outcome::Opaque
            }
            Some(outcome) => outcome,
        };
        let key = format!("{outcome:?}");
        let group = render::assertion(call, &outcome);
        if seen.insert(key) {
            recorded.statements.push(group);
        } else if outcome != render::Outcome::Opaque {
            repeated.push(group);
        }
    }
    // Every kind of outcome once; then more of the same.
    recorded.statements.extend(repeated);
    recorded.statements.truncate(MAX_RECORDED);
    recorded.suspects.truncate(3);
    Ok(Ok(recorded))
}

/// The first error in a tool's output.
fn compile_error(output: &str) -> String {
    let error = output.lines().find(|line| line.trim_start().starts_with("error"));
    let said = error.or_else(|| output.lines().find(|line| !line.trim().is_empty()));
    format!(
        "calls with simple values do not compile here ({})",
        said.unwrap_or("no message").trim()
    )
}

fn test_function(name: &str, groups: &[Vec<String>]) -> String {
    let mut out = String::from(
        "/// Records what the code did when this was written; not a specification.\n#[test]\n",
    );
    let _ = writeln!(out, "fn {name}() {{");
    for group in groups {
        // Variables of one call must not be those of the next.
        let scoped = groups.len() > 1 && group.len() > 1;
        let indent = if scoped { "        " } else { "    " };
        if scoped {
            out.push_str("    {\n");
        }
        for line in group {
            let _ = writeln!(out, "{indent}{line}");
        }
        if scoped {
            out.push_str("    }\n");
        }
    }
    out.push('}');
    out
}

/// The proposal with `tests`, and a run in which all of them pass, `runs` times in a row; or why
/// they do not. Only tests whose names hold `filter` are run.
async fn verify(
    bench: &mut Bench<'_>,
    items: &[Item],
    tests: &[String],
    filter: Option<&str>,
    runs: usize,
) -> Result<Result<(Proposal, TestRun), String>, TaskError> {
    let root = bench.tools.workspace.root().to_owned();
    let text = render::with_tests(&bench.document.text, items, tests);
    let proposal = Proposal::of_document("Add tests", bench.document, &root, text);
    let names: Vec<&str> = tests.iter().filter_map(|test| name_of(test)).collect();
    bench.judge.lay(&proposal)?;
    let mut last = None;
    for _ in 0..runs {
        let mut run = match bench.judge.test(None, filter).await {
            Err(error) if super::is_refusal(&error) => return Ok(Err(error.to_string())),
            other => other?,
        };
        let is = |test: &String, name: &str| test.rsplit("::").next() == Some(name);
        let passes = |name: &&str| {
            run.passed.iter().any(|test| is(test, name))
                && !run.failed.iter().any(|test| is(test, name))
        };
        if let Some(failed) = names.iter().find(|name| !passes(name)) {
            let why = if run.failed.is_empty() {
                compile_error(&run.output)
            } else {
                (*failed).to_owned()
            };
            return Ok(Err(format!("the new tests do not pass: {why}")));
        }
        run.passed.retain(|test| names.iter().any(|name| is(test, name)));
        run.passed.sort_unstable();
        run.passed.dedup();
        last = Some(run);
    }
    Ok(last.map(|run| (proposal, run)).ok_or_else(|| "nothing was run".to_owned()))
}

/// The name of a test function.
fn name_of(test: &str) -> Option<&str> {
    test.split("fn ").nth(1)?.split(|c| !is_word(c)).next()
}

/// The tests of a model that pass with the recorded ones, three times in a row.
async fn model_tests(
    bench: &mut Bench<'_>,
    functions: &[Item],
    items: &[Item],
    recorded: &[String],
) -> Result<Option<(Proposal, TestRun)>, TaskError> {
    let ([item], Some(language)) = (functions, bench.document.language()) else { return Ok(None) };
    let usage = "The tests stand in a module of the same file that has `use super::*;`.";
    for answer in bench.ask(item, "#[test] functions", usage).await? {
        let tree = SyntaxTree::parse(language, &answer);
        let new = render::tests_in(&answer, &outline::items(&tree, &answer));
        if new.is_empty() {
            continue;
        }
        let tests: Vec<String> = recorded.iter().cloned().chain(new).collect();
        if let Ok(found) = verify(bench, items, &tests, None, RUNS).await? {
            return Ok(Some(found));
        }
    }
    Ok(None)
}
