//! The forward pass on the CPU: our own, over the blocks of a memory-mapped file.

pub mod block;
mod activations;
mod kernels;
