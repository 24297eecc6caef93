//! The file of one text: a header with its checksum, then the pages, each with a checksum in the
//! header.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use agent_pass::pages::{KvFormat, PAGE, Page, PageShape, Pool};

/// What every file of ours starts with.
const MAGIC: [u8; 8] = *b"agent-kv";

/// Counts changes to what is written. A file of another version is passed over.
const VERSION: u32 = 1;

/// Numbers are written as they lie in memory: a file is for the machine that wrote it. Read on one
/// with another byte order, this says so.
const BYTE_ORDER: u32 = 0x0102_0304;

/// What a file is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) model: [u8; 32],
    pub(super) shape: PageShape,
    pub(super) context_length: usize,
    pub(super) tokens: Vec<u32>,
    /// SHA-256 of each page.
    pub(super) page_hashes: Vec<[u8; 32]>,
}

impl Header {
    /// The part of fixed size: everything but the tokens and the hashes.
    fn start(&self) -> Vec<u8> {
        let PageShape { layers, kv_heads, head_dim, format } = self.shape;
        let format = match format {
            KvFormat::F16 => 0,
            KvFormat::Q8_0 => 1,
        };
        let sizes = [PAGE, layers, kv_heads, head_dim, format, self.context_length];
        let mut bytes = MAGIC.to_vec();
        bytes.extend(VERSION.to_le_bytes());
        bytes.extend(BYTE_ORDER.to_ne_bytes());
        bytes.extend(sizes.iter().flat_map(|size| (*size as u64).to_le_bytes()));
        bytes.extend(self.model);
        bytes
    }

    /// All of it, with its checksum; where the pages start.
    fn bytes(&self) -> Vec<u8> {
        let mut bytes = self.start();
        bytes.extend((self.tokens.len() as u64).to_le_bytes());
        bytes.extend(self.tokens.iter().flat_map(|token| token.to_le_bytes()));
        bytes.extend(self.page_hashes.as_flattened());
        let checksum = Sha256::digest(&bytes);
        bytes.extend(checksum);
        bytes
    }
}

/// Reads the header of a file that is to agree with `expected`, its text aside.
pub(super) fn read_header(path: &Path, expected: &Header) -> io::Result<Header> {
    let file = File::open(path)?;
    let size = file.metadata()?.len();
    let mut reader = BufReader::new(file);
    let start = expected.start();
    let mut found = vec![0; start.len()];
    reader.read_exact(&mut found)?;
    if found != start {
        return Err(wrong("it is of another model, another version or no such file"));
    }
    let mut count = [0; 8];
    reader.read_exact(&mut count)?;
    let count = usize::try_from(u64::from_le_bytes(count)).unwrap_or(usize::MAX);
    if count > expected.context_length {
        return Err(wrong("it has more tokens than the model can take"));
    }
    let pages = count.div_ceil(PAGE);
    let mut rest = vec![0; 4 * count + 32 * pages];
    reader.read_exact(&mut rest)?;
    let (tokens, hashes) = rest.split_at(4 * count);
    let header = Header {
        tokens: tokens.as_chunks().0.iter().map(|bytes| u32::from_le_bytes(*bytes)).collect(),
        page_hashes: hashes.as_chunks().0.to_vec(),
        ..expected.clone()
    };
    let bytes = header.bytes();
    let mut checksum = [0; 32];
    reader.read_exact(&mut checksum)?;
    if !bytes.ends_with(&checksum) {
        return Err(wrong("its header is damaged"));
    }
    let wanted = bytes.len() as u64 + (pages * expected.shape.page_bytes()) as u64;
    if size != wanted {
        return Err(wrong(&format!("it has {size} bytes and should have {wanted}")));
    }
    Ok(header)
}

/// Reads the pages of the first `length` tokens of the file whose header this is.
pub(super) fn read_pages(
    path: &Path,
    header: &Header,
    length: usize,
    pool: &Pool,
) -> io::Result<Vec<Arc<Page>>> {
    let mut file = File::open(path)?;
    file.seek(SeekFrom::Start(header.bytes().len() as u64))?;
    let mut pages = Vec::new();
    for hash in header.page_hashes.iter().take(length.div_ceil(PAGE)) {
        let mut page = pool.page().map_err(io::Error::other)?;
        file.read_exact(page.bytes_mut())?;
        if Sha256::digest(page.bytes()).as_slice() != hash {
            return Err(wrong("its keys and values are damaged"));
        }
        pages.push(Arc::new(page));
    }
    Ok(pages)
}

/// Writes a file at once: a reader sees all of it or none. It is private to the user.
pub(super) fn write(
    path: &Path,
    about: &Header,
    tokens: &[u32],
    pages: &[Arc<Page>],
) -> io::Result<Header> {
    let header = Header {
        tokens: tokens.to_vec(),
        page_hashes: pages.iter().map(|page| Sha256::digest(page.bytes()).into()).collect(),
        ..about.clone()
    };
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut file = BufWriter::new(tempfile::NamedTempFile::new_in(folder)?);
    file.write_all(&header.bytes())?;
    for page in pages {
        file.write_all(page.bytes())?;
    }
    let file = file.into_inner().map_err(io::IntoInnerError::into_error)?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(header)
}

/// Whether a file starts like one of ours, of whatever model and version.
pub(super) fn is_ours(path: &Path) -> bool {
    let mut start = [0; MAGIC.len()];
    let read = File::open(path).and_then(|mut file| file.read_exact(&mut start));
    read.is_ok() && start == MAGIC
}

fn wrong(message: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, message.to_owned())
}
