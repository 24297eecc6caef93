//! A scratch copy of the work tree with a build folder of its own; unsaved text laid over it.
