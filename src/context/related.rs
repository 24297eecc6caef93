//! Excerpts of other files: signatures of what the file imports and of the enclosing type.
