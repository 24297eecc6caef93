//! Code blocks of a chat reply.
