//! Parts of a file where items are public or private by what stands above them (`private:`).

use tree_sitter::Node;

/// The regions of a file. Of those around a place the one in the innermost block counts, and there
/// the last that began.
#[derive(Debug, Default)]
pub(super) struct Regions {
    regions: Vec<Region>,
}

#[derive(Debug)]
struct Region {
    start: usize,
    end: usize,
    public: bool,
}

impl Regions {
    /// The region that begins with `node`: all inside where it is a block, else what follows it up
    /// to the end of the block around it.
    pub(super) fn add(&mut self, node: Node<'_>, public: bool) {
        let is_block = node.child(0).is_some_and(|child| child.kind() == "{");
        let block = if is_block { node } else { node.parent().unwrap_or(node) };
        let (start, end) = (node.start_byte(), block.end_byte());
        self.regions.push(Region { start, end, public });
    }

    /// To be called when all are added.
    pub(super) fn sort(&mut self) {
        self.regions.sort_by_key(|region| region.start);
    }

    /// Whether what starts at `offset` is public, where a region says so.
    pub(super) fn public_at(&self, offset: usize) -> Option<bool> {
        let begun = self.regions.partition_point(|region| region.start < offset);
        let begun = self.regions.get(..begun)?.iter().rev();
        // Blocks nest: the one that began last and has not ended is the innermost.
        begun.into_iter().find(|region| offset < region.end).map(|region| region.public)
    }
}
