//! Rewrites an item by an instruction; needs an instruct model.

use super::{Outcome, TaskError, Tools, target::Target};
use crate::document::Document;

/// Rewrites `target` as `instruction` says.
pub async fn run(
    tools: &Tools,
    document: &Document,
    target: &Target,
    instruction: &str,
) -> Result<Outcome, TaskError> {
    let _ = (tools, document, target, instruction);
    unimplemented!()
}
