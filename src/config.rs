//! Every option declared once; docs, JSON schema and editor settings are generated from it.

pub mod docs;
pub mod load;
pub mod options;
pub mod trust;

pub use options::Config;
