//! Drops what already stands before or after the cursor.
