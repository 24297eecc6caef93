//! Rewrites an item by an instruction; needs an instruct model.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

use super::{Outcome, TaskError, Tools, chat, fix, place, shown, target};
use crate::check::guard;
use crate::check::judge::{Judge, Verdict};
use crate::check::{Findings, Level, Proof, Severity};
use crate::context;
use crate::document::Document;
use crate::edit::Proposal;
use crate::syntax::outline::Item;
use crate::text::Span;
use target::Target;

/// How often the model may try again with what was wrong.
const ROUNDS: usize = 3;
/// Answers per round.
const CANDIDATES: usize = 3;
/// Bytes of signatures of other files in the prompt.
const MAX_RELATED: usize = 4000;

/// Rewrites `target` as `instruction` says. The answer must be one item of the same kind and name;
/// it must parse, change nothing else, lose nothing public and leave nothing unfinished. In a
/// trusted workspace it must also compile without new errors, which makes it verified.
pub async fn run(
    tools: &Tools,
    document: &Document,
    target: &Target,
    instruction: &str,
) -> Result<Outcome, TaskError> {
    shown::check(tools, document)?;
    let Some(item) = target::resolve(document, target)? else {
        return Err(TaskError::Target(
            "a rewrite needs one item: name a function or type, or a place inside it".to_owned(),
        ));
    };
    let name = target::full_name(document, &item);
    let mut values = values(tools, document, &item, instruction);
    if !chat::available(tools) {
        // Says what kind of model is needed, before anything is built.
        chat::ask(tools, "rewrite", &values, 1, 1).await?;
    }
    let mut compiler = Compiler::open(tools, document).await?;

    let room = tools.engine.count(values.get("code").map_or("", String::as_str)) * 2 + 256;
    let mut problem = String::new();
    for round in 0..ROUNDS {
        values.insert("problem", problem.clone());
        (tools.report)(&format!("asking for a new {name} ({} of {ROUNDS})", round + 1));
        let answers = chat::ask(tools, "rewrite", &values, CANDIDATES, room).await?;
        let mut seen = BTreeSet::new();
        let mut problems = Vec::new();
        for answer in &answers {
            match place::place(document, &item, answer) {
                Err(why) => problems.push(why),
                Ok(text) if *text == *document.text => {
                    problems.push("the answer changes nothing".to_owned());
                }
                Ok(text) if seen.insert(text.clone()) => {
                    let title = format!("Rewrite {name}");
                    let proposal =
                        Proposal::of_document(&title, document, tools.workspace.root(), text);
                    match judge(&mut compiler, document, item.span, &proposal).await? {
                        Ok(evidence) => return Ok(outcome(&name, proposal, evidence)),
                        Err(why) => problems.push(why),
                    }
                }
                Ok(_) => {}
            }
        }
        problem = problems.into_iter().next().unwrap_or_else(|| "the answer was empty".to_owned());
    }
    Ok(Outcome {
        message: format!("{name} stays as it is: after {ROUNDS} rounds, {problem}"),
        ..Outcome::default()
    })
}

/// The compiler's view, where there is one and project code may be executed.
enum Compiler {
    Judge(Box<Judge>, Findings),
    /// Why the code is not compiled.
    None(&'static str),
}

impl Compiler {
    async fn open(tools: &Tools, document: &Document) -> Result<Self, TaskError> {
        if !tools.check.trusted {
            return Ok(Self::None("the workspace is not trusted"));
        }
        if !Judge::knows(document) {
            return Ok(Self::None("there is no checker for this kind of file"));
        }
        let settings = std::sync::Arc::clone(&tools.check);
        let judge =
            Judge::open(settings, &tools.workspace, document, &[], None, &tools.report).await?;
        (tools.report)("checking the code as it is");
        let base = judge.check().await?;
        Ok(Self::Judge(Box::new(judge), base))
    }
}

/// The proof that `proposal` does no harm, or why it does.
async fn judge(
    compiler: &mut Compiler,
    document: &Document,
    target: Span,
    proposal: &Proposal,
) -> Result<Result<Evidence, String>, TaskError> {
    let text = proposal.changes.first().map_or("", |change| change.text.as_str());
    let violations = guard::violations(document.language(), &document.text, text, Some(target));
    if let Some(violation) = violations.first() {
        return Ok(Err(violation.to_string()));
    }
    let (judge, base) = match compiler {
        Compiler::Judge(judge, base) => (judge, base),
        Compiler::None(why) => {
            let proof = Proof {
                level: Level::Syntax,
                tool: "tree-sitter".to_owned(),
                command: String::new(),
                result: format!("no new syntax errors; not compiled, {why}"),
            };
            let checked = format!("not compiled: {why}");
            return Ok(Ok(Evidence { proof: vec![proof], verified: false, checked }));
        }
    };
    let verdict: Verdict = judge.judge(base, &[], proposal).await?;
    Ok(if verdict.accepted { Ok(evidence(verdict)) } else { Err(verdict.reason()) })
}

/// What speaks for a rewrite.
struct Evidence {
    proof: Vec<Proof>,
    verified: bool,
    /// How far it was checked, in words.
    checked: String,
}

/// An error that was there before may have kept the compiler from looking at the new code.
fn evidence(verdict: Verdict) -> Evidence {
    let left = verdict.findings.iter().flat_map(|findings| &findings.diagnostics);
    let left = left.filter(|found| found.severity == Severity::Error).count();
    let mut checked = match left {
        0 => "checked".to_owned(),
        _ => format!("not fully checked: there are other errors ({left})"),
    };
    if let Some(findings) = &verdict.findings {
        fix::say_sandbox(&mut checked, &findings.enforcement);
    }
    Evidence { proof: verdict.proof, verified: left == 0, checked }
}

fn outcome(name: &str, proposal: Proposal, evidence: Evidence) -> Outcome {
    let Evidence { proof, verified, checked } = evidence;
    Outcome {
        verified,
        message: format!(
            "rewrote {name}; {checked}, but nothing proves that it does what was asked"
        ),
        proposal,
        proof,
    }
}

fn values(
    tools: &Tools,
    document: &Document,
    item: &Item,
    instruction: &str,
) -> BTreeMap<&'static str, String> {
    let path = display(tools, &document.path);
    let project = context::Project {
        repository: tools.workspace.name(),
        index: &tools.workspace.index(),
        source: &|_| None,
        activity: &context::Activity::default(),
    };
    // A token has about three bytes.
    let budget = MAX_RELATED * 2 / 3;
    let around = context::at(document, path.clone().into(), item.span, project, budget);
    let mut related = String::new();
    for excerpt in &around.related {
        if related.len() + excerpt.text.len() <= MAX_RELATED {
            let _ = writeln!(related, "{}:\n{}", excerpt.path.display(), excerpt.text);
        }
    }
    BTreeMap::from([
        ("language", document.language().map_or("", |l| l.name()).to_owned()),
        ("path", path),
        ("name", target::full_name(document, item)),
        ("code", item.span.of(&document.text).unwrap_or_default().to_owned()),
        ("instruction", instruction.trim().to_owned()),
        ("related", related.trim_end().to_owned()),
    ])
}

/// The file's path for the prompt: relative to the workspace, with `/`.
fn display(tools: &Tools, path: &Path) -> String {
    let relative = tools.workspace.relative(path).unwrap_or_else(|| path.to_owned());
    let parts: Vec<_> = relative.iter().map(|part| part.to_string_lossy()).collect();
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::engine::Engine;
    use crate::engine::scripted::{Rule, Script};
    use crate::workspace::Workspace;

    const CHATML: &str = "{% for m in messages %}{{ m.content }}\n{% endfor %}";

    fn scripted(rules: &[(&str, &[&str])]) -> Engine {
        let rule = |(when, answers): &(&str, &[&str])| Rule {
            when: (*when).to_owned(),
            answers: answers.iter().map(|answer| (*answer).to_owned()).collect(),
        };
        Engine::scripted(Script {
            rules: rules.iter().map(rule).collect(),
            chat_template: Some(CHATML.to_owned()),
            ..Script::default()
        })
    }

    async fn rewritten(rules: &[(&str, &[&str])]) -> Outcome {
        let folder = tempfile::tempdir().unwrap();
        let mut tools = crate::task::tests::tools(scripted(rules));
        tools.workspace = Arc::new(Workspace::new(folder.path().to_owned()));
        let text = "def one():\n    return 1\n\n\ndef two():\n    return 2\n".to_owned();
        let document = Document::new(tools.workspace.root().join("a.py"), None, 0, text);
        run(&tools, &document, &Target::Named("one".to_owned()), "Return 11.").await.unwrap()
    }

    #[tokio::test]
    async fn the_first_sound_candidate_is_placed() {
        let good = "```python\ndef one():\n    return 11\n```";
        let outcome =
            rewritten(&[("Return 11.", &["no code", "```python\ndef x(): ...\n```", good])]).await;
        let change = &outcome.proposal.changes[0];
        assert_eq!(change.text, "def one():\n    return 11\n\n\ndef two():\n    return 2\n");
        assert_eq!(change.display, "a.py");
        assert!(!outcome.verified, "nothing was executed: {outcome:?}");
    }

    #[tokio::test]
    async fn the_model_is_told_what_was_wrong() {
        let outcome = rewritten(&[
            ("the answer holds no function one", &["```python\ndef one():\n    return 11\n```"]),
            ("Return 11.", &["```python\ndef uno():\n    return 11\n```"]),
        ])
        .await;
        assert!(outcome.proposal.changes[0].text.contains("return 11"));
    }

    #[test]
    fn an_error_that_was_there_before_leaves_a_rewrite_unproved() {
        let old = crate::check::Diagnostic {
            path: "b.rs".into(),
            span: Span::empty(0),
            line: 1,
            severity: Severity::Error,
            code: String::new(),
            message: "expected `;`".to_owned(),
            tool: "rustc".to_owned(),
            suggestions: Vec::new(),
        };
        let verdict = |diagnostics| Verdict {
            accepted: true,
            proof: Vec::new(),
            remaining: Vec::new(),
            new: Vec::new(),
            violations: Vec::new(),
            findings: Some(Findings {
                diagnostics,
                proof: Vec::new(),
                enforcement: crate::check::sandbox::Enforcement::None("no Landlock".to_owned()),
            }),
        };
        let proved = evidence(verdict(Vec::new()));
        assert!(proved.verified);
        assert_eq!(proved.checked, "checked (sandbox: none: no Landlock)");
        assert!(!evidence(verdict(vec![old])).verified);
    }

    #[tokio::test]
    async fn nothing_changes_when_no_answer_is_sound() {
        let outcome = rewritten(&[("", &["```python\ndef one(:\n```"])]).await;
        assert!(outcome.proposal.is_empty() && !outcome.verified);
        assert!(outcome.message.starts_with("one stays as it is"), "{}", outcome.message);
    }
}
