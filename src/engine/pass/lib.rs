//! The forward pass on the CPU: tokens in, logits out, over weights that stay where they lie in a
//! memory-mapped file.
//!
//! A crate of its own so that it is optimized also where the rest of the program is built for
//! debugging, and so that unsafe code is in one place. It knows nothing of files, requests or
//! sampling.

mod activations;
mod attention;
pub mod block;
mod buffer;
mod keep;
pub mod kernels;
mod ops;
pub mod pages;
mod pass;
mod pool;
mod prepared;
mod rotation;
mod share;
mod vector;
pub mod weights;

pub use block::{BlockType, dequantize};
pub use kernels::{Kernels, available as instruction_sets, detect as instruction_set};
pub use ops::log_sum_exp;
pub use pass::{Cancelled, Input, Pass, Shape};
pub use rotation::{Pairs, Rotation};
