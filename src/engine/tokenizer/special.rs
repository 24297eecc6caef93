//! Which ids are special, and what they mean: by metadata, else by known spellings.
