//! Our own engine on the CPU: what it remembers, and the pass behind the engine's door.

pub mod decoder;
pub mod prefix_tree;
pub mod saved;
pub mod sequence;
pub mod shift;
