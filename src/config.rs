//! Every option declared once; docs, JSON schema and editor settings are generated from it.
//!
//! Layers, later ones win: defaults < the user's file < the workspace's `agent.toml` < the editor's
//! settings < flags.

pub mod docs;
pub mod fields;
pub mod load;
pub mod options;
pub mod places;
pub mod prompts;
pub mod source;
pub mod trust;
pub mod value;

pub use fields::{Cache, Config};
pub use load::{Loaded, Problem, Sources, load};
