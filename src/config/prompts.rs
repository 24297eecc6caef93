//! The task prompts, with the user's own in their place.

use std::collections::BTreeMap;

use super::fields::Config;
use super::load;
use crate::prompt::template::Templates;

/// The task prompts of `config`; on an error, what is wrong with which file or folder.
pub fn templates(config: &Config) -> Result<Templates, String> {
    let mut overrides = BTreeMap::new();
    if let Some(folder) = &config.prompts.directory {
        let io = |error: std::io::Error| format!("{}: {error}", folder.display());
        for entry in std::fs::read_dir(folder).map_err(io)? {
            let path = entry.map_err(io)?.path();
            if path.extension().is_none_or(|ending| ending != "md") {
                continue;
            }
            let text = load::read(&path).map_err(|error| format!("{}: {error}", path.display()))?;
            let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            overrides.extend(text.map(|text| (name, text)));
        }
    }
    Templates::new(overrides).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prompt_that_is_no_regular_or_too_large_a_file_is_refused_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let mut config = Config::default();
        assert!(templates(&config).is_ok());
        config.prompts.directory = Some(folder.path().to_owned());
        std::fs::write(folder.path().join("note.txt"), "not a prompt").unwrap();
        assert!(templates(&config).is_ok());
        let path = folder.path().join("explain.md");
        std::fs::write(&path, " ".repeat((1 << 20) + 1)).unwrap();
        let error = templates(&config).unwrap_err();
        assert!(error.contains("explain.md: larger than"), "{error}");
        std::fs::remove_file(&path).unwrap();
        std::fs::create_dir(&path).unwrap();
        let error = templates(&config).unwrap_err();
        assert!(error.contains("explain.md: not a regular file"), "{error}");
    }
}
