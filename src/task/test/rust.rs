//! Tests for Rust.
use super::{Bench, Outcome, TaskError, nothing};
use crate::syntax::outline::Item;

pub(super) async fn write(bench: &mut Bench<'_>, functions: &[Item]) -> Result<Outcome, TaskError> {
    let _ = (bench, functions);
    Ok(nothing("Rust behaviour is not recorded yet"))
}
