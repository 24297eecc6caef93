//! Models in several files, `name-00001-of-00003.gguf` and so on: each part is a file of its own
//! with some of the tensors; the first has the metadata.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::bytes::Bytes;
use super::parse::{Content, parse};
use super::{EngineError, TensorInfo, Value};

/// More than any model is split into: one of 10 TB has parts of 10 GB.
const MOST_PARTS: u64 = 1024;

/// What the name of a part says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PartName<'a> {
    /// What all parts are called.
    pub name: &'a str,
    /// Which part this is, from 1.
    pub number: u32,
    /// How many there are.
    pub count: u32,
}

impl<'a> PartName<'a> {
    /// The name of a part, from a file name without its ending: `name-00002-of-00003`.
    pub fn parse(stem: &'a str) -> Option<Self> {
        let five = |digits: &str| {
            let digits_only = digits.len() == 5 && digits.bytes().all(|byte| byte.is_ascii_digit());
            if digits_only { digits.parse::<u32>().ok() } else { None }
        };
        let (rest, count) = stem.rsplit_once("-of-")?;
        let (name, number) = rest.rsplit_once('-')?;
        let (number, count) = (five(number)?, five(count)?);
        (1..=count).contains(&number).then_some(Self { name, number, count })
    }
}

/// Where all parts of the model are that the file at `path` is a part of, the first one first;
/// `None` where its name is no part's. Nothing is looked up.
pub fn part_paths(path: &Path) -> Option<Vec<PathBuf>> {
    let stem = path.file_stem()?.to_str()?;
    let ending = path.extension()?.to_str()?;
    let PartName { name, count, .. } = PartName::parse(stem)?;
    let beside = |number| path.with_file_name(format!("{name}-{number:05}-of-{count:05}.{ending}"));
    (u64::from(count) <= MOST_PARTS).then(|| (1..=count).map(beside).collect())
}

/// Where a file says that it is in a set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Place {
    /// From 0.
    number: u64,
    count: u64,
}

/// A set, put together.
pub(super) struct Set {
    pub(super) first: PathBuf,
    pub(super) content: Content,
    pub(super) parts: Vec<Bytes>,
}

/// Whether a file with this metadata has only some of a model's tensors.
pub(super) fn is_part(file: &str, metadata: &BTreeMap<String, Value>) -> Result<bool, EngineError> {
    Ok(place(file, metadata)?.is_some())
}

/// Opens the set that the file at `path`, which says that it is a part, belongs to.
pub(super) fn open(path: &Path, content: Content, bytes: Bytes) -> Result<Set, EngineError> {
    let file = path.display().to_string();
    let Some(Place { number: own, count }) = place(&file, &content.metadata)? else {
        return Err(malformed(&file, COUNT, "the file is no part of a model"));
    };
    let mut paths = part_paths(path).filter(|paths| paths.len() as u64 == count).ok_or_else(|| {
        let message = format!(
            "one of {count} parts of a model, but the file is not called so; its name must end in \
             -00001-of-{count:05}.gguf, and those of the others alike"
        );
        malformed(&file, COUNT, message)
    })?;
    let first = paths.remove(0);
    let (mut content, bytes) =
        if own == 0 && first == path { (content, bytes) } else { read(&first, 0, count)? };
    let mut parts = vec![bytes];
    for (index, path) in (1..).zip(paths) {
        let (part, bytes) = read(&path, index, count)?;
        add(&mut content, part, index, &path)?;
        parts.push(bytes);
    }
    let first_file = first.display().to_string();
    let found = content.tensors.len() as u64;
    let expected = number(&first_file, &content.metadata, TENSORS)?.unwrap_or(found);
    if expected != found {
        let message = format!(
            "the {count} parts have {found} tensors, not {expected}; download all of them again, \
             from one place"
        );
        return Err(malformed(&first_file, TENSORS, message));
    }
    Ok(Set { first, content, parts })
}

/// Adds the tensors of the part with this index, which is at `path`.
fn add(whole: &mut Content, part: Content, index: usize, path: &Path) -> Result<(), EngineError> {
    for (name, info) in part.tensors {
        if let Some(earlier) = whole.tensors.get(&name) {
            let message = format!(
                "the tensor is in part {}, too; download the model again",
                earlier.part + 1
            );
            return Err(malformed(&path.display().to_string(), &name, message));
        }
        whole.tensors.insert(name, TensorInfo { part: index, ..info });
    }
    Ok(())
}

const NUMBER: &str = "split.no";
const COUNT: &str = "split.count";
const TENSORS: &str = "split.tensors.count";

/// Reads the part at `path`, which must be number `index` of `count`.
fn read(path: &Path, index: usize, count: u64) -> Result<(Content, Bytes), EngineError> {
    let which = format!("part {} of {count} of the model", index + 1);
    let bytes = Bytes::map(path).map_err(|error| match error {
        EngineError::Open { path, message } => {
            let message = format!("{message}: this is {which}; put all parts into one folder");
            EngineError::Open { path, message }
        }
        other => other,
    })?;
    let file = path.display().to_string();
    let content = parse(&file, bytes.as_slice())?;
    match place(&file, &content.metadata)? {
        Some(place) if place == (Place { number: index as u64, count }) => Ok((content, bytes)),
        Some(Place { number, count }) => {
            let message = format!(
                "its name says that it is {which}, but it is part {} of {count}; download it again",
                number + 1
            );
            Err(malformed(&file, NUMBER, message))
        }
        None => {
            let message = format!(
                "its name says that it is {which}, but it is a file of its own; download it again"
            );
            Err(malformed(&file, COUNT, message))
        }
    }
}

/// The place of a file in a set; `None` for one that is alone.
fn place(file: &str, metadata: &BTreeMap<String, Value>) -> Result<Option<Place>, EngineError> {
    let count = number(file, metadata, COUNT)?.unwrap_or(0);
    if count < 2 {
        return Ok(None);
    }
    if count > MOST_PARTS {
        return Err(malformed(file, COUNT, format!("{count} parts are more than {MOST_PARTS}")));
    }
    match number(file, metadata, NUMBER)? {
        Some(number) if number < count => Ok(Some(Place { number, count })),
        Some(number) => {
            Err(malformed(file, NUMBER, format!("part {number}, counted from 0, of {count}")))
        }
        None => Err(malformed(file, NUMBER, format!("the key is missing in one of {count} parts"))),
    }
}

fn number(
    file: &str,
    metadata: &BTreeMap<String, Value>,
    key: &str,
) -> Result<Option<u64>, EngineError> {
    let Some(value) = metadata.get(key) else { return Ok(None) };
    let number = value.as_unsigned();
    number.map(Some).ok_or_else(|| {
        malformed(file, key, format!("expected an integer of at least 0, found {}", value.kind()))
    })
}

fn malformed(file: &str, key: &str, message: impl Into<String>) -> EngineError {
    EngineError::Malformed {
        file: file.to_owned(),
        key: super::parse::shown(key),
        message: message.into(),
    }
}
