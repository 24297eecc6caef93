//! Options → README table, JSON schema, editor settings.
