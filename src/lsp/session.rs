//! What the server knows, shared by its handlers. Reading is taking a snapshot.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use serde_json::Value;
use tokio::sync::{Notify, oneshot};
use tower_lsp::lsp_types::{ConfigurationItem, ConfigurationParams, MessageType, Url, request};

use super::capabilities::ClientSupport;
use super::client::Client;
use super::explanations::Explanations;
use super::machine::Watch;
use super::projects::Projects;
use super::prompts::Prompts;
use super::settings::Settings;
use super::suggestions::Suggestions;
use super::tally::Tally;
use super::work::Works;
use super::{convert, log, model, parent};
use crate::check::Report;
use crate::config::load::Flags;
use crate::config::trust;
use crate::document::{Document, store::Store};
use crate::task::Tools;
use crate::text::line_index::Encoding;
use crate::workspace::exclude::Exclusions;
use crate::workspace::{Workspace, secret};

/// The state of one client's session.
pub(super) struct Session {
    /// The client.
    pub(super) client: Arc<Client>,
    /// The open files.
    pub(super) documents: RwLock<Store>,
    /// The model.
    pub(super) model: Arc<model::Slot>,
    /// The projects of the open files.
    pub(super) projects: Projects,
    /// Work started by commands.
    pub(super) works: Arc<Works>,
    /// What is kept from one suggestion to the next.
    pub(super) prompts: Prompts,
    /// Suggestions made and in the making.
    pub(super) suggestions: Suggestions,
    /// What becomes of them.
    pub(super) tally: Tally,
    /// How the machine is.
    pub(super) machine: Watch,
    /// Woken when what `agent/status` says may have changed.
    pub(super) changed: Arc<Notify>,
    /// Explanations given.
    pub(super) explanations: Explanations,
    support: RwLock<Arc<ClientSupport>>,
    settings: RwLock<Arc<Settings>>,
    /// The options of each project but the first folder's.
    settings_of_roots: Mutex<HashMap<PathBuf, Arc<Settings>>>,
    flags: Flags,
    /// What the editor sent, all together.
    editor: RwLock<Value>,
    /// What came with `initialize`: the base that later settings are laid over.
    options: RwLock<Value>,
    /// The completion being worked on for each document, ended by dropping its sender.
    completions: Mutex<HashMap<String, oneshot::Sender<()>>>,
}

impl Session {
    /// A session before `initialize`.
    pub(super) fn new(client: Arc<Client>, flags: Flags) -> Self {
        let changed = Arc::<Notify>::default();
        Self {
            client,
            documents: RwLock::default(),
            model: Arc::default(),
            projects: Projects::new(Arc::clone(&changed)),
            works: Arc::default(),
            prompts: Prompts::default(),
            suggestions: Suggestions::default(),
            tally: Tally::default(),
            machine: Watch::default(),
            changed,
            explanations: Explanations::default(),
            support: RwLock::default(),
            settings: RwLock::default(),
            settings_of_roots: Mutex::default(),
            flags,
            editor: RwLock::default(),
            options: RwLock::default(),
            completions: Mutex::default(),
        }
    }

    /// Takes the parameters of `initialize`, as raw JSON.
    pub(super) fn initialize(self: &Arc<Self>, params: &Value) {
        let support = ClientSupport::of(params);
        *self.support.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(support);
        self.projects.set_folders(folders(params));
        if let Some(process) = params.get("processId").and_then(Value::as_i64) {
            let session = Arc::clone(self);
            parent::watch(process, move || session.end());
        }
        let options = params.get("initializationOptions").map_or(Value::Null, own_section);
        *self.options.write().unwrap_or_else(PoisonError::into_inner) = options;
        self.configure(&Value::Null);
    }

    /// Takes the editor's settings, reports what is wrong in them, and loads the model they ask
    /// for.
    pub(super) fn configure(&self, editor: &Value) {
        let mut merged = self.options.read().unwrap_or_else(PoisonError::into_inner).clone();
        lay_over(&mut merged, &own_section(editor));
        *self.editor.write().unwrap_or_else(PoisonError::into_inner) = merged;
        self.configure_again();
    }

    /// Reads every source of options anew: some file of them changed, or a folder came or went.
    pub(super) fn configure_again(&self) {
        let folder = self.projects.first_folder();
        let settings = self.read_settings(folder.as_deref());
        let old = std::mem::replace(
            &mut *self.settings.write().unwrap_or_else(PoisonError::into_inner),
            Arc::new(settings),
        );
        self.settings_of_roots().clear();
        // Other options may lead to other suggestions.
        self.suggestions.renew();
        let settings = self.settings();
        self.tally.set_enabled(settings.config.stats);
        self.report(&settings, &old.problems);
        if settings.config.log != old.config.log {
            log::change(&settings.config.log);
        }
        let client = Arc::clone(&self.client);
        self.model.load(&settings.config, move |message| {
            tracing::error!("{message}");
            client.show(MessageType::ERROR, message);
        });
        self.changed.notify_one();
        if self.projects.exclude(&|root| self.exclusions(root)) {
            // A prompt that is gone on from may show what is excluded now.
            self.prompts.renew();
        }
    }

    fn read_settings(&self, root: Option<&Path>) -> Settings {
        let editor = self.editor.read().unwrap_or_else(PoisonError::into_inner).clone();
        let is_editors = root.is_none_or(|root| self.projects.holds(root));
        Settings::read(root, is_editors, editor, &self.flags)
    }

    fn report(&self, settings: &Settings, known: &[String]) {
        for problem in settings.problems.iter().filter(|problem| !known.contains(problem)) {
            tracing::warn!("{problem}");
            self.client.show(MessageType::WARNING, problem);
        }
    }

    /// Asks the client for its settings, where it can be asked. Not for handlers to await.
    pub(super) async fn pull_configuration(&self) {
        if !self.support().configuration {
            return;
        }
        let items = vec![ConfigurationItem { scope_uri: None, section: Some("agent".to_owned()) }];
        let asked =
            self.client.request::<request::WorkspaceConfiguration>(ConfigurationParams { items });
        match asked.await {
            Ok(answer) => {
                if let Some(settings) = answer.first().filter(|settings| settings.is_object()) {
                    self.configure(settings);
                }
            }
            Err(error) => tracing::warn!("{error}"),
        }
    }

    /// What the client can do.
    pub(super) fn support(&self) -> Arc<ClientSupport> {
        Arc::clone(&self.support.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// What columns count.
    pub(super) fn encoding(&self) -> Encoding {
        self.support().encoding
    }

    /// The options in force for the program itself: model, device, log. They are those of the first
    /// folder.
    pub(super) fn settings(&self) -> Arc<Settings> {
        Arc::clone(&self.settings.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The options in force in the project at `root`, from its own `agent.toml`.
    pub(super) fn settings_of(&self, root: &Path) -> Arc<Settings> {
        if root.as_os_str().is_empty() || self.projects.first_folder().as_deref() == Some(root) {
            return self.settings();
        }
        if let Some(known) = self.settings_of_roots().get(root) {
            return Arc::clone(known);
        }
        let settings = Arc::new(self.read_settings(Some(root)));
        self.report(&settings, &self.reported());
        self.settings_of_roots().insert(root.to_owned(), Arc::clone(&settings));
        settings
    }

    /// The options in force in the project of a file.
    pub(super) fn settings_at(&self, path: &Path) -> Arc<Settings> {
        self.settings_of(self.workspace_of(path).root())
    }

    /// The workspace of a file, without what its options exclude.
    pub(super) fn workspace_of(&self, path: &Path) -> Arc<Workspace> {
        self.projects.of(path, &|root| self.exclusions(root))
    }

    /// The pattern that excludes a file, if one does.
    pub(super) fn excluded(&self, path: &Path) -> Option<String> {
        let workspace = self.workspace_of(path);
        let relative = workspace.relative(path)?;
        workspace.exclusions().of(&relative).map(str::to_owned)
    }

    fn exclusions(&self, root: &Path) -> Exclusions {
        Exclusions::new(&self.settings_of(root).config.exclude)
    }

    /// What was found wrong and said before.
    fn reported(&self) -> Vec<String> {
        let of_roots = self.settings_of_roots();
        let others = of_roots.values().flat_map(|settings| settings.problems.iter().cloned());
        others.chain(self.settings().problems.iter().cloned()).collect()
    }

    fn settings_of_roots(&self) -> MutexGuard<'_, HashMap<PathBuf, Arc<Settings>>> {
        self.settings_of_roots.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether code of the project at `root` may be executed. An editor vouches for its own
    /// folders, not for a file elsewhere that a definition led to.
    pub(super) fn trusts(&self, root: &Path) -> bool {
        let by_editor = self.settings().trusted_by_editor && self.projects.holds(root);
        by_editor || trust::is_trusted(root)
    }

    /// The current version of an open document; none for one that holds secrets.
    pub(super) fn document(&self, uri: &Url) -> Option<Document> {
        let documents = self.documents.read().unwrap_or_else(PoisonError::into_inner);
        documents.get(uri.as_str()).filter(|document| !secret::leads_to_secret(&document.path))
    }

    /// The open document at `path`, with its URI as the client spells it.
    pub(super) fn open_at(&self, path: &Path) -> Option<(Url, Document)> {
        let documents = self.documents.read().unwrap_or_else(PoisonError::into_inner);
        let mut open = documents.iter();
        let (uri, document) = open.find(|(_, document)| &*document.path == path)?;
        Some((Url::parse(uri).ok()?, document.clone()))
    }

    /// Every open document of the project at `root` but the one at `except` and those that hold
    /// secrets.
    pub(super) fn others_open(&self, root: &Path, except: &Path) -> Vec<Document> {
        let documents = self.documents.read().unwrap_or_else(PoisonError::into_inner);
        let others = documents.iter().map(|(_, document)| document);
        others
            .filter(|document| document.path.starts_with(root) && &*document.path != except)
            .filter(|document| !secret::leads_to_secret(&document.path))
            .cloned()
            .collect()
    }

    /// What a task in `workspace` works with, once the model is there.
    pub(super) async fn tools(
        &self,
        workspace: Arc<Workspace>,
        report: Report,
    ) -> Result<Tools, String> {
        if matches!(self.model.state(), model::State::Loading) {
            report("loading the model");
        }
        let engine = self.model.engine().await?;
        let settings = self.settings_of(workspace.root());
        let check = Arc::new(settings.check(self.trusts(workspace.root())));
        Ok(Tools {
            engine,
            workspace,
            templates: Arc::clone(&settings.templates),
            check,
            seed: settings.config.seed,
            report,
        })
    }

    /// Ends the completion in hand for a document and says when the new one is to end.
    pub(super) fn begin_completion(&self, uri: &Url) -> oneshot::Receiver<()> {
        let (sender, superseded) = oneshot::channel();
        self.completions().insert(uri.as_str().to_owned(), sender);
        superseded
    }

    /// Ends the completion in hand for a document that moved on.
    pub(super) fn supersede_completion(&self, uri: &Url) {
        self.completions().remove(uri.as_str());
    }

    /// Ends whatever is in hand and removes what was written.
    pub(super) fn end(&self) {
        self.stop_work();
        self.tally.end();
        self.explanations.clear();
    }

    /// Ends whatever is in hand.
    pub(super) fn stop_work(&self) {
        self.works.cancel_all();
        self.completions().clear();
        self.suggestions.renew();
    }

    fn completions(&self) -> MutexGuard<'_, HashMap<String, oneshot::Sender<()>>> {
        self.completions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The settings that are ours: those under `agent`, or all where there is no such key.
fn own_section(settings: &Value) -> Value {
    settings.get("agent").unwrap_or(settings).clone()
}

/// Lays `over` over `base`, objects key by key; `null` changes nothing.
fn lay_over(base: &mut Value, over: &Value) {
    match (base, over) {
        (_, Value::Null) => {}
        (Value::Object(base), Value::Object(over)) => {
            for (key, value) in over {
                lay_over(base.entry(key.clone()).or_insert(Value::Null), value);
            }
        }
        (base, over) => base.clone_from(over),
    }
}

/// The folders the editor opened.
fn folders(params: &Value) -> Vec<PathBuf> {
    let path = |value: &Value| {
        let uri = Url::parse(value.as_str()?).ok()?;
        (uri.scheme() == "file").then(|| convert::path(&uri))
    };
    let listed = params.get("workspaceFolders").and_then(Value::as_array);
    let folders: Vec<PathBuf> =
        listed.into_iter().flatten().filter_map(|folder| path(folder.get("uri")?)).collect();
    if folders.is_empty() {
        params.get("rootUri").and_then(path).into_iter().collect()
    } else {
        folders
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn later_settings_are_laid_over_the_first() {
        let mut base = json!({"model": "a", "complete": {"enabled": true, "candidates": 2}});
        lay_over(&mut base, &json!({"model": null, "complete": {"candidates": 3}, "seed": 1}));
        assert_eq!(
            base,
            json!({"model": "a", "complete": {"enabled": true, "candidates": 3}, "seed": 1})
        );
        assert_eq!(own_section(&json!({"agent": {"seed": 1}})), json!({"seed": 1}));
    }

    #[test]
    fn unsaved_secrets_are_not_among_the_open_documents_of_a_project() {
        let (outgoing, _queue) = tokio::sync::mpsc::unbounded_channel();
        let session = Session::new(Arc::new(Client::new(outgoing)), Flags::new());
        for name in ["a.rs", "b.rs", ".env"] {
            let path = PathBuf::from("/p").join(name);
            let document = Document::new(path, None, 1, "x".to_owned());
            session.documents.write().unwrap().open(format!("file:///p/{name}"), document);
        }
        let others = session.others_open(Path::new("/p"), Path::new("/p/a.rs"));
        let paths: Vec<_> = others.iter().map(|document| document.path.to_path_buf()).collect();
        assert_eq!(paths, [PathBuf::from("/p/b.rs")]);
    }

    #[test]
    fn folders_come_from_either_parameter() {
        let listed = json!({"workspaceFolders": [{"uri": "file:///a%20b", "name": "x"}, {"uri": "untitled:x"}], "rootUri": "file:///c"});
        assert_eq!(folders(&listed).len(), 1);
        assert_eq!(folders(&json!({"workspaceFolders": null, "rootUri": "file:///c"})).len(), 1);
        assert_eq!(
            folders(&json!({"workspaceFolders": 3, "rootUri": null})),
            Vec::<PathBuf>::new()
        );
    }
}
