//! Python: modules and packages, relative to this one or below a folder on the module path.

use std::path::{Path, PathBuf};

use super::Modules;

/// The files of a module: relative to this file's package, or below a folder that may be on the
/// module path.
pub(super) fn candidates(modules: &Modules<'_>, segments: &[String]) -> Vec<PathBuf> {
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
        roots.extend(modules.path.ancestors().nth(dots).map(Path::to_owned));
    } else if !names.is_empty() {
        roots.push(PathBuf::new());
        roots.push("src".into());
        roots.extend(modules.folders().map(Path::to_owned));
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
