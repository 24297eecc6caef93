//! Files that the user wants no model to see, by patterns as in a `.gitignore`.

use std::path::Path;

use ignore::gitignore::{Gitignore, GitignoreBuilder};

/// Patterns of files that no model is shown.
#[derive(Debug, Clone)]
pub struct Exclusions {
    patterns: Vec<String>,
    matcher: Gitignore,
}

impl Default for Exclusions {
    fn default() -> Self {
        Self { patterns: Vec::new(), matcher: Gitignore::empty() }
    }
}

impl PartialEq for Exclusions {
    fn eq(&self, other: &Self) -> bool {
        self.patterns == other.patterns
    }
}

impl Exclusions {
    /// The files that `patterns` name in a workspace. Later ones win, and one with `!` before it
    /// brings back what those before it exclude. A pattern that is none is left out; see
    /// [`Exclusions::check`].
    pub fn new(patterns: &[String]) -> Self {
        let mut builder = builder();
        for pattern in patterns {
            if let Err(error) = builder.add_line(None, pattern) {
                tracing::warn!("exclude: {pattern}: {error}");
            }
        }
        let matcher = builder.build().unwrap_or_else(|_| Gitignore::empty());
        Self { patterns: patterns.to_vec(), matcher }
    }

    /// What is wrong with a pattern, if anything is.
    pub fn check(pattern: &str) -> Result<(), String> {
        let mut builder = builder();
        let added = builder.add_line(None, pattern).map(drop);
        added.map_err(|error| format!("{pattern}: no pattern of files: {error}"))
    }

    /// The pattern that excludes a file (path relative to the workspace), or a folder it is in.
    pub fn of(&self, path: &Path) -> Option<&str> {
        let safe = path.is_relative() && !path.as_os_str().is_empty();
        let found = safe.then(|| self.matcher.matched_path_or_any_parents(path, false))?;
        found.is_ignore().then(|| found.inner().map_or("", |glob| glob.original()))
    }
}

fn builder() -> GitignoreBuilder {
    let mut builder = GitignoreBuilder::new("");
    // A bracket left open is a slip, not a file's name.
    builder.allow_unclosed_class(false);
    builder
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_those_of_a_gitignore_and_the_last_one_wins() {
        let patterns = ["vendor/", "*.gen.rs", "/top.py", "!keep.gen.rs"].map(str::to_owned);
        let exclusions = Exclusions::new(&patterns);
        for (path, by) in [
            ("vendor/a/b.py", Some("vendor/")),
            ("x/vendor/b.py", Some("vendor/")),
            ("src/a.gen.rs", Some("*.gen.rs")),
            ("src/keep.gen.rs", None),
            ("top.py", Some("/top.py")),
            ("sub/top.py", None),
            ("src/a.rs", None),
            ("", None),
            ("/etc/a.gen.rs", None),
        ] {
            assert_eq!(exclusions.of(Path::new(path)), by, "{path}");
        }
        assert_eq!(Exclusions::default().of(Path::new("a.rs")), None);
    }

    #[test]
    fn a_fault_in_a_pattern_is_said_and_the_others_are_used() {
        assert!(Exclusions::check("a[").unwrap_err().starts_with("a[: no pattern of files"));
        assert_eq!(Exclusions::check("**/a/*.rs"), Ok(()));
        let exclusions = Exclusions::new(&["a[".to_owned(), "b".to_owned()]);
        assert_eq!(exclusions.of(Path::new("b")), Some("b"));
    }
}
