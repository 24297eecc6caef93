//! Models in several files.

#![expect(clippy::unwrap_used, reason = "a broken test setup may panic")]

#[path = "support/tiny_model.rs"]
mod tiny_model;

use std::path::{Path, PathBuf};

use agent::engine::decoder::{Decoder, Logits, Row};
use agent::engine::gguf::{Gguf, Value, Writer, part_paths};
use agent::engine::model;
use agent::engine::{EngineError, ModelSource};
use candle_core::Device;
use candle_core::quantized::GgmlDType;
use proptest::prelude::*;
use tiny_model::Tiny;

fn open(path: &Path) -> Result<Gguf, EngineError> {
    Gguf::open(&ModelSource::File(path.to_owned()))
}

/// Writes `whole` as `count` parts, `name-00001-of-…` and so on; their paths.
fn split(whole: &Gguf, count: usize, folder: &Path) -> Vec<PathBuf> {
    let first = folder.join(format!("model-00001-of-{count:05}.gguf"));
    let paths = part_paths(&first).unwrap();
    for (index, path) in paths.iter().enumerate() {
        let mut writer = Writer::new()
            .unsigned("split.no", index as u64)
            .unsigned("split.count", count as u64)
            .value("split.tensors.count", Value::Signed(whole.tensors.len() as i64));
        if index == 0 {
            for (key, value) in whole.metadata.iter() {
                writer = writer.value(key, value.clone());
            }
        }
        for (name, info) in whole.tensors.iter().skip(index).step_by(count) {
            let data = whole.data(info).to_vec();
            writer = writer.tensor_bytes(name, &info.shape, info.dtype, data);
        }
        std::fs::write(path, writer.finish()).unwrap();
    }
    paths
}

fn logits(gguf: &Gguf) -> Vec<f32> {
    let mut decoder = model::load(gguf, &Device::Cpu, usize::MAX, false).unwrap();
    let (mut sequence, mut out) = (decoder.empty(), Logits::default());
    let row = Row { tokens: &[1, 2, 3], sequence: &mut sequence, wanted: 1 };
    decoder.evaluate(&mut [row], &|| false, &mut out).unwrap();
    out.rows().flatten().copied().collect()
}

#[test]
fn any_part_opens_the_whole_model() {
    let whole = tiny_model::open(&Tiny::new("llama", GgmlDType::Q4K).file());
    let folder = tempfile::tempdir().unwrap();
    let paths = split(&whole, 3, folder.path());
    for path in &paths {
        let gguf = open(path).unwrap();
        assert_eq!(gguf.name, paths[0].display().to_string());
        assert_eq!(gguf.tensors.len(), whole.tensors.len());
        assert_eq!(gguf.parameters(), whole.parameters());
        let size: u64 = paths.iter().map(|path| path.metadata().unwrap().len()).sum();
        assert_eq!(gguf.len() as u64, size);
        for (name, info) in whole.tensors.iter() {
            assert_eq!(gguf.data(gguf.info(name).unwrap()), whole.data(info), "{name}");
        }
        assert_eq!(logits(&gguf), logits(&whole));
    }
}

/// Two parts with a tensor each, made by `change` from the usual ones; the message on opening.
fn refused(change: impl Fn(usize, Writer) -> Option<Writer>) -> String {
    let folder = tempfile::tempdir().unwrap();
    let paths = part_paths(&folder.path().join("m-00001-of-00002.gguf")).unwrap();
    for (index, path) in paths.iter().enumerate() {
        if let Some(writer) = change(index, part(index)) {
            std::fs::write(path, writer.finish()).unwrap();
        }
    }
    match open(&paths[0]) {
        Err(error) => error.to_string(),
        Ok(_) => panic!("opened"),
    }
}

fn part(index: usize) -> Writer {
    Writer::new()
        .unsigned("split.no", index as u64)
        .unsigned("split.count", 2)
        .unsigned("split.tensors.count", 2)
        .tensor_f32(&format!("tensor{index}"), &[2], &[1.0, 2.0])
}

/// Changes the second part only.
fn second(change: impl Fn(Writer) -> Writer) -> impl Fn(usize, Writer) -> Option<Writer> {
    move |index, writer| Some(if index == 1 { change(writer) } else { writer })
}

#[test]
fn what_is_wrong_with_a_set_is_said_with_the_files_name() {
    let cases: [(String, &[&str]); 7] = [
        (
            refused(|index, writer| (index == 0).then_some(writer)),
            &["m-00002-of-00002.gguf", "part 2 of 2", "put all parts into one folder"],
        ),
        (
            refused(second(|w| w.without("split.no").unsigned("split.no", 0))),
            &["m-00002-of-00002.gguf", "split.no", "says that it is part 2 of 2", "part 1 of 2"],
        ),
        (
            refused(second(|w| w.without("split.count").unsigned("split.count", 3))),
            &["m-00002-of-00002.gguf", "part 2 of 3"],
        ),
        (
            refused(second(|w| w.without("split.count"))),
            &["m-00002-of-00002.gguf", "split.count", "a file of its own"],
        ),
        (
            refused(second(|w| w.tensor_f32("tensor0", &[1], &[0.0]))),
            &["m-00002-of-00002.gguf", "tensor0", "in part 1, too"],
        ),
        (
            refused(second(|w| w.tensor_f32("more", &[1], &[0.0]))),
            &["m-00001-of-00002.gguf", "split.tensors.count", "3 tensors, not 2"],
        ),
        (
            refused(|_, writer| Some(writer.without("split.no"))),
            &["m-00001-of-00002.gguf", "split.no", "missing"],
        ),
    ];
    for (message, parts) in cases {
        for part in parts {
            assert!(message.contains(part), "{part}: {message}");
        }
    }
}

#[test]
fn a_part_that_is_not_called_so_says_how_it_must_be_called() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["model.gguf", "m-00001-of-00003.gguf", "m-1-of-2.gguf", "m-00003-of-00002.gguf"] {
        let path = folder.path().join(name);
        std::fs::write(&path, part(0).finish()).unwrap();
        let message = open(&path).unwrap_err().to_string();
        assert!(message.contains(name) && message.contains("-00001-of-00002.gguf"), "{message}");
    }
}

/// Half of them the `right` one.
fn values(right: u64) -> impl Strategy<Value = Option<Value>> {
    prop_oneof![
        8 => Just(Some(Value::Unsigned(right))),
        1 => Just(None),
        2 => (0u64..4).prop_map(|number| Some(Value::Unsigned(number))),
        1 => any::<u64>().prop_map(|number| Some(Value::Unsigned(number))),
        1 => any::<i64>().prop_map(|number| Some(Value::Signed(number))),
        1 => any::<f64>().prop_map(|number| Some(Value::Float(number))),
        1 => Just(Some(Value::Bool(true))),
        1 => Just(Some(Value::String("2".to_owned()))),
    ]
}

proptest! {
    #[test]
    fn a_set_with_random_keys_never_panics_and_opens_only_if_it_is_sound(
        numbers in (values(0), values(1)).prop_map(<[_; 2]>::from),
        counts in prop::array::uniform2(values(2)),
        tensors in prop::array::uniform2(values(2)),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let paths = part_paths(&folder.path().join("m-00001-of-00002.gguf")).unwrap();
        for index in 0..2 {
            let mut writer = Writer::new().tensor_f32(&format!("tensor{index}"), &[1], &[1.0]);
            let keys = [
                ("split.no", &numbers[index]),
                ("split.count", &counts[index]),
                ("split.tensors.count", &tensors[index]),
            ];
            for (key, value) in keys {
                if let Some(value) = value {
                    writer = writer.value(key, value.clone());
                }
            }
            std::fs::write(&paths[index], writer.finish()).unwrap();
        }
        for (index, path) in paths.iter().enumerate() {
            let count = counts[index].as_ref().map_or(Some(0), Value::as_unsigned);
            match open(path) {
                Ok(gguf) if gguf.tensors.len() == 2 => {
                    let number = |value: &Option<Value>| value.as_ref().and_then(Value::as_unsigned);
                    prop_assert_eq!([number(&numbers[0]), number(&numbers[1])], [Some(0), Some(1)]);
                    prop_assert_eq!([number(&counts[0]), number(&counts[1])], [Some(2), Some(2)]);
                    prop_assert!(matches!(number(&tensors[0]), None | Some(2)));
                }
                Ok(gguf) => {
                    prop_assert_eq!(gguf.tensors.len(), 1);
                    prop_assert!(matches!(count, Some(0 | 1)));
                }
                Err(error) => prop_assert!(error.to_string().contains("m-0000"), "{error}"),
            }
        }
    }

    #[test]
    fn random_file_names_never_panic(stem in "[a-z0-9-]{0,8}(-[0-9]{4,6})?(-of-[0-9]{4,6})?") {
        let path = PathBuf::from(format!("/models/{stem}.gguf"));
        if let Some(paths) = part_paths(&path) {
            prop_assert!(paths.contains(&path));
            prop_assert!(paths.len() <= 1024);
        }
    }
}
