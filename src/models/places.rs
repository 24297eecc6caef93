//! Where other programs keep their models.

use std::path::{Path, PathBuf};

use etcetera::BaseStrategy;

/// Folders to look into; those that do not exist are passed over.
#[derive(Debug, Clone, Default)]
pub struct Places {
    /// Ollama's stores.
    pub ollama: Vec<PathBuf>,
    /// LM Studio's.
    pub lm_studio: Vec<PathBuf>,
    /// The Hugging Face cache.
    pub hugging_face: Vec<PathBuf>,
    /// llama.cpp's own cache, from before it shared the former.
    pub llama_cpp: Vec<PathBuf>,
}

impl Places {
    /// The places of the user who runs this program.
    pub fn of_user() -> Self {
        let base = etcetera::choose_base_strategy().ok();
        let home = base.as_ref().map(|base| base.home_dir().to_owned());
        let variable = |name: &str| {
            std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from)
        };
        let cache = base.as_ref().map(BaseStrategy::cache_dir);
        Self::new(home.as_deref(), cache.as_deref(), variable)
    }

    /// The places of a user with this home and cache folder and these environment variables.
    fn new(
        home: Option<&Path>,
        cache: Option<&Path>,
        variable: impl Fn(&str) -> Option<PathBuf>,
    ) -> Self {
        let in_home = |path: &str| home.map(|home| home.join(path));
        let in_cache = |path: &str| cache.map(|cache| cache.join(path));
        // The first that is set is the one the other program uses.
        let ollama = match variable("OLLAMA_MODELS") {
            Some(folder) => vec![folder],
            None => in_home(".ollama/models")
                .into_iter()
                .chain([PathBuf::from("/usr/share/ollama/.ollama/models")])
                .collect(),
        };
        let hugging_face = variable("HF_HUB_CACHE")
            .or_else(|| variable("HUGGINGFACE_HUB_CACHE"))
            .or_else(|| variable("HF_HOME").map(|home| home.join("hub")))
            .or_else(|| in_cache("huggingface/hub"));
        let llama_cpp = match variable("LLAMA_CACHE") {
            Some(folder) => vec![folder],
            None => in_cache("llama.cpp")
                .into_iter()
                .chain(in_home("Library/Caches/llama.cpp"))
                .chain(variable("LOCALAPPDATA").map(|folder| folder.join("llama.cpp")))
                .collect(),
        };
        Self {
            ollama,
            lm_studio: in_home(".lmstudio/models")
                .into_iter()
                .chain(in_cache("lm-studio/models"))
                .collect(),
            hugging_face: hugging_face.into_iter().collect(),
            llama_cpp,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(variables: &[(&str, &str)]) -> Places {
        Places::new(Some(Path::new("/u")), Some(Path::new("/u/.cache")), |name| {
            variables.iter().find(|(known, _)| *known == name).map(|(_, value)| value.into())
        })
    }

    #[test]
    fn the_first_variable_that_is_set_wins() {
        let hub = |variables| places(variables).hugging_face;
        assert_eq!(hub(&[]), [PathBuf::from("/u/.cache/huggingface/hub")]);
        assert_eq!(hub(&[("HF_HOME", "/h")]), [PathBuf::from("/h/hub")]);
        assert_eq!(hub(&[("HF_HOME", "/h"), ("HF_HUB_CACHE", "/c")]), [PathBuf::from("/c")]);
    }

    #[test]
    fn ollama_is_sought_at_home_and_as_a_service_unless_moved() {
        assert_eq!(
            places(&[]).ollama,
            [PathBuf::from("/u/.ollama/models"), PathBuf::from("/usr/share/ollama/.ollama/models")]
        );
        assert_eq!(places(&[("OLLAMA_MODELS", "/m")]).ollama, [PathBuf::from("/m")]);
    }
}
