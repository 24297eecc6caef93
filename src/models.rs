//! Finding, choosing and opening model files. Reads only; nothing is copied or downloaded.

pub mod builtin;
pub mod discover;
pub mod places;
pub mod script;

use std::path::{Path, PathBuf};

use crate::engine::{Engine, EngineError, EngineOptions, ModelSource};

/// The name under which the built-in model is chosen.
pub const BUILTIN: &str = "builtin";

/// A model that can be opened.
#[derive(Debug, Clone)]
pub struct Model {
    /// What the user calls it: `builtin`, a file's name without ending, `qwen2.5-coder:7b`.
    pub name: String,
    /// Where it was found: `built in`, `file`, `configured folder`, `Ollama`, ….
    pub origin: String,
    /// What is opened.
    pub source: Source,
    /// Bytes of its file.
    pub size: u64,
}

impl Model {
    /// Where its bytes are: a path, or `compiled into this program`.
    pub fn location(&self) -> String {
        match &self.source {
            Source::Gguf(ModelSource::File(path)) | Source::Script(path) => {
                path.display().to_string()
            }
            Source::Gguf(ModelSource::Embedded { .. }) => "compiled into this program".to_owned(),
        }
    }
}

/// What a model is made of.
#[derive(Debug, Clone)]
pub enum Source {
    /// Weights.
    Gguf(ModelSource),
    /// Canned answers, see [`script`]: for tests and for work on editors.
    Script(PathBuf),
}

/// What is on this machine.
#[derive(Debug, Clone, Default)]
pub struct Listing {
    /// The models, the built-in one first, then by place and name.
    pub models: Vec<Model>,
    /// What could not be looked at, and why.
    pub notes: Vec<String>,
}

/// Why a model cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// No model of that name or path.
    #[error("model {name}: not found; `agent model list` shows what there is{near}")]
    NotFound {
        /// As asked.
        name: String,
        /// Names like it, as the end of the sentence; or empty.
        near: String,
    },
    /// Built without a model and none configured.
    #[error(
        "no model: this program was built without its built-in one; name a GGUF file with --model or in the configuration"
    )]
    None,
    /// The file is not usable.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// A file of canned answers has a fault.
    #[error("{}: {message}", path.display())]
    Script {
        /// The file.
        path: PathBuf,
        /// What is wrong with it, with line and column.
        message: String,
    },
    /// A file could not be read.
    #[error("{}: {source}", path.display())]
    Io {
        /// The folder or file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

/// Which models to use; names and folders are as for [`resolve`].
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Wanted {
    /// The model.
    pub model: Option<String>,
    /// A smaller one of the same vocabulary that guesses ahead for it.
    pub draft: Option<String>,
    /// Folders of the user's with more files.
    pub directories: Vec<PathBuf>,
}

/// Finds and loads the model to use, and the one that drafts for it. `options.draft` is set here.
pub fn open(wanted: &Wanted, options: &EngineOptions) -> Result<(Engine, Model), ModelError> {
    let model = resolve(wanted.model.as_deref(), &wanted.directories)?;
    let source = match &model.source {
        Source::Gguf(source) => source,
        Source::Script(path) => return Ok((Engine::scripted(script::read(path)?), model)),
    };
    let draft = match &wanted.draft {
        None => None,
        Some(name) => match resolve(Some(name), &wanted.directories)?.source {
            Source::Gguf(source) => Some(source),
            Source::Script(path) => {
                let message = "canned answers cannot draft for a model".to_owned();
                return Err(ModelError::Script { path, message });
            }
        },
    };
    let engine = Engine::load(source, &EngineOptions { draft, ..options.clone() })?;
    Ok((engine, model))
}

/// The model to use; its weights are not read yet.
///
/// `wanted` is a path to a GGUF file, a name of [`list`], `builtin`, or `scripted:FILE.json`;
/// `None` is the built-in model. `directories` are folders of the user's with more files.
pub fn resolve(wanted: Option<&str>, directories: &[PathBuf]) -> Result<Model, ModelError> {
    let Some(wanted) = wanted.filter(|wanted| *wanted != BUILTIN) else {
        return builtin::model().ok_or(ModelError::None);
    };
    if let Some(path) = wanted.strip_prefix("scripted:") {
        return file(Path::new(path), "canned answers", |path| Source::Script(path.to_owned()));
    }
    let path = Path::new(wanted);
    if looks_like_path(wanted) || path.is_file() {
        return file(path, "file", |path| Source::Gguf(ModelSource::File(path.to_owned())));
    }
    named(list(directories).models, wanted)
}

/// Every model found on this machine. Never fails: what cannot be read is noted.
pub fn list(directories: &[PathBuf]) -> Listing {
    let mut listing = discover::find(directories, &places::Places::of_user());
    if let Some(model) = builtin::model() {
        listing.models.insert(0, model);
    }
    listing
}

fn looks_like_path(wanted: &str) -> bool {
    let ends_like_one =
        Path::new(wanted).extension().is_some_and(|ending| ending.eq_ignore_ascii_case("gguf"));
    ends_like_one || wanted.starts_with(['.', '/', '\\'])
}

fn file(path: &Path, origin: &str, source: impl Fn(&Path) -> Source) -> Result<Model, ModelError> {
    let io = |source| ModelError::Io { path: path.to_owned(), source };
    let metadata = std::fs::metadata(path).map_err(io)?;
    if !metadata.is_file() {
        return Err(io(std::io::Error::new(
            std::io::ErrorKind::InvalidInput,
            "not a file; name a GGUF file",
        )));
    }
    Ok(Model {
        name: discover::stem(path),
        origin: origin.to_owned(),
        source: source(path),
        size: match discover::size(path) {
            Ok(size) => size,
            // What is missing is said when it is opened.
            Err(_) => metadata.len(),
        },
    })
}

/// The first model of exactly that name, else the first of that name in any case.
fn named(mut models: Vec<Model>, wanted: &str) -> Result<Model, ModelError> {
    let exact = models.iter().position(|model| model.name == wanted);
    let found =
        exact.or_else(|| models.iter().position(|model| model.name.eq_ignore_ascii_case(wanted)));
    if let Some(found) = found {
        return Ok(models.swap_remove(found));
    }
    let part = wanted.to_lowercase();
    let near: Vec<&str> = models
        .iter()
        .map(|model| model.name.as_str())
        .filter(|name| name.to_lowercase().contains(&part))
        .take(3)
        .collect();
    let near =
        if near.is_empty() { String::new() } else { format!("; there is {}", near.join(", ")) };
    Err(ModelError::NotFound { name: wanted.to_owned(), near })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn model(name: &str) -> Model {
        let source = Source::Gguf(ModelSource::File(PathBuf::from(name)));
        Model { name: name.to_owned(), origin: "test".to_owned(), source, size: 1 }
    }

    #[cfg(feature = "builtin-model")]
    #[test]
    fn without_a_wish_the_built_in_model_is_used() {
        let by_default = resolve(None, &[]).unwrap();
        let by_name = resolve(Some("builtin"), &[]).unwrap();
        assert_eq!((by_default.name.as_str(), by_name.name.as_str()), ("builtin", "builtin"));
        assert_eq!(by_default.location(), "compiled into this program");
    }

    #[test]
    fn a_path_is_taken_as_it_is_and_a_missing_one_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tiny.Q8_0.gguf");
        std::fs::write(&path, "GGUF").unwrap();
        let model = resolve(path.to_str(), &[]).unwrap();
        assert_eq!((model.name.as_str(), model.size), ("tiny.Q8_0", 4));
        let missing = folder.path().join("none.gguf");
        let error = resolve(missing.to_str(), &[]).unwrap_err().to_string();
        assert!(error.contains("none.gguf"), "{error}");
        let error = resolve(Some("./"), &[]).unwrap_err().to_string();
        assert!(error.contains("not a file"), "{error}");
    }

    #[test]
    fn a_name_of_a_configured_folder_is_found_in_any_case() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("Coder-7B.gguf"), "GGUF").unwrap();
        let model = resolve(Some("coder-7b"), &[folder.path().to_owned()]).unwrap();
        assert_eq!((model.name.as_str(), model.origin.as_str()), ("Coder-7B", "configured folder"));
    }

    #[test]
    fn an_exact_name_wins_and_an_unknown_one_is_told_what_is_like_it() {
        let models = vec![model("CODER"), model("coder"), model("coder:7b")];
        assert_eq!(named(models.clone(), "coder").unwrap().name, "coder");
        let error = named(models, "er:7").unwrap_err().to_string();
        assert!(error.ends_with("there is coder:7b"), "{error}");
    }
}
