//! Which workspaces the user has trusted.
