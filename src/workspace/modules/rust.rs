//! Rust: modules of this crate and of the workspace's other crates.

use std::path::{Path, PathBuf};

use super::Modules;

/// The files of a path: `crate`, `self`, `super`, a crate of the workspace, or a module beside or
/// below this one.
pub(super) fn candidates(modules: &Modules<'_>, segments: &[String]) -> Vec<PathBuf> {
    let Some((first, rest)) = segments.split_first() else { return Vec::new() };
    let (source, own) = module_of(modules.path);
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
            if let Some(library) = library(modules, name) {
                return files(&library, rest);
            }
            bases.push(own.iter().chain(segments).cloned().collect());
            let parent = own.len().saturating_sub(1);
            bases.push(own.iter().take(parent).chain(segments).cloned().collect());
        }
    }
    bases.iter().flat_map(|base| files(&source, base)).collect()
}

/// The source folder of a file's crate and the file's module path in it.
fn module_of(path: &Path) -> (PathBuf, Vec<String>) {
    let parts: Vec<String> = path.iter().map(|part| part.to_string_lossy().into_owned()).collect();
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

/// The source folder of the workspace's crate `name`: the one in a folder of that name, or the one
/// at the root of a repository of that name.
fn library(modules: &Modules<'_>, name: &str) -> Option<PathBuf> {
    let crates = modules.crates.get_or_init(|| {
        // Comparing paths part by part takes longer, and few files are called so.
        let is_called_so = |path: &Path| path.as_os_str().as_encoded_bytes().ends_with(b"lib.rs");
        let libraries = modules
            .index
            .files()
            .filter(|file| is_called_so(&file.path) && file.path.ends_with("src/lib.rs"));
        libraries
            .filter_map(|file| {
                let source = file.path.parent()?;
                let folder = source.parent().and_then(Path::file_name);
                let name =
                    folder.map_or(modules.repository.into(), |folder| folder.to_string_lossy());
                Some((name.replace('-', "_"), source.to_owned()))
            })
            .collect()
    });
    crates.iter().find(|(known, _)| known == name).map(|(_, source)| source.clone())
}

/// The files that may hold the module `segments` of the crate in `source`; the root module's files
/// where there are no segments.
fn files(source: &Path, segments: &[String]) -> Vec<PathBuf> {
    if segments.is_empty() {
        return vec![source.join("lib.rs"), source.join("main.rs")];
    }
    let module = source.join(segments.iter().collect::<PathBuf>());
    vec![module.with_extension("rs"), module.join("mod.rs")]
}
