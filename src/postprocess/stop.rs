//! Where a completion ends: line, or the enclosing block.
