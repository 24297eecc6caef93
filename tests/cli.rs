//! The program as a user runs it: arguments in, standard output, standard error and an exit code
//! out.

#[path = "cli/changes.rs"]
mod changes;
#[path = "cli/completion.rs"]
mod completion;
#[path = "cli/configuration.rs"]
mod configuration;
#[path = "cli/interruption.rs"]
mod interruption;
#[path = "cli/project.rs"]
mod project;
#[path = "cli/usage.rs"]
mod usage;
