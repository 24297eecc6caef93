//! Which model a file holds, by its content: for what is kept on disk about a model.

use std::fmt::Write as _;

use sha2::{Digest, Sha256};

use super::{Gguf, Value};

impl Gguf {
    /// A hash of what decides how the model computes: short metadata, the table of tensors, and a
    /// sample of each tensor's bytes. Reads a page of the file per tensor.
    pub fn identity(&self) -> [u8; 32] {
        /// Longer arrays are vocabularies, which weigh nothing: their length counts.
        const LONG: usize = 1024;
        const SAMPLE: usize = 1024;
        let mut text = String::new();
        let mut hash = Sha256::new();
        for (key, value) in self.metadata.iter() {
            let _ = match value {
                Value::Array(array) if array.len() > LONG => {
                    writeln!(text, "{key} {}", array.len())
                }
                value => writeln!(text, "{key} {value:?}"),
            };
        }
        for (name, info) in self.tensors.iter() {
            let _ = writeln!(text, "{name} {:?} {:?} {}", info.dtype, info.shape, info.size);
            let data = self.data(info);
            let middle = data.len().saturating_sub(SAMPLE) / 2;
            hash.update(&data[middle..data.len().min(middle + SAMPLE)]);
        }
        hash.update(text);
        hash.finalize().into()
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::engine::ModelSource;
    use crate::engine::gguf::Writer;

    #[expect(clippy::needless_pass_by_value, reason = "a writer is used up")]
    fn identity(writer: Writer) -> [u8; 32] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.gguf");
        std::fs::write(&path, writer.finish()).unwrap();
        Gguf::open(&ModelSource::File(path)).unwrap().identity()
    }

    fn writer(architecture: &str, weight: f32) -> Writer {
        Writer::new()
            .value("general.architecture", Value::String(architecture.to_owned()))
            .tensor_f32("a.weight", &[4], &[1.0, weight, 3.0, 4.0])
    }

    #[test]
    fn the_same_content_is_the_same_model_and_any_other_is_not() {
        let same = identity(writer("llama", 2.0));
        assert_eq!(identity(writer("llama", 2.0)), same);
        assert_ne!(identity(writer("qwen2", 2.0)), same);
        assert_ne!(identity(writer("llama", 2.5)), same);
        let more = writer("llama", 2.0).tensor_f32("b.weight", &[1], &[1.0]);
        assert_ne!(identity(more), same);
    }

    #[test]
    fn the_built_in_model_has_one() {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/builtin.gguf");
        let gguf = Gguf::open(&ModelSource::File(file)).unwrap();
        assert_eq!(gguf.identity(), gguf.identity());
    }
}
