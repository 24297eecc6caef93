//! The model compiled into the program.
