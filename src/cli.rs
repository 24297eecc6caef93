//! The command line: the only module that prints.

mod arguments;
mod bench;
mod change;
mod complete;
mod config;
mod context;
mod demo;
mod doc;
mod doctor;
mod explain;
mod failure;
mod fix;
mod lsp;
mod model;
mod output;
mod position;
mod progress;
mod rewrite;
mod session;
mod stats;
mod test;
mod trust;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::check::sandbox;
use failure::Failure;

/// What `agent --help` ends with.
const HELP: &str = "\
Positions are FILE:LINE:COL, counted from 1, columns in Unicode characters, as rustc prints them. \
Answers go to standard output, everything else to standard error.

Exit codes: 0 done and verified; 1 not found or not verified, nothing changed; 2 usage or environment \
error; 130 interrupted. With --json a failure is one object {schema, error, exit_code}.";

/// A local coding agent: completes, explains, tests and repairs code with a model on this machine.
#[derive(Debug, Parser)]
#[command(version, about, max_term_width = 100, after_help = HELP)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Suggest what to insert at a position
    Complete(complete::Args),
    /// Show the prompt for a suggestion at a position, part by part
    Context(context::Args),
    /// Explain a file, function or type
    Explain(explain::Args),
    /// Write a doc comment; the code itself stays as it is
    Doc(doc::Args),
    /// Write tests that pass on today's code
    Test(test::Args),
    /// Repair a file and prove it: compiler errors, or a check of your own
    Fix(fix::Args),
    /// Rewrite a function or type by an instruction
    Rewrite(rewrite::Args),
    /// See which models there are
    Model(model::Args),
    /// Check machine, model, sandbox, tools and configuration, and measure speed
    Doctor(doctor::Args),
    /// Measure how fast a model runs here
    Bench(bench::Args),
    /// Show how many suggestions were shown, accepted and kept, and how fast they came
    Stats(stats::Args),
    /// Serve an editor (Language Server Protocol over standard input and output)
    Lsp(lsp::Args),
    /// Show completion, explanation, tests and repair on a small sample project
    Demo(demo::Args),
    /// Trust a folder: its code may be executed, its agent.toml may name programs
    Trust(trust::Args),
    /// Show the options in force, or their documentation
    Config(config::Args),
}

impl Command {
    /// Whether a failure is to be told as JSON.
    fn json(&self) -> bool {
        match self {
            Self::Complete(args) => args.file.json,
            Self::Context(args) => args.file.json,
            Self::Explain(args) => args.file.json,
            Self::Doc(args) => args.common.file.json,
            Self::Test(args) => args.common.file.json,
            Self::Fix(args) => args.common.file.json,
            Self::Rewrite(args) => args.common.file.json,
            Self::Model(args) => args.command.json(),
            Self::Doctor(args) => args.json,
            Self::Bench(args) => args.json,
            Self::Stats(args) => args.json,
            Self::Trust(args) => args.json,
            Self::Config(args) => args.json,
            Self::Lsp(_) | Self::Demo(_) => false,
        }
    }

    fn run(&self) -> Result<u8, Failure> {
        match self {
            Self::Complete(args) => complete::run(args),
            Self::Context(args) => context::run(args),
            Self::Explain(args) => explain::run(args),
            Self::Doc(args) => doc::run(args),
            Self::Test(args) => test::run(args),
            Self::Fix(args) => fix::run(args),
            Self::Rewrite(args) => rewrite::run(args),
            Self::Model(args) => model::run(args),
            Self::Doctor(args) => doctor::run(args),
            Self::Bench(args) => bench::run(args),
            Self::Stats(args) => stats::run(args),
            Self::Lsp(args) => lsp::run(args),
            Self::Demo(args) => demo::run(args),
            Self::Trust(args) => trust::run(args),
            Self::Config(args) => config::run(args),
        }
    }
}

/// Runs the program; the exit code is 0 (done and verified), 1 (not found or not verified, nothing
/// changed), 2 (usage or environment error) or 130 (interrupted).
pub fn run() -> ExitCode {
    // Before anything else: as a sandbox, this process becomes another program.
    if let Some(code) = sandbox::run_if_requested(std::env::args_os()) {
        return code;
    }
    let command = match Cli::try_parse() {
        Ok(cli) => cli.command,
        Err(error) => return ExitCode::from(usage(&error)),
    };
    let code = command.run().unwrap_or_else(|failure| {
        output::failure(&failure, command.json());
        failure.code
    });
    ExitCode::from(code)
}

/// Prints help, the version, or what is wrong with the arguments.
fn usage(error: &clap::Error) -> u8 {
    let as_json = std::env::args_os().any(|argument| argument == "--json");
    if error.use_stderr() && as_json {
        let message = error.render().to_string();
        let message = message.trim_start_matches("error: ").trim_end();
        output::failure(&Failure::usage(message), true);
    } else {
        // With the reader gone there is nobody left to tell.
        _ = error.print();
    }
    u8::try_from(error.exit_code()).unwrap_or(failure::USAGE)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_commands_and_their_arguments_fit_together() {
        super::Cli::command().debug_assert();
    }
}
