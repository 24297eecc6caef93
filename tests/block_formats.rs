//! What every block format means, against numbers by another implementation.

#![expect(clippy::unwrap_used, reason = "a broken test setup may panic")]

use std::path::PathBuf;

use agent::engine::ModelSource;
use agent::engine::gguf::{Gguf, dtype_name};
use agent_pass::block::{BlockType, dequantize};

/// Made by `tools/block-vectors.py`; `BLOCK_VECTORS` names a larger file of the kind.
fn vectors() -> Gguf {
    let committed = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/blocks.gguf");
    let path = std::env::var_os("BLOCK_VECTORS").unwrap_or_else(|| committed.into());
    Gguf::open(&ModelSource::File(PathBuf::from(path))).unwrap()
}

#[test]
fn every_format_stands_for_the_numbers_it_was_given_elsewhere() {
    let vectors = vectors();
    let mut compared = 0;
    for format in BlockType::ALL.into_iter().filter(|format| *format != BlockType::F32) {
        let name = dtype_name(format);
        let blocks = vectors.info(name).unwrap();
        assert_eq!(blocks.dtype, format);
        let numbers = |name: &str, length: usize| {
            let info = vectors.info(name).unwrap();
            let mut numbers = vec![0f32; length];
            dequantize(info.dtype, vectors.data(info), &mut numbers);
            numbers
        };
        let length = blocks.shape.iter().product();
        let found = numbers(name, length);
        let expected = numbers(&format!("{name}.f32"), length);
        for (at, (found, expected)) in found.iter().zip(&expected).enumerate() {
            let same = found.to_bits() == expected.to_bits();
            assert!(same || found.is_nan() && expected.is_nan(), "{name} {at}: {found} {expected}");
            compared += 1;
        }
    }
    assert!(compared > 3000, "{compared}");
}
