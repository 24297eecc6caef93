//! Prose from a model, checked for what may be shown.
