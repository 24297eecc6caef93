//! One decoder per architecture on candle tensors.
