//! The model compiled into the program (feature `builtin-model`).

use super::Model;

/// Bytes at an address that tensors may be read from in place; `include_bytes!` alone aligns to 1.
#[cfg(feature = "builtin-model")]
#[repr(C, align(64))]
struct Aligned<T: ?Sized>(T);

#[cfg(feature = "builtin-model")]
static BYTES: &Aligned<[u8]> =
    &Aligned(*include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/models/builtin.gguf")));

/// The built-in model; `None` in a program built without it.
pub fn model() -> Option<Model> {
    #[cfg(feature = "builtin-model")]
    {
        use super::{BUILTIN, Source};
        use crate::engine::ModelSource;
        Some(Model {
            name: BUILTIN.to_owned(),
            origin: "built in".to_owned(),
            source: Source::Gguf(ModelSource::Embedded { name: BUILTIN, bytes: &BYTES.0 }),
            size: BYTES.0.len() as u64,
        })
    }
    #[cfg(not(feature = "builtin-model"))]
    None
}

#[cfg(all(test, feature = "builtin-model"))]
mod tests {
    use super::*;

    #[test]
    fn its_bytes_are_an_aligned_gguf_file_with_the_digest_of_its_card() {
        use sha2::{Digest, Sha256};
        use std::fmt::Write;

        assert_eq!(BYTES.0.as_ptr() as usize % 64, 0);
        assert!(BYTES.0.starts_with(b"GGUF"));
        let digest = Sha256::digest(&BYTES.0).iter().fold(String::new(), |mut hex, byte| {
            write!(hex, "{byte:02x}").unwrap();
            hex
        });
        let card = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/models/README.md"));
        assert!(card.contains(&digest), "models/README.md does not name sha256 {digest}");
    }
}
