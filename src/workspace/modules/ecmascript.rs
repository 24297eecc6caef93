//! JavaScript and TypeScript: specifiers with their ending left out, an alias for the source folder,
//! packages of the same repository.

use std::path::{Path, PathBuf};

use super::{Modules, normal};

/// What a specifier may leave out, in the order in which it is looked for.
const ENDINGS: [&str; 9] = ["ts", "tsx", "d.ts", "js", "jsx", "mts", "cts", "mjs", "cjs"];
/// What compilers make of a source file, and the source.
const COMPILED: [(&str, &[&str]); 4] =
    [("js", &["ts", "tsx", "jsx"]), ("jsx", &["tsx"]), ("mjs", &["mts"]), ("cjs", &["cts"])];
/// Where packages and their sources lie.
const SOURCES: [&str; 3] = ["", "src", "lib"];

/// The files of a specifier: relative to this file, below the folder that an alias (`@/`, `~/`)
/// stands for, in a package of the repository, or below a folder around this one.
pub(super) fn candidates(modules: &Modules<'_>, segments: &[String]) -> Vec<PathBuf> {
    let Some((first, rest)) = segments.split_first() else { return Vec::new() };
    let below: PathBuf = rest.iter().collect();
    let whole: PathBuf = segments.iter().collect();
    let mut bases: Vec<PathBuf> = Vec::new();
    if first.starts_with('.') {
        let folder = modules.path.parent().unwrap_or(Path::new(""));
        bases.extend(normal(&folder.join(whole)));
    } else if matches!(first.as_str(), "@" | "~" | "#" | "src") {
        bases.extend(modules.folders().map(|folder| folder.join("src").join(&below)));
        bases.extend(modules.folders().map(|folder| folder.join(&below)));
    } else {
        let (package, inner) = match rest.split_first() {
            Some((package, inner)) if first.starts_with('@') => (package, inner),
            _ => (first, rest),
        };
        let inner: PathBuf = inner.iter().collect();
        for folder in modules.folders() {
            for home in [folder.join(package), folder.join("packages").join(package)] {
                bases.extend(SOURCES.map(|source| home.join(source).join(&inner)));
            }
            bases.extend(SOURCES.map(|source| folder.join(source).join(&whole)));
        }
    }
    bases.iter().flat_map(|base| files(base)).collect()
}

/// The files that `base` may mean.
fn files(base: &Path) -> Vec<PathBuf> {
    let mut files = vec![base.to_owned()];
    let ending = base.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
    for (compiled, sources) in COMPILED {
        if compiled == ending {
            files.extend(sources.iter().map(|source| base.with_extension(source)));
        }
    }
    if let Some(name) = base.file_name().and_then(|name| name.to_str()) {
        files.extend(ENDINGS.map(|ending| base.with_file_name(format!("{name}.{ending}"))));
    }
    files.extend(ENDINGS.map(|ending| base.join(format!("index.{ending}"))));
    files
}
