//! `textDocument/codeAction`: what can be done here, at once and without the model.

use std::sync::Arc;

use tower_lsp::lsp_types::{
    CodeAction, CodeActionDisabled, CodeActionKind, CodeActionOrCommand, CodeActionParams, Command,
    Diagnostic, Range,
};

use super::super::capabilities::ClientSupport;
use super::super::commands::Kind;
use super::super::convert;
use super::super::ext::CommandArgument;
use super::super::model::State;
use super::super::session::Session;
use super::detach;
use crate::document::Document;
use crate::syntax::outline::Item;
use crate::syntax::scope;

/// How many diagnostics get a fix each.
const MAX_FIXES: usize = 5;
/// The longest quotation in a title, in characters.
const MAX_QUOTE: usize = 60;

/// Lists the actions for the item around the selection and for each diagnostic in it.
pub(crate) async fn handle(
    session: &Arc<Session>,
    params: CodeActionParams,
) -> Option<Vec<CodeActionOrCommand>> {
    let uri = params.text_document.uri;
    let document = session.document(&uri)?;
    let support = session.support();
    detach().await;
    let argument = |range: Range| CommandArgument {
        uri: uri.clone(),
        range: Some(range),
        version: Some(document.version),
        instruction: None,
    };
    let mut actions = Vec::new();
    for diagnostic in params.context.diagnostics.into_iter().take(MAX_FIXES) {
        let title = format!("Fix: {}", quoted(&diagnostic.message));
        let argument = argument(diagnostic.range);
        actions.push((title, Kind::Fix, argument, Some(diagnostic), None));
    }
    let span = convert::span(&document, params.range, support.encoding);
    if let Some(item) = item_at(&document, span.start) {
        let range =
            convert::range(&document, crate::text::Span::empty(span.start), support.encoding);
        for kind in [Kind::Explain, Kind::Doc, Kind::Test, Kind::Rewrite] {
            let disabled = (kind == Kind::Rewrite).then(|| rewrite_impossible(session)).flatten();
            actions.push((title(kind, &item.name), kind, argument(range), None, disabled));
        }
    }
    let wanted = params.context.only;
    let listed = actions.into_iter().filter(|(_, kind, ..)| asked_for(*kind, wanted.as_deref()));
    Some(
        listed
            .map(|(title, kind, argument, diagnostic, disabled)| {
                action(&support, title, kind, &argument, diagnostic, disabled)
            })
            .collect(),
    )
}

fn item_at(document: &Document, offset: usize) -> Option<Item> {
    scope::enclosing_item(document.items(), offset).cloned()
}

fn title(kind: Kind, name: &str) -> String {
    match kind {
        Kind::Explain => format!("Explain `{name}`"),
        Kind::Doc => format!("Write doc comment for `{name}`"),
        Kind::Test => format!("Generate tests for `{name}`"),
        Kind::Rewrite => format!("Rewrite `{name}`…"),
        Kind::Fix => "Fix".to_owned(),
    }
}

/// Why the model cannot rewrite, if it is known that it cannot.
fn rewrite_impossible(session: &Session) -> Option<String> {
    let State::Ready(engine) = session.model.state() else { return None };
    engine.info().chat_template.is_none().then(|| {
        format!("{} follows no instructions; choose an instruct model", engine.info().name)
    })
}

/// Whether an action of that kind is among those the client asks for.
fn asked_for(kind: Kind, only: Option<&[CodeActionKind]>) -> bool {
    let own = kind.action_kind();
    only.is_none_or(|only| {
        only.iter().any(|wanted| {
            let rest = own.as_str().strip_prefix(wanted.as_str());
            wanted.as_str().is_empty() || rest.is_some_and(|r| r.is_empty() || r.starts_with('.'))
        })
    })
}

fn action(
    support: &ClientSupport,
    title: String,
    kind: Kind,
    argument: &CommandArgument,
    diagnostic: Option<Diagnostic>,
    disabled: Option<String>,
) -> CodeActionOrCommand {
    let command = Command {
        title: title.clone(),
        command: kind.command().to_owned(),
        arguments: serde_json::to_value(argument).ok().map(|argument| vec![argument]),
    };
    if !support.action_literals {
        return CodeActionOrCommand::Command(command);
    }
    let disabled = disabled.filter(|_| support.disabled_actions);
    CodeActionOrCommand::CodeAction(CodeAction {
        title,
        kind: Some(kind.action_kind()),
        diagnostics: diagnostic.map(|diagnostic| vec![diagnostic]),
        command: Some(command),
        disabled: disabled.map(|reason| CodeActionDisabled { reason }),
        ..CodeAction::default()
    })
}

/// The first line of a diagnostic, cut to fit a menu.
fn quoted(message: &str) -> String {
    let line = message.lines().next().unwrap_or_default();
    if line.chars().count() <= MAX_QUOTE {
        return line.to_owned();
    }
    let cut: String = line.chars().take(MAX_QUOTE - 1).collect();
    format!("{cut}…")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_whole_parts_of_a_kind() {
        let only = |kind: &'static str| [CodeActionKind::new(kind)];
        assert!(asked_for(Kind::Fix, None));
        assert!(asked_for(Kind::Fix, Some(&only("quickfix"))));
        assert!(asked_for(Kind::Doc, Some(&only("refactor"))));
        assert!(!asked_for(Kind::Doc, Some(&only("refac"))));
        assert!(!asked_for(Kind::Explain, Some(&only("quickfix"))));
        assert!(asked_for(Kind::Explain, Some(&only(""))));
    }

    #[test]
    fn a_long_message_is_cut_at_a_character() {
        assert_eq!(quoted("short\nmore"), "short");
        assert_eq!(quoted(&"ü".repeat(80)).chars().count(), MAX_QUOTE);
    }
}
