//! Prefix and suffix of a cursor, cut at item boundaries.
