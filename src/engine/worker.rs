//! The one thread that owns the model: queue, priorities, cancellation.

use super::{Generation, Request};

/// A handle to the worker's queue.
#[derive(Debug, Clone)]
pub struct Queue {}

impl Queue {
    /// Queues a request.
    pub fn submit(&self, request: Request) -> Generation {
        let _ = request;
        unimplemented!()
    }
}
