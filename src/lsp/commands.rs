//! The commands behind the code actions: each answers at once and works in the background.

use std::sync::Arc;

use tower_lsp::lsp_types::{CodeActionKind, MessageType, ProgressToken};

use super::apply;
use super::convert;
use super::explanations;
use super::ext::CommandArgument;
use super::progress::Progress;
use super::session::Session;
use crate::check::Report;
use crate::document::Document;
use crate::task::target::{self, Target};
use crate::task::{self, Outcome, Tools};
use crate::text::Span;

/// What a command does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Explains an item.
    Explain,
    /// Writes its doc comment.
    Doc,
    /// Writes tests for it.
    Test,
    /// Repairs what a diagnostic says.
    Fix,
    /// Rewrites it as told.
    Rewrite,
}

impl Kind {
    /// All of them, in the order in which menus show them.
    pub(super) const ALL: [Self; 5] =
        [Self::Explain, Self::Doc, Self::Test, Self::Fix, Self::Rewrite];

    /// Its name in `workspace/executeCommand`.
    pub(super) fn command(self) -> &'static str {
        match self {
            Self::Explain => "agent.explain",
            Self::Doc => "agent.doc",
            Self::Test => "agent.test",
            Self::Fix => "agent.fix",
            Self::Rewrite => "agent.rewrite",
        }
    }

    /// What it is among code actions.
    pub(super) fn action_kind(self) -> CodeActionKind {
        match self {
            Self::Explain => CodeActionKind::new("agent.explain"),
            Self::Test => CodeActionKind::new("agent.test"),
            Self::Fix => CodeActionKind::QUICKFIX,
            Self::Doc | Self::Rewrite => CodeActionKind::REFACTOR_REWRITE,
        }
    }

    /// What progress is called.
    fn title(self) -> &'static str {
        match self {
            Self::Explain => "Explaining",
            Self::Doc => "Writing a doc comment",
            Self::Test => "Writing tests",
            Self::Fix => "Fixing",
            Self::Rewrite => "Rewriting",
        }
    }

    /// Whether project code is executed on the way.
    fn executes(self) -> bool {
        matches!(self, Self::Fix | Self::Test | Self::Rewrite)
    }
}

/// One run of a command.
struct Job {
    kind: Kind,
    document: Document,
    span: Option<Span>,
    instruction: Option<String>,
}

/// Starts a command on the document as it is now. What is wrong with the order is told to the
/// user, since the client has its answer already.
pub(super) fn start(
    session: &Arc<Session>,
    kind: Kind,
    argument: CommandArgument,
    token: Option<ProgressToken>,
) {
    let job = match prepare(session, kind, argument) {
        Ok(job) => job,
        Err(message) => return session.client.show(MessageType::WARNING, message),
    };
    let shows_progress = session.support().progress;
    let title = kind.title().to_owned();
    session.works.start(&session.client, title, token, shows_progress, |progress| {
        let session = Arc::clone(session);
        async move {
            if let Err(message) = run(&session, job, progress).await {
                session.client.show(MessageType::WARNING, message);
            }
        }
    });
}

fn prepare(session: &Session, kind: Kind, argument: CommandArgument) -> Result<Job, String> {
    let document = session.document(&argument.uri).ok_or_else(|| {
        format!("{}: not open, or a file that holds secrets", argument.uri.path())
    })?;
    if let Some(pattern) = session.excluded(&document.path) {
        return Err(format!(
            "{}: excluded by `{pattern}` (option `exclude`), so no model is shown it",
            document.path.display()
        ));
    }
    if argument.version.is_some_and(|version| version != document.version) {
        return Err("the document changed since the command was offered; run it again".to_owned());
    }
    if kind == Kind::Rewrite && argument.instruction.as_deref().is_none_or(str::is_empty) {
        return Err(
            "agent.rewrite needs an instruction in its argument; the editor has to ask for it \
             (see editors/ in the source for how)"
                .to_owned(),
        );
    }
    if kind.executes() {
        executable(session, &document)?;
    }
    let span = argument.range.map(|range| convert::span(&document, range, session.encoding()));
    Ok(Job { kind, document, span, instruction: argument.instruction })
}

/// Refuses to execute code of a project that nobody trusts, or that is no project yet.
fn executable(session: &Session, document: &Document) -> Result<(), String> {
    if document.path.is_relative() {
        return Err("save the file first: checks need a place on disk".to_owned());
    }
    let workspace = session.workspace_of(&document.path);
    let root = workspace.root();
    if session.trusts(root) {
        return Ok(());
    }
    Err(format!(
        "{}: not trusted, so nothing of it is executed; run `agent trust {}` in a terminal, or set \
         `trusted` in the editor's settings of this server",
        root.display(),
        root.display()
    ))
}

async fn run(session: &Session, job: Job, progress: Progress) -> Result<(), String> {
    let Job { kind, document, span, instruction } = job;
    let workspace = session.workspace_of(&document.path);
    let report: Report = Arc::new(move |message: &str| progress.report(message));
    let tools = session.tools(Arc::clone(&workspace), report).await?;
    let at = Target::At(span.map_or(0, |span| span.start));
    let outcome = match kind {
        Kind::Explain => return explain(session, &tools, &document, &at).await,
        Kind::Doc => task::doc::run(&tools, &document, &at).await,
        Kind::Test => task::test::run(&tools, &document, &at).await,
        Kind::Rewrite => {
            let instruction = instruction.unwrap_or_default();
            task::rewrite::run(&tools, &document, &at, &instruction).await
        }
        Kind::Fix => {
            let options = task::fix::Options {
                span,
                others_may_remain: span.is_some(),
                unsaved: session.others_open(workspace.root(), &document.path),
                ..task::fix::Options::default()
            };
            task::fix::run(&tools, &document, &options).await
        }
    };
    finish(session, outcome.map_err(|error| error.to_string())?).await
}

async fn explain(
    session: &Session,
    tools: &Tools,
    document: &Document,
    at: &Target,
) -> Result<(), String> {
    let explanation = task::explain::run(tools, document, at).await;
    let explanation = explanation.map_err(|error| error.to_string())?;
    let item = target::resolve(document, at).ok().flatten();
    let span = item.map_or(Span::new(0, document.text.len()), |item| item.span);
    explanations::show(session, document, span, &explanation).await;
    Ok(())
}

/// Applies what is proved and says what came of it.
async fn finish(session: &Session, outcome: Outcome) -> Result<(), String> {
    let Outcome { proposal, verified, message, .. } = outcome;
    if !verified {
        return Err(format!("not verified, nothing changed: {message}"));
    }
    if !proposal.is_empty() {
        apply::apply(session, &proposal).await.map_err(|error| error.to_string())?;
    }
    session.client.show(MessageType::INFO, message);
    Ok(())
}
