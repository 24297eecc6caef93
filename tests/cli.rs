//! The program as a user runs it: arguments in, standard output, standard error and an exit code
//! out.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a broken test setup may panic")]

#[path = "cli/bench.rs"]
mod bench;
#[path = "cli/changes.rs"]
mod changes;
#[path = "cli/completion.rs"]
mod completion;
#[path = "cli/configuration.rs"]
mod configuration;
#[path = "cli/context.rs"]
mod context;
#[path = "cli/exclusions.rs"]
mod exclusions;
#[path = "cli/interruption.rs"]
mod interruption;
#[path = "cli/project.rs"]
mod project;
#[path = "cli/stats.rs"]
mod stats;
#[path = "cli/usage.rs"]
mod usage;
