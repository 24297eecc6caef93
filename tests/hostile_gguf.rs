//! Files that lie: an error that says what is wrong, no panic, no large allocation.

#![expect(clippy::unwrap_used, reason = "a broken test setup may panic")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::path::PathBuf;

use agent::engine::gguf::{Array, Gguf, Value, Writer};
use agent::engine::{EngineError, ModelSource};
use agent_pass::block::BlockType;
use proptest::prelude::*;

/// Counts what the thread under test has allocated and not freed, and the most it ever had.
struct Counting;

thread_local! {
    static HELD: Cell<usize> = const { Cell::new(0) };
    static MOST: Cell<usize> = const { Cell::new(0) };
}

#[expect(unsafe_code, reason = "an allocator is unsafe to write; this one only counts")]
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let held = HELD.get().saturating_add(layout.size());
        HELD.set(held);
        MOST.set(MOST.get().max(held));
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        HELD.set(HELD.get().saturating_sub(layout.size()));
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// What opening may hold at once: names, map nodes and messages, and a few times the file.
fn allowance(file_size: usize) -> usize {
    64 * 1024 + 16 * file_size
}

fn open(bytes: &[u8]) -> Result<Gguf, EngineError> {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), bytes).unwrap();
    let source = ModelSource::File(PathBuf::from(file.path()));
    HELD.set(0);
    MOST.set(0);
    let result = Gguf::open(&source);
    let most = MOST.get();
    assert!(most <= allowance(bytes.len()), "{most} bytes held for a file of {}", bytes.len());
    result
}

fn refused(bytes: &[u8], reason: &str) {
    let message = open(bytes).unwrap_err().to_string();
    assert!(message.contains(reason), "expected {reason:?} in {message:?}");
}

fn unsupported(bytes: &[u8], reason: &str) {
    let error = open(bytes).unwrap_err();
    assert!(matches!(error, EngineError::Unsupported { .. }), "{error:?}");
    assert!(error.to_string().contains(reason), "expected {reason:?} in {error}");
}

fn writer() -> Writer {
    Writer::new()
        .string("general.name", "small")
        .unsigned("number", 7)
        .boolean("flag", true)
        .array("names", Array::strings(["one", "two", "three"]))
        .array("numbers", Array::i32s([1, 2, 3]))
        .tensor_f32("first", &[2, 4], &[1.0; 8])
        .tensor_f32("second", &[8], &[2.0; 8])
}

fn sample() -> Vec<u8> {
    writer().finish()
}

/// The sample with `bytes` at `skip` bytes after the name `after`.
fn patched(after: &str, skip: usize, bytes: &[u8]) -> Vec<u8> {
    let mut file = sample();
    let name = file.windows(after.len()).position(|window| window == after.as_bytes()).unwrap();
    let start = name + after.len() + skip;
    file[start..start + bytes.len()].copy_from_slice(bytes);
    file
}

fn header(at: usize, bytes: &[u8]) -> Vec<u8> {
    let mut file = sample();
    file[at..at + bytes.len()].copy_from_slice(bytes);
    file
}

#[test]
fn a_sound_file_opens_within_the_allowance() {
    let gguf = open(&sample()).unwrap();
    assert_eq!(gguf.metadata.len(), 5);
    assert_eq!(gguf.tensors.len(), 2);
}

#[test]
fn a_file_cut_at_any_byte_is_refused() {
    let file = sample();
    for length in 0..file.len() {
        assert!(open(&file[..length]).is_err(), "cut at {length}");
    }
}

#[test]
fn other_formats_and_versions_are_refused_by_name() {
    refused(b"", "magic: 4 bytes wanted, the file has 0 more");
    refused(b"PK\x03\x04 and so on", "it does not start with GGUF");
    unsupported(&header(0, b"FUGG"), "big-endian");
    unsupported(&header(4, &3u32.to_be_bytes()), "big-endian");
    unsupported(&header(4, &1u32.to_le_bytes()), "GGUF version 1 is not supported");
    unsupported(&header(4, &9u32.to_le_bytes()), "GGUF version 9 is not supported");
    assert!(open(&header(4, &2u32.to_le_bytes())).is_ok());
}

#[test]
fn absurd_counts_and_lengths_are_refused_before_anything_is_allocated() {
    let absurd = [u64::MAX, u64::MAX / 8 + 1, 1 << 62, 1 << 40, 1 << 31];
    for count in absurd.map(u64::to_le_bytes) {
        refused(&header(8, &count), "tensor count");
        refused(&header(16, &count), "metadata count");
        // The length of the first key, of a value, of arrays, of a string in an array.
        refused(&header(24, &count), "metadata key 0");
        refused(&patched("general.name", 4, &count), "general.name");
        refused(&patched("names", 8, &count), "names");
        refused(&patched("numbers", 8, &count), "numbers");
        refused(&patched("names", 16, &count), "names");
        // The length of the second tensor's name follows 3 fields of the first tensor.
        refused(&patched("first", 4 + 16 + 4 + 8, &count), "tensor name 1");
        // Dimensions.
        refused(&patched("first", 4, &count), "first");
        refused(&patched("first", 12, &count), "first");
    }
    refused(&header(8, &3u64.to_le_bytes()), "tensor name 2");
    refused(&header(24, &0u64.to_le_bytes()), "0 bytes long");
}

#[test]
fn wrong_types_are_refused() {
    refused(&patched("number", 0, &13u32.to_le_bytes()), "unknown value type 13");
    refused(&patched("numbers", 4, &99u32.to_le_bytes()), "unknown value type 99");
    refused(&patched("flag", 4, &[2]), "flag: a boolean must be 0 or 1");
    unsupported(&patched("numbers", 4, &9u32.to_le_bytes()), "arrays of arrays");
    let booleans = Writer::new().array("b", Array::bools([true, false])).finish();
    assert!(open(&booleans).is_ok());
    let mut broken = booleans;
    *broken.last_mut().unwrap() = 7;
    refused(&broken, "b: a boolean must be 0 or 1");
    unsupported(&patched("first", 20, &16u32.to_le_bytes()), "tensor type 16 (IQ2_XXS)");
    unsupported(&patched("first", 20, &500u32.to_le_bytes()), "tensor type 500 (unknown)");
}

#[test]
fn tensors_that_do_not_fit_together_are_refused() {
    refused(&patched("first", 0, &0u32.to_le_bytes()), "0 dimensions");
    refused(&patched("first", 0, &5u32.to_le_bytes()), "5 dimensions");
    refused(&patched("first", 4, &0u64.to_le_bytes()), "the dimensions are 0 or overflow");
    // Offsets: not aligned, shared with another tensor, outside of the file, beyond all numbers.
    refused(&patched("first", 24, &4u64.to_le_bytes()), "not a multiple of 32");
    refused(&patched("second", 16, &0u64.to_le_bytes()), "shares bytes with tensor first");
    refused(&patched("second", 16, &4096u64.to_le_bytes()), "end after the end of the file");
    refused(&patched("second", 16, &(u64::MAX - 31).to_le_bytes()), "end after the end");
    // A first tensor that reaches into the second.
    refused(&patched("first", 12, &3u64.to_le_bytes()), "shares bytes with tensor first");
    // Rows that are not whole blocks.
    let ragged = Writer::new().tensor_bytes("w", &[2, 16], BlockType::Q8_0, vec![0; 34]).finish();
    refused(&ragged, "not whole blocks of 32 elements");
}

#[test]
fn names_appear_once_and_are_text() {
    refused(&writer().unsigned("number", 1).finish(), "number: the key appears twice");
    refused(&writer().tensor_f32("first", &[1], &[0.0]).finish(), "the tensor appears twice");
    refused(&patched("general.nam", 0, &[0xff]), "not UTF-8");
    let long = "k".repeat(70_000);
    refused(&Writer::new().unsigned(&long, 1).finish(), "70000 bytes long");
    // What an error shows of a name is one line of sensible length.
    let nasty = format!("a\n\u{1b}[31m{}", "x".repeat(10_000));
    let twice = Writer::new().unsigned(&nasty, 1).unsigned(&nasty, 1).finish();
    let message = open(&twice).unwrap_err().to_string();
    assert!(message.chars().all(|character| !character.is_control()), "{message}");
    assert!(message.len() < 400, "{}", message.len());
}

#[test]
fn broken_characters_in_values_are_replaced() {
    let gguf = open(&patched("names", 24, &[0xff])).unwrap();
    assert_eq!(gguf.array("names").unwrap().string(0), Some("\u{fffd}ne"));
    let gguf = open(&patched("general.name", 12, &[0xc3])).unwrap();
    assert_eq!(gguf.string("general.name").unwrap(), "\u{fffd}mall");
}

#[test]
fn a_part_of_a_model_is_refused_where_the_others_cannot_be_found() {
    refused(&writer().unsigned("split.count", 3).finish(), "split.no: the key is missing");
    let part = |number, count| {
        open(&writer().unsigned("split.no", number).unsigned("split.count", count).finish())
    };
    let message = part(0, 3).unwrap_err().to_string();
    assert!(message.contains("its name must end in -00001-of-00003.gguf"), "{message}");
    for (number, count) in [(3, 3), (u64::MAX, 2), (0, 1 << 16), (0, u64::MAX)] {
        assert!(part(number, count).is_err(), "{number} of {count}");
    }
    refused(&writer().string("split.count", "3").finish(), "split.count: expected an integer");
    assert!(part(0, 1).is_ok());
}

#[test]
fn alignment_is_a_sane_power_of_two() {
    for alignment in [8, 32, 64] {
        let metadata_only = Writer::new().unsigned("general.alignment", alignment).finish();
        assert!(open(&metadata_only).is_ok(), "{alignment}");
    }
    for alignment in [0, 1, 4, 24, 33, 1 << 20, 1 << 63] {
        let file = Writer::new().unsigned("general.alignment", alignment).finish();
        refused(&file, "general.alignment: expected a power of two from 8 to 65536");
    }
    let file = Writer::new().string("general.alignment", "32").finish();
    refused(&file, "general.alignment");
    refused(&writer().value("general.alignment", Value::Signed(-32)).finish(), "alignment");
}

#[test]
fn many_small_things_cost_a_few_times_their_file() {
    let strings = Array::strings(std::iter::repeat_n("", 200_000));
    open(&Writer::new().array("empty", strings).finish()).unwrap();
    let flags = Array::bools(std::iter::repeat_n(true, 1_000_000));
    open(&Writer::new().array("flags", flags).finish()).unwrap();
    let keys = (0..20_000).fold(Writer::new(), |writer, key: u32| {
        writer.boolean(&char::from_u32(0x1000 + key).unwrap().to_string(), true)
    });
    open(&keys.finish()).unwrap();
    let tensors = (0..20_000).fold(Writer::new(), |writer, key: u32| {
        writer.tensor_f32(&char::from_u32(0x1000 + key).unwrap().to_string(), &[1], &[0.0])
    });
    open(&tensors.finish()).unwrap();
}

#[test]
fn a_sparse_file_of_a_terabyte_does_not_make_us_read_it() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let mut head = Writer::new().string("general.name", "x").finish();
    // One string of 512 GiB of zeros.
    let length = head.len() - 1 - 8;
    head[length..length + 8].copy_from_slice(&(1u64 << 39).to_le_bytes());
    std::fs::write(file.path(), &head).unwrap();
    if file.as_file().set_len(1 << 40).is_err() {
        println!("skipped: the file system has no sparse files of this size");
        return;
    }
    HELD.set(0);
    MOST.set(0);
    let error = Gguf::open(&ModelSource::File(file.path().to_owned())).unwrap_err();
    assert!(error.to_string().contains("the metadata is longer than"), "{error}");
    assert!(MOST.get() <= allowance(0), "{}", MOST.get());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn a_file_with_random_bytes_in_it_never_panics(
        changes in prop::collection::vec((0usize..1024, any::<u8>()), 1..8),
    ) {
        let mut file = sample();
        for (at, byte) in changes {
            let at = at % file.len();
            file[at] = byte;
        }
        if let Ok(gguf) = open(&file) {
            for (name, info) in gguf.tensors.iter() {
                prop_assert_eq!(gguf.data(info).len(), info.size);
                let _ = gguf.tensor(name, &candle_core::Device::Cpu);
            }
        }
    }

    #[test]
    fn a_file_with_a_random_integer_in_it_never_panics(
        at in 0usize..1024,
        value in prop_oneof![any::<u64>(), 0u64..64, Just(u64::MAX), Just(1 << 63), Just(1 << 32)],
    ) {
        let mut file = sample();
        let at = at % (file.len() - 8);
        file[at..at + 8].copy_from_slice(&value.to_le_bytes());
        let _ = open(&file);
    }

    #[test]
    fn random_bytes_after_the_magic_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let mut file = b"GGUF\x03\0\0\0".to_vec();
        file.extend(bytes);
        let _ = open(&file);
    }
}
