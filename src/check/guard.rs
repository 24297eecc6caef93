//! Guarded scope: nothing outside the target changed, nothing public lost, no `todo!` added.
