//! `agent doctor --files`: the files that are never read, and why.

use serde_json::{Map, json};

use crate::cli::failure::{self, Failure};
use crate::cli::output;
use crate::workspace::Workspace;
use crate::workspace::census::Census;

/// Prints every file of the workspace that is left out, with the reason, and a count by reason.
pub(super) fn run(workspace: &Workspace, as_json: bool) -> Result<u8, Failure> {
    let census = workspace.census();
    if as_json {
        print_json(&census)?;
    } else {
        print(&census)?;
    }
    Ok(failure::DONE)
}

fn print_json(census: &Census) -> Result<(), Failure> {
    let left_out: Vec<_> = census
        .left_out
        .iter()
        .map(|one| json!({"path": one.path, "folder": one.is_folder, "reason": one.why.reason()}))
        .collect();
    let counts: Map<_, _> = census
        .by_reason()
        .into_iter()
        .map(|(why, count)| (why.reason().to_owned(), count.into()))
        .collect();
    output::object(json!({
        "read": census.read,
        "left_out": left_out,
        "reasons": counts,
        "partial": census.is_partial,
    }))
}

fn print(census: &Census) -> Result<(), Failure> {
    for one in &census.left_out {
        let end = if one.is_folder { "/" } else { "" };
        output::answer(&format!("{:<28} {}{end}", one.why.reason(), one.path.display()))?;
    }
    output::answer(&format!("{:<28} {}", "read", census.read))?;
    for (why, count) in census.by_reason() {
        output::answer(&format!("{:<28} {count}", why.reason()))?;
    }
    if census.is_partial {
        output::say("agent: the folder holds so many files that not all were looked at");
    }
    Ok(())
}
