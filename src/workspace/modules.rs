//! Module paths → files of the workspace, by each language's rules. Manifests are not read: what
//! they would say is told from the names of folders.

mod ecmascript;
mod go;
mod include;
mod java;
mod python;
mod rust;

use std::cell::OnceCell;
use std::path::{Component, Path, PathBuf};

use super::index::{Index, Symbol};
use crate::syntax::Language;
use crate::syntax::imports::Import;
use crate::syntax::language::ModuleRule;

/// Finds the files of modules as one file names them.
pub struct Modules<'a> {
    language: Language,
    path: &'a Path,
    repository: &'a str,
    index: &'a Index,
    /// The crates of the workspace, once asked for: name, source folder.
    crates: OnceCell<Vec<(String, PathBuf)>>,
}

impl<'a> Modules<'a> {
    /// For the file at `path` (relative) of the repository of that name.
    pub fn new(language: Language, path: &'a Path, repository: &'a str, index: &'a Index) -> Self {
        Self { language, path, repository, index, crates: OnceCell::new() }
    }

    /// The indexed file of the module that an import's path names; of several, the first.
    pub fn file(&self, segments: &[String]) -> Option<PathBuf> {
        self.files(segments).into_iter().next()
    }

    /// The indexed files of the module that an import's path names: several where a folder is a
    /// module. Empty for what is not of this workspace.
    pub fn files(&self, segments: &[String]) -> Vec<PathBuf> {
        let candidates = match self.language.spec().modules {
            ModuleRule::Rust => rust::candidates(self, segments),
            ModuleRule::Python => python::candidates(self, segments),
            ModuleRule::Ecmascript => ecmascript::candidates(self, segments),
            ModuleRule::Include => include::candidates(self, segments),
            ModuleRule::Go => return go::files(self, segments),
            ModuleRule::Java => return java::files(self, segments),
        };
        let found = candidates.into_iter().find(|path| self.index.holds(path));
        found.into_iter().collect()
    }

    /// Whether a path can go on inside a file, to a variant or a nested item.
    pub fn lead_into_files(&self) -> bool {
        let rule = self.language.spec().modules;
        matches!(rule, ModuleRule::Rust | ModuleRule::Python | ModuleRule::Java)
    }

    /// The one definition of `name` in the files below the module in `file`, where there is just
    /// one: its file and its number among the items there.
    pub fn below(&self, file: &Path, name: &str) -> Option<(&'a Path, &'a Symbol)> {
        let folder = match file.file_stem().and_then(|stem| stem.to_str()) {
            Some("mod" | "lib" | "main" | "__init__" | "index") => {
                file.parent().map(Path::to_owned)
            }
            Some(_) => Some(file.with_extension("")),
            None => None,
        }?;
        let mut found = self
            .index
            .named(name)
            .filter(|(file, _)| file.path.starts_with(&folder))
            .filter_map(|(file, item)| Some((&*file.path, file.items.get(item)?)))
            .filter(|(_, symbol)| symbol.owner.is_none() && symbol.public && !symbol.test);
        let one = found.next()?;
        found.next().is_none().then_some(one)
    }

    /// The folders around the file, nearest first, the root last.
    fn folders(&self) -> impl Iterator<Item = &'a Path> {
        self.path.ancestors().skip(1)
    }

    /// The files right in `folder` of this language.
    fn in_folder(&self, folder: &Path) -> Vec<PathBuf> {
        self.index
            .below(folder)
            .filter(|file| file.language == self.language && file.path.parent() == Some(folder))
            .map(|file| file.path.to_path_buf())
            .collect()
    }
}

/// The name of the item that an import brings in: what a module exports without a name is mostly
/// called as its importer calls it.
pub fn item_name(import: &Import) -> &str {
    match (import.name.as_str(), &import.alias) {
        ("default", Some(alias)) => alias,
        (name, _) => name,
    }
}

/// `path` without `.` and `..`; `None` where it leads out of the workspace.
fn normal(path: &Path) -> Option<PathBuf> {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                if !out.pop() {
                    return None;
                }
            }
            Component::Normal(part) => out.push(part),
            Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::syntax::SyntaxTree;
    use crate::syntax::imports::imports;

    /// What the imports of `text`, the file at `path`, lead to among `files`.
    #[track_caller]
    fn check(path: &str, text: &str, files: &[&str], expected: &[&str]) {
        let language = Language::of_path(Path::new(path)).unwrap();
        let mut index = Index::default();
        for file in files {
            index.insert(Path::new(file), "");
        }
        let modules = Modules::new(language, Path::new(path), "shop", &index);
        let found: Vec<String> = imports(&SyntaxTree::parse(language, text), text)
            .into_iter()
            .map(|import| {
                let mut whole = import.path.clone();
                whole.push(import.name);
                let mut files = modules.files(&whole);
                if files.is_empty() {
                    files = modules.files(&import.path);
                }
                let files: Vec<_> = files.iter().map(|file| file.display().to_string()).collect();
                files.join(" ")
            })
            .collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn rust_paths_lead_to_files_of_crates() {
        check(
            "app/src/a/b.rs",
            "use crate::x::Y; use super::c::D; use self::e::F; use my_store::g::H; use shop::I; use std::fmt;",
            &[
                "app/src/x.rs",
                "app/src/a/c.rs",
                "app/src/a/b/e.rs",
                "my-store/src/lib.rs",
                "my-store/src/g.rs",
                "src/lib.rs",
            ],
            &[
                "app/src/x.rs",
                "app/src/a/c.rs",
                "app/src/a/b/e.rs",
                "my-store/src/g.rs",
                "src/lib.rs",
                "",
            ],
        );
    }

    #[test]
    fn python_paths_lead_to_modules_and_packages() {
        check(
            "pkg/sub/a.py",
            "from .b import c\nfrom .. import d\nimport pkg.e\nfrom pkg import f\nimport os\n",
            &["pkg/sub/b.py", "pkg/d.py", "src/pkg/e.py", "pkg/__init__.py"],
            &["pkg/sub/b.py", "pkg/d.py", "src/pkg/e.py", "pkg/__init__.py", ""],
        );
    }

    #[cfg(feature = "typescript")]
    #[test]
    fn es_specifiers_lead_to_files_with_endings_left_out_or_swapped() {
        check(
            "app/src/view/list.tsx",
            "import a from './item';\nimport b from '../money.js';\nimport c from '../names';\n\
             import d from '@/util/text';\nimport e from '@shop/math';\nimport f from 'react';\n\
             import g from '.';\nimport h from '../../../../out';\nimport i from './style.css';\n",
            &[
                "app/src/view/item.tsx",
                "app/src/money.ts",
                "app/src/names/index.ts",
                "app/src/util/text.ts",
                "packages/math/src/index.ts",
                "app/src/view/index.ts",
            ],
            &[
                "app/src/view/item.tsx",
                "app/src/money.ts",
                "app/src/names/index.ts",
                "app/src/util/text.ts",
                "packages/math/src/index.ts",
                "",
                "app/src/view/index.ts",
                "",
                "",
            ],
        );
    }

    #[cfg(feature = "go")]
    #[test]
    fn go_paths_lead_to_the_files_of_a_folder() {
        check(
            "cmd/main.go",
            "package main\nimport (\n\t\"example.com/shop/money\"\n\t\"example.com/shop\"\n\t\"net/http\"\n)\n",
            &["money/a.go", "money/b.go", "money/sub/c.go", "money/x.py", "shop.go", "http/h.go"],
            &["money/a.go money/b.go", "shop.go", ""],
        );
    }

    #[cfg(feature = "cpp")]
    #[test]
    fn includes_are_looked_for_beside_the_file_and_above_it() {
        check(
            "src/cart/cart.cc",
            "#include \"cart.h\"\n#include \"util/list.h\"\n#include <shop/names.h>\n#include <vector>\n",
            &["src/cart/cart.h", "src/util/list.h", "include/shop/names.h"],
            &["src/cart/cart.h", "src/util/list.h", "include/shop/names.h", ""],
        );
    }

    #[cfg(feature = "java")]
    #[test]
    fn java_packages_lead_to_classes_in_any_source_folder() {
        check(
            "app/src/test/java/com/shop/CartTest.java",
            "import com.shop.Cart;\nimport static com.shop.Money.round;\nimport com.shop.names.*;\n\
             import java.util.List;\n",
            &[
                "app/src/main/java/com/shop/Cart.java",
                "app/src/main/java/com/shop/Money.java",
                "app/src/main/java/com/shop/names/First.java",
            ],
            &[
                "app/src/main/java/com/shop/Cart.java",
                "app/src/main/java/com/shop/Money.java",
                "app/src/main/java/com/shop/names/First.java",
                "",
            ],
        );
    }
}
