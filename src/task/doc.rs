//! Writes a doc comment for an item; the code stays as it is, proved on the tree.

use super::{Outcome, TaskError, Tools, target::Target};
use crate::document::Document;

/// Runs the task on `target`.
pub async fn run(
    tools: &Tools,
    document: &Document,
    target: &Target,
) -> Result<Outcome, TaskError> {
    let _ = (tools, document, target);
    unimplemented!()
}
