//! Writes tests for an item that compile and pass on today's code.
//!
//! Most of it needs no model: the code is called with simple arguments in the sandbox, and what
//! it did becomes the assertions. Such tests notice a change of behaviour; they do not say that
//! the behaviour is right, and their header says so. An instruct model may add tests of its own,
//! which are kept only if they pass three times.

mod python;
mod rust;

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Outcome, TaskError, Tools, chat, counted, fix, shown, target, target::Target};
use crate::check::judge::Judge;
use crate::check::{CheckError, Level, Proof, TestRun};
use crate::document::Document;
use crate::postprocess::reply;
use crate::syntax::Language;
use crate::syntax::outline::{Item, ItemKind};

/// The most functions of one run.
const MAX_FUNCTIONS: usize = 10;
/// How often a model's test must pass in a row.
const RUNS: usize = 3;
/// Answers that a model is asked for.
const CANDIDATES: usize = 3;

/// Writes tests for `target`: a function, the methods of a type, or the public functions of the
/// file. Project code is executed, so the workspace must be trusted. When nothing could be
/// written, the outcome has an empty proposal and says why.
pub async fn run(
    tools: &Tools,
    document: &Document,
    target: &Target,
) -> Result<Outcome, TaskError> {
    let write = match document.language().map(Language::name) {
        Some("python") => Writer::Python,
        Some("rust") => Writer::Rust,
        other => {
            let what = other.unwrap_or("files without a known language");
            return Ok(nothing(&format!("they are written for Rust and Python, not for {what}")));
        }
    };
    let functions = functions(document, target)?;
    let settings = Arc::clone(&tools.check);
    let judge = Judge::open(settings, &tools.workspace, document, &[], None, &tools.report).await?;
    let mut bench = Bench { tools, document, judge };
    match write {
        Writer::Python => python::write(&mut bench, &functions).await,
        Writer::Rust => rust::write(&mut bench, &functions).await,
    }
}

/// The languages that tests are written in.
enum Writer {
    Python,
    Rust,
}

/// What both languages work with.
struct Bench<'a> {
    tools: &'a Tools,
    document: &'a Document,
    judge: Judge,
}

impl Bench<'_> {
    /// The tests a model writes for `item`, as code; empty without an instruct model. `framework`
    /// and `usage` say how tests are written here.
    async fn ask(
        &self,
        item: &Item,
        framework: &str,
        usage: &str,
    ) -> Result<Vec<String>, TaskError> {
        if !chat::available(self.tools) {
            return Ok(Vec::new());
        }
        if let Err(why) = shown::check(self.tools, self.document) {
            (self.tools.report)(&format!("the model is not asked: {why}"));
            return Ok(Vec::new());
        }
        let Some(language) = self.document.language() else { return Ok(Vec::new()) };
        let code = item.span.of(&self.document.text).unwrap_or_default();
        let name = self.document.path.file_name().unwrap_or_default().to_string_lossy();
        let values = BTreeMap::from([
            ("language", language.name().to_owned()),
            ("path", name.into_owned()),
            ("name", full_name(item)),
            ("code", code.to_owned()),
            ("framework", framework.to_owned()),
            ("usage", usage.to_owned()),
        ]);
        (self.tools.report)(&format!("asking the model for tests of {}", full_name(item)));
        let answers = match chat::ask(self.tools, "test", &values, CANDIDATES, 1024).await {
            // What needs no model stands.
            Err(TaskError::Model(why)) => {
                (self.tools.report)(&format!("the model is not asked: {why}"));
                return Ok(Vec::new());
            }
            answers => answers?,
        };
        Ok(answers.iter().filter_map(|answer| reply::code(answer, language)).collect())
    }
}

/// The functions that `target` means, tests left out.
fn functions(document: &Document, target: &Target) -> Result<Vec<Item>, TaskError> {
    let items = document.items();
    let is_function =
        |item: &Item| matches!(item.kind, ItemKind::Function | ItemKind::Method) && !item.test;
    // A function of a function cannot be called from a test.
    let reachable = |item: &Item| {
        !items.iter().any(|outer| {
            is_function(outer) && outer.span != item.span && outer.span.covers(item.span)
        })
    };
    let all = || items.iter().filter(|item| is_function(item) && reachable(item));
    let chosen: Vec<Item> = match target::resolve(document, target)? {
        None => all().filter(|item| item.public && item.name != "main").cloned().collect(),
        Some(item) if item.test => {
            return Err(TaskError::Target(format!("{} is a test itself", item.name)));
        }
        Some(item) if is_function(&item) && reachable(&item) => vec![item],
        Some(item) if is_function(&item) => {
            all().filter(|outer| outer.span.covers(item.span)).take(1).cloned().collect()
        }
        Some(item) => {
            all().filter(|inner| item.span.covers(inner.span) && inner.public).cloned().collect()
        }
    };
    if chosen.is_empty() {
        return Err(TaskError::Target(
            "no function to test here: name one, or a place inside one".to_owned(),
        ));
    }
    Ok(chosen.into_iter().take(MAX_FUNCTIONS).collect())
}

fn nothing(reason: &str) -> Outcome {
    Outcome { message: format!("no tests were written: {reason}"), ..Outcome::default() }
}

fn full_name(item: &Item) -> String {
    match &item.owner {
        Some(owner) => format!("{owner}.{}", item.name),
        None => item.name.clone(),
    }
}

/// The evidence of a run of tests.
fn proof(run: &TestRun, tool: &str) -> Proof {
    let mut result = format!("{} passed", run.passed.len());
    fix::say_sandbox(&mut result, &run.enforcement);
    Proof { level: Level::Tests, tool: tool.to_owned(), command: run.command.clone(), result }
}

/// What the message says of suspected faults, which are never asserted.
fn suspects_note(suspects: &[String]) -> String {
    if suspects.is_empty() {
        return String::new();
    }
    format!("; look at what was not recorded: {}", suspects.join(", "))
}

/// A failure of a tool to run what was written, as opposed to a failure to run at all.
fn is_refusal(error: &CheckError) -> bool {
    matches!(error, CheckError::Tool { .. } | CheckError::Timeout { .. })
}
