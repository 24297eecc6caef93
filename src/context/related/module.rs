//! Module paths → files of the workspace, by each language's rules.

use std::path::{Path, PathBuf};

use crate::syntax::Language;
use crate::workspace::index::{Index, Symbol};

/// Finds the files of modules as one file names them.
pub(super) struct Modules<'a> {
    language: Language,
    path: &'a Path,
    repository: &'a str,
    index: &'a Index,
}

impl<'a> Modules<'a> {
    pub(super) fn new(
        language: Language,
        path: &'a Path,
        repository: &'a str,
        index: &'a Index,
    ) -> Self {
        Self { language, path, repository, index }
    }

    /// The indexed file of the module that an import's path names.
    pub(super) fn file(&self, segments: &[String]) -> Option<PathBuf> {
        let candidates = match self.language.name() {
            "rust" => self.rust(segments),
            "python" => self.python(segments),
            _ => Vec::new(),
        };
        candidates.into_iter().find(|candidate| self.index.holds(candidate))
    }

    /// The definition of `name` in the files below the module in `file`, where there is just one.
    pub(super) fn below(&self, file: &Path, name: &str) -> Vec<&'a Symbol> {
        let folder = match file.file_stem().and_then(|stem| stem.to_str()) {
            Some("mod" | "lib" | "main" | "__init__") => file.parent().map(Path::to_owned),
            Some(_) => Some(file.with_extension("")),
            None => None,
        };
        let Some(folder) = folder else { return Vec::new() };
        let found: Vec<&Symbol> = self
            .index
            .named(name)
            .filter(|(file, _)| file.path.starts_with(&folder))
            .filter_map(|(file, item)| file.items.get(item))
            .filter(|symbol| symbol.owner.is_none() && symbol.public && !symbol.test)
            .collect();
        match &found[..] {
            [one] => super::with_members(self.index.of_file(&one.path), name),
            _ => Vec::new(),
        }
    }

    /// Candidates for a Rust path: `crate`, `self`, `super`, a crate of the workspace, or a module
    /// beside or below this one.
    fn rust(&self, segments: &[String]) -> Vec<PathBuf> {
        let Some((first, rest)) = segments.split_first() else { return Vec::new() };
        let (source, own) = self.rust_module();
        let mut bases: Vec<Vec<String>> = Vec::new();
        match first.as_str() {
            "crate" => bases.push(rest.to_vec()),
            "self" => bases.push(own.iter().chain(rest).cloned().collect()),
            "super" => {
                let ups = segments.iter().take_while(|segment| *segment == "super").count();
                let rest = segments.get(ups..).unwrap_or_default();
                // Inside an inline module, such as `mod tests`, the first `super` is this file.
                for ups in [ups, ups - 1] {
                    let kept = own.len().saturating_sub(ups);
                    bases.push(own.iter().take(kept).chain(rest).cloned().collect());
                }
            }
            name => {
                if let Some(library) = self.rust_crate(name) {
                    return rust_files(&library, rest);
                }
                bases.push(own.iter().chain(segments).cloned().collect());
                let parent = own.len().saturating_sub(1);
                bases.push(own.iter().take(parent).chain(segments).cloned().collect());
            }
        }
        bases.iter().flat_map(|base| rust_files(&source, base)).collect()
    }

    /// The source folder of this file's crate and the file's module path in it.
    fn rust_module(&self) -> (PathBuf, Vec<String>) {
        let parts: Vec<String> =
            self.path.iter().map(|part| part.to_string_lossy().into_owned()).collect();
        let source = parts.iter().rposition(|part| part == "src").map_or(0, |at| at + 1);
        let folder: PathBuf = parts.iter().take(source).collect();
        let mut module: Vec<String> = parts.into_iter().skip(source).collect();
        if let Some(last) = module.pop() {
            let stem = last.strip_suffix(".rs").unwrap_or(&last);
            if !matches!(stem, "mod" | "lib" | "main") {
                module.push(stem.to_owned());
            }
        }
        (folder, module)
    }

    /// The source folder of the workspace's crate `name`: the one in a folder of that name, or the
    /// one at the root of a repository of that name. Manifests are not read here.
    fn rust_crate(&self, name: &str) -> Option<PathBuf> {
        let same = |folder: &str| folder.replace('-', "_") == name;
        self.index.files().map(|file| &*file.path).find_map(|path| {
            let source = path.parent().filter(|_| path.ends_with("src/lib.rs"))?;
            let folder = source.parent().and_then(Path::file_name);
            let folder = folder.map_or(self.repository.into(), |folder| folder.to_string_lossy());
            same(&folder).then(|| source.to_owned())
        })
    }

    /// Candidates for a Python module: relative to this file's package, or below a folder that
    /// may be on the module path.
    fn python(&self, segments: &[String]) -> Vec<PathBuf> {
        let dotted = segments.join(".");
        let written = dotted.trim_start_matches('.');
        let names: Vec<&str> = written.split('.').filter(|name| !name.is_empty()).collect();
        let relative = segments.first().is_some_and(|first| first.starts_with('.'));
        let mut roots: Vec<PathBuf> = Vec::new();
        if relative {
            let dots: usize = segments
                .iter()
                .map_while(|segment| {
                    let dots = segment.chars().take_while(|c| *c == '.').count();
                    (dots > 0).then_some(dots)
                })
                .sum();
            roots.extend(self.path.ancestors().nth(dots).map(Path::to_owned));
        } else if !names.is_empty() {
            roots.push(PathBuf::new());
            roots.push("src".into());
            roots.extend(self.path.ancestors().skip(1).map(Path::to_owned));
        }
        roots
            .into_iter()
            .flat_map(|root| {
                let module: PathBuf = root.join(names.iter().collect::<PathBuf>());
                let package = module.join("__init__.py");
                let file = (!names.is_empty()).then(|| module.with_extension("py"));
                file.into_iter().chain([package])
            })
            .collect()
    }
}

/// The files that may hold the module `segments` of the crate in `source`; the root module's files
/// where there are no segments.
fn rust_files(source: &Path, segments: &[String]) -> Vec<PathBuf> {
    if segments.is_empty() {
        return vec![source.join("lib.rs"), source.join("main.rs")];
    }
    let module = source.join(segments.iter().collect::<PathBuf>());
    vec![module.with_extension("rs"), module.join("mod.rs")]
}
