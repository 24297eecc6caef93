//! Committed text that is generated from the code is up to date; `UPDATE=1` rewrites it.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a broken check-out may panic")]

use std::path::Path;

use agent::config::docs;

#[test]
fn the_options_schema_is_up_to_date() {
    check("editors/options.schema.json", |_| docs::schema());
}

#[test]
fn the_options_table_of_the_readme_is_up_to_date() {
    check("README.md", |text| {
        docs::with_table(text).expect("README.md has the markers of the options table")
    });
}

/// Fails when `path` is not what `generate` makes of its text, unless asked to rewrite it.
fn check(path: &str, generate: impl Fn(&str) -> String) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    let current = std::fs::read_to_string(&file).unwrap_or_default();
    let wanted = generate(&current);
    if current == wanted {
        return;
    }
    assert!(
        std::env::var_os("UPDATE").is_some_and(|value| value == "1"),
        "{path} is stale; run `UPDATE=1 cargo test --test generated`"
    );
    std::fs::create_dir_all(file.parent().expect("a file lies in a folder")).unwrap();
    std::fs::write(&file, wanted).unwrap();
}
