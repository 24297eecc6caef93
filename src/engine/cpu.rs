//! The forward pass on the CPU: our own, over the blocks of a memory-mapped file.

mod activations;
pub mod block;
mod kernels;
pub mod pages;
pub mod prefix_tree;
pub mod saved;
pub mod sequence;
pub mod shift;
