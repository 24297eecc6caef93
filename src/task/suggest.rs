//! Suggestions while somebody types: what is remembered of them, when the model is asked, and for
//! how much.

pub mod answers;
pub mod costs;
pub mod place;
pub mod plan;
pub mod typing;
