//! Looks into other programs' model stores and the user's folders; reads only, never fails.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::{Listing, Model, Source, places::Places};
use crate::engine::ModelSource;
use crate::engine::gguf::{PartName, part_paths};

/// How deep below a folder files are looked for.
const MAX_DEPTH: usize = 6;
/// How many entries of one folder tree are looked at, so that a folder named by mistake (`/`)
/// costs little.
const MAX_ENTRIES: usize = 20_000;
/// The largest manifest that is read, in bytes.
const MAX_MANIFEST: u64 = 1 << 20;
/// The layer of an Ollama manifest that is a GGUF file.
const OLLAMA_MODEL: &str = "application/vnd.ollama.image.model";

/// The models in the user's `directories` and in `places`.
pub fn find(directories: &[PathBuf], places: &Places) -> Listing {
    let mut listing = Listing::default();
    for folder in directories {
        if !folder.is_dir() {
            listing.notes.push(format!("{}: not a folder (models.directories)", folder.display()));
        }
        folder_of_files(folder, "configured folder", &mut listing);
    }
    for folder in &places.ollama {
        ollama(folder, &mut listing);
    }
    for folder in &places.lm_studio {
        folder_of_files(folder, "LM Studio", &mut listing);
    }
    for folder in &places.hugging_face {
        folder_of_files(folder, "Hugging Face cache", &mut listing);
    }
    for folder in &places.llama_cpp {
        folder_of_files(folder, "llama.cpp cache", &mut listing);
    }
    let mut seen = std::collections::HashSet::new();
    listing.models.retain(|model| match &model.source {
        Source::Gguf(ModelSource::File(path)) => {
            seen.insert(path.canonicalize().unwrap_or_else(|_| path.clone()))
        }
        _ => true,
    });
    listing
}

/// The name of a model file: its file name without `.gguf` and the mark of a part.
pub fn stem(path: &Path) -> String {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    match PartName::parse(&stem) {
        Some(part) => part.name.to_owned(),
        None => stem.into_owned(),
    }
}

/// Bytes of the model that the file at `path` is or is a part of; an error names the file that is
/// not there.
pub fn size(path: &Path) -> Result<u64, (PathBuf, std::io::Error)> {
    let parts = part_paths(path).unwrap_or_else(|| vec![path.to_owned()]);
    parts.into_iter().try_fold(0u64, |sum, part| match std::fs::metadata(&part) {
        Ok(metadata) => Ok(sum.saturating_add(metadata.len())),
        Err(error) => Err((part, error)),
    })
}

/// Adds the GGUF files below `folder`, sorted by path.
fn folder_of_files(folder: &Path, origin: &str, listing: &mut Listing) {
    let mut files = Vec::new();
    walk(folder, MAX_DEPTH, &mut MAX_ENTRIES.clone(), &mut files, &mut listing.notes);
    files.sort();
    for path in files {
        let is_gguf = path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("gguf"));
        let stem_text = path.file_stem().unwrap_or_default().to_string_lossy().to_lowercase();
        // Picture encoders and later parts are no models of their own.
        let other = stem_text.contains("mmproj")
            || PartName::parse(&stem_text).is_some_and(|part| part.number != 1);
        if is_gguf && !other {
            add(stem(&path), origin, path, listing);
        }
    }
}

/// Adds the models of an Ollama store, named as Ollama names them.
fn ollama(root: &Path, listing: &mut Listing) {
    // `manifests`, and whatever a later layout calls it (`manifests-v2`).
    let mut manifests = Vec::new();
    for folder in entries(root, &mut listing.notes) {
        let name = folder.file_name().unwrap_or_default().to_string_lossy();
        if name.starts_with("manifest") && folder.is_dir() {
            let mut left = MAX_ENTRIES;
            walk(&folder, MAX_DEPTH, &mut left, &mut manifests, &mut listing.notes);
        }
    }
    manifests.sort();
    for manifest in manifests {
        let Some(digest) = ollama_model_digest(&manifest) else { continue };
        let blob = root.join("blobs").join(digest.replace(':', "-"));
        add(ollama_name(&manifest), "Ollama", blob, listing);
    }
}

/// `…/{host}/{namespace}/{model}/{tag}` → `model:tag`, with the namespace unless it is Ollama's.
fn ollama_name(manifest: &Path) -> String {
    let parts: Vec<String> =
        manifest.iter().rev().take(3).map(|part| part.to_string_lossy().into_owned()).collect();
    match parts.as_slice() {
        [tag, model, namespace] if namespace == "library" => format!("{model}:{tag}"),
        [tag, model, namespace] => format!("{namespace}/{model}:{tag}"),
        _ => parts.join(":"),
    }
}

fn ollama_model_digest(manifest: &Path) -> Option<String> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Layer {
        media_type: String,
        digest: String,
    }
    #[derive(Deserialize)]
    struct Manifest {
        layers: Vec<Layer>,
    }

    let mut text = String::new();
    File::open(manifest).ok()?.take(MAX_MANIFEST).read_to_string(&mut text).ok()?;
    let manifest: Manifest = serde_json::from_str(&text).ok()?;
    let layer = manifest.layers.into_iter().find(|layer| layer.media_type == OLLAMA_MODEL)?;
    let hex = layer.digest.strip_prefix("sha256:")?;
    // The digest becomes a file name: nothing but a digest may.
    let sound = hex.len() == 64 && hex.bytes().all(|byte| byte.is_ascii_hexdigit());
    sound.then_some(layer.digest)
}

/// Adds `path`, the only or the first file of a model, if it starts like a GGUF file; says so if it
/// cannot be read or if another part is missing.
fn add(name: String, origin: &str, path: PathBuf, listing: &mut Listing) {
    let mut magic = [0; 4];
    let read = File::open(&path).and_then(|mut file| file.read_exact(&mut magic));
    if let Err(error) = read {
        listing.notes.push(format!("{}: {error}", path.display()));
        return;
    }
    if &magic != b"GGUF" {
        listing.notes.push(format!("{}: not a GGUF file", path.display()));
        return;
    }
    match size(&path) {
        Ok(size) => listing.models.push(Model {
            name,
            origin: origin.to_owned(),
            source: Source::Gguf(ModelSource::File(path)),
            size,
        }),
        Err((part, error)) => {
            let note = format!("{}: {error}, so model {name} is incomplete", part.display());
            listing.notes.push(note);
        }
    }
}

/// Collects the files below `folder`. Links to files count as files (the Hugging Face cache is
/// made of them); links to folders are not followed, so that none leads in a circle.
fn walk(
    folder: &Path,
    depth: usize,
    left: &mut usize,
    files: &mut Vec<PathBuf>,
    notes: &mut Vec<String>,
) {
    for path in entries(folder, notes) {
        if *left == 0 {
            notes.push(format!("{}: too many files, the rest is passed over", folder.display()));
            return;
        }
        *left -= 1;
        let Ok(kind) = path.symlink_metadata().map(|metadata| metadata.file_type()) else {
            continue;
        };
        if kind.is_dir() {
            if depth > 0 && *left > 0 {
                walk(&path, depth - 1, left, files, notes);
            }
        } else if kind.is_file() || path.is_file() {
            files.push(path);
        }
    }
}

/// The entries of a folder, sorted; one that does not exist has none, one that cannot be read is
/// noted.
fn entries(folder: &Path, notes: &mut Vec<String>) -> Vec<PathBuf> {
    match std::fs::read_dir(folder) {
        Ok(entries) => {
            let mut entries: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
            entries.sort();
            entries
        }
        Err(error) => {
            use std::io::ErrorKind::{NotADirectory, NotFound};
            if !matches!(error.kind(), NotFound | NotADirectory) {
                notes.push(format!("{}: {error}", folder.display()));
            }
            Vec::new()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(root: &Path, path: &str, text: &str) {
        let path = root.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    fn names(listing: &Listing) -> Vec<&str> {
        listing.models.iter().map(|model| model.name.as_str()).collect()
    }

    #[test]
    fn ollamas_manifests_lead_to_its_blobs() {
        let root = tempfile::tempdir().unwrap();
        let hex = "ab".repeat(32);
        let manifest = |digest: &str| {
            format!(
                r#"{{"schemaVersion":2,"layers":[{{"mediaType":"{OLLAMA_MODEL}","digest":"{digest}","size":8}}]}}"#
            )
        };
        let good = manifest(&format!("sha256:{hex}"));
        put(root.path(), "manifests/registry.example/library/qwen2.5-coder/7b", &good);
        put(root.path(), "manifests/hf.co/someone/coder/q4", &good);
        put(root.path(), "manifests/x/library/escape/1", &manifest("sha256:../../secret"));
        put(root.path(), "manifests/x/library/broken/1", "{");
        put(root.path(), &format!("blobs/sha256-{hex}"), "GGUF....");
        let mut listing = Listing::default();
        ollama(root.path(), &mut listing);
        assert_eq!(names(&listing), ["someone/coder:q4", "qwen2.5-coder:7b"]);
        assert_eq!(listing.models[1].size, 8);
    }

    #[test]
    fn later_parts_projectors_and_other_files_are_left_out() {
        let root = tempfile::tempdir().unwrap();
        for name in ["big-00001-of-00002.gguf", "big-00002-of-00002.gguf", "mmproj-x.gguf"] {
            put(root.path(), &format!("publisher/model/{name}"), "GGUF");
        }
        put(root.path(), "publisher/model/readme.md", "GGUF");
        put(root.path(), "publisher/model/false.gguf", "<html>");
        let places = Places { lm_studio: vec![root.path().to_owned()], ..Places::default() };
        let listing = find(&[], &places);
        assert_eq!(names(&listing), ["big"]);
        assert_eq!(listing.models[0].size, 8);
        assert_eq!(listing.notes.len(), 1, "{:?}", listing.notes);
        assert!(listing.notes[0].contains("false.gguf: not a GGUF file"));
    }

    #[test]
    fn a_model_that_lacks_a_part_is_noted_with_the_parts_name() {
        let root = tempfile::tempdir().unwrap();
        for name in ["big-00001-of-00003.gguf", "big-00003-of-00003.gguf"] {
            put(root.path(), name, "GGUF");
        }
        let listing = find(&[root.path().to_owned()], &Places::default());
        assert!(listing.models.is_empty());
        assert_eq!(listing.notes.len(), 1, "{:?}", listing.notes);
        let note = &listing.notes[0];
        assert!(note.contains("big-00002-of-00003.gguf"), "{note}");
        assert!(note.ends_with("model big is incomplete"), "{note}");
    }

    #[cfg(unix)]
    #[test]
    fn the_links_of_the_hugging_face_cache_are_followed_once() {
        let root = tempfile::tempdir().unwrap();
        put(root.path(), "models--o--n/blobs/abc", "GGUF");
        for commit in ["1", "2"] {
            let folder = root.path().join("models--o--n/snapshots").join(commit);
            std::fs::create_dir_all(&folder).unwrap();
            std::os::unix::fs::symlink("../../blobs/abc", folder.join("coder.gguf")).unwrap();
            std::os::unix::fs::symlink("..", folder.join("circle")).unwrap();
        }
        let places = Places { hugging_face: vec![root.path().to_owned()], ..Places::default() };
        assert_eq!(names(&find(&[], &places)), ["coder"]);
    }

    #[test]
    fn a_missing_configured_folder_is_noted_and_a_missing_store_is_not() {
        let root = tempfile::tempdir().unwrap();
        let missing = root.path().join("none");
        let places = Places { ollama: vec![missing.clone()], ..Places::default() };
        let listing = find(&[missing], &places);
        assert!(listing.models.is_empty());
        assert_eq!(listing.notes.len(), 1, "{:?}", listing.notes);
    }
}
