//! Showing and applying what a task that changes code came to.

use std::path::{Path, PathBuf};

use serde_json::{Value as Json, json};

use super::arguments::{ChangeArgs, FileArgs, ModelArgs};
use super::failure::{self, Failure};
use super::position::Place;
use super::session::Session;
use super::{output, progress};
use crate::check::Proof;
use crate::edit::{Proposal, apply};
use crate::task::target::Target;
use crate::task::{Outcome, TaskError};

/// The help text of commands that change files.
pub(super) const HELP: &str = "\
The change is printed as a unified diff for `git apply`, everything else goes to standard error. \
Paths in the diff start at the root of the git repository; outside of one at the current folder, or, \
for a file that does not lie below it, at the root of the project. A diff is exact in a pipe; on a \
terminal, terminal escapes are left out of it.

Exit code 0: done and verified. 1: not verified, or the files changed meanwhile; nothing was changed \
and no diff is printed. 2: the command or the environment is at fault.

--json: {schema, model, verified, applied, diff, proof: [{level, tool, command, result}], message}; \
level is syntax, compile, types or tests. An unverified diff is shown here only.";

/// What commands that change files have in common. clap names a group after its type, so this one
/// must not be called `Args` too.
#[derive(Debug, clap::Args)]
pub(super) struct CommonArgs {
    #[command(flatten)]
    pub(super) file: FileArgs,
    #[command(flatten)]
    change: ChangeArgs,
    #[command(flatten)]
    model: ModelArgs,
}

impl CommonArgs {
    /// Runs `task` on what `target` makes of `place`, telling `doing` meanwhile, and shows what it
    /// came to. `executes` says whether the task may run project code.
    pub(super) fn run<T>(
        &self,
        place: &str,
        executes: bool,
        doing: &str,
        target: impl FnOnce(&Place, &Session) -> Result<T, Failure>,
        task: impl AsyncFnOnce(&Session, T) -> Result<Outcome, TaskError>,
    ) -> Result<u8, Failure> {
        let place = Place::parse(place)?;
        let session = Session::open(&place.path, self.file.stdin, &self.model.flags(), executes)?;
        let target = target(&place, &session).inspect_err(|_| session.progress.end())?;
        session.progress.say(doing);
        let outcome = progress::run(async { Ok(task(&session, target).await?) });
        session.progress.end();
        finish(&session, outcome?, self.change.apply, self.file.json)
    }
}

/// The item that `place` names.
pub(super) fn item(place: &Place, session: &Session) -> Result<Target, Failure> {
    place.target(&session.document)
}

/// Prints the outcome, and writes it if `to_apply`; the exit code says whether it is verified.
fn finish(
    session: &Session,
    mut outcome: Outcome,
    to_apply: bool,
    as_json: bool,
) -> Result<u8, Failure> {
    let base = diff_base(&session.document.path, session.tools.workspace.root());
    rename(&mut outcome.proposal, &base);
    let changes = !outcome.proposal.is_empty();
    let applied = to_apply && outcome.verified && changes;
    if applied {
        apply::to_disk(&outcome.proposal)?;
    }
    if as_json {
        output::object(object(session, &outcome, applied))?;
    } else {
        if outcome.verified {
            output::diff(&outcome.proposal.diff())?;
        }
        output::say(&outcome.message);
        for proof in &outcome.proof {
            output::say(&line(proof));
        }
        if !outcome.verified && changes {
            output::say("a change was found but not verified; --json shows it");
        } else if applied {
            for change in &outcome.proposal.changes {
                output::say(&format!("written: {}", change.display));
            }
        }
    }
    Ok(if outcome.verified { failure::DONE } else { failure::NOT_DONE })
}

fn object(session: &Session, outcome: &Outcome, applied: bool) -> Json {
    json!({
        "model": super::model::as_json(session),
        "verified": outcome.verified,
        "applied": applied,
        "diff": outcome.proposal.diff(),
        "proof": outcome.proof.iter().map(proof).collect::<Vec<_>>(),
        "message": outcome.message,
    })
}

fn proof(proof: &Proof) -> Json {
    json!({
        "level": proof.level.name(),
        "tool": proof.tool,
        "command": proof.command,
        "result": proof.result,
    })
}

/// One piece of evidence on one line.
pub(super) fn line(proof: &Proof) -> String {
    let Proof { level, tool, command, result } = proof;
    let command = if command.is_empty() { tool } else { command };
    format!("  {:<8} {command}: {result}", level.name())
}

/// The folder at which paths in a diff start: what `git apply` run there or above takes.
fn diff_base(file: &Path, workspace: &Path) -> PathBuf {
    let git = file.ancestors().skip(1).find(|folder| folder.join(".git").exists());
    if let Some(root) = git {
        return root.to_owned();
    }
    match std::env::current_dir() {
        Ok(here) if file.starts_with(&here) => here,
        _ => workspace.to_owned(),
    }
}

/// Makes the paths shown start at `base`.
fn rename(proposal: &mut Proposal, base: &Path) {
    for change in &mut proposal.changes {
        if let Ok(relative) = change.path.strip_prefix(base) {
            let parts: Vec<_> = relative.iter().map(|part| part.to_string_lossy()).collect();
            change.display = parts.join("/");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::edit::FileChange;

    #[test]
    fn paths_in_a_diff_start_at_the_repository_or_the_project() {
        let root = tempfile::tempdir().unwrap();
        let file = root.path().join("crate/src/lib.rs");
        let workspace = root.path().join("crate");
        assert_eq!(diff_base(&file, &workspace), workspace);
        std::fs::create_dir(root.path().join(".git")).unwrap();
        let base = diff_base(&file, &workspace);
        let change = FileChange {
            path: file,
            display: "src/lib.rs".to_owned(),
            version: None,
            base: Some(String::new()),
            text: String::new(),
        };
        let mut proposal = Proposal { title: String::new(), changes: vec![change] };
        rename(&mut proposal, &base);
        assert_eq!(proposal.changes[0].display, "crate/src/lib.rs");
    }
}
