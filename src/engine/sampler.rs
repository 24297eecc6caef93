//! logits → token, seeded.
