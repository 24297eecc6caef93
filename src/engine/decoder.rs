//! What the engine's loop asks of a model that predicts tokens, whatever computes it.

use super::EngineError;

/// The evaluated tokens of one text, with whatever the decoder needs to go on from there.
pub trait Sequence: Send + Sized {
    /// The tokens it holds, in order.
    fn tokens(&self) -> &[u32];

    /// Forgets all tokens after the first `length`.
    fn truncate(&mut self, length: usize);

    /// Another sequence of the same tokens that goes its own way.
    fn fork(&self) -> Result<Self, EngineError>;

    /// Appends what is known of the tokens that come next without being evaluated, if a store has
    /// found some. The position of the next such tokens: those before it are to be evaluated.
    fn append_known(&mut self) -> Result<Option<usize>, EngineError> {
        Ok(None)
    }

    /// Number of tokens it holds.
    fn len(&self) -> usize {
        self.tokens().len()
    }

    /// Whether it holds nothing.
    fn is_empty(&self) -> bool {
        self.tokens().is_empty()
    }
}

/// Where sequences are kept between requests.
pub trait Store: Send {
    /// What is kept.
    type Sequence;

    /// A sequence that holds as many of the first of `tokens` as are at hand, but never all: the
    /// last one is evaluated anew for its logits. `None` where none are.
    fn take(&mut self, tokens: &[u32]) -> Result<Option<Self::Sequence>, EngineError>;

    /// Keeps a sequence, at the cost of those not used for longest.
    fn put(&mut self, sequence: Self::Sequence);

    /// Keeps what was forked from a sequence that is put, too, for another candidate: only a store
    /// that keeps what they have in common once has room for it.
    fn put_fork(&mut self, fork: Self::Sequence) {
        drop(fork);
    }

    /// Forgets what was not used last until the rest fits into so many bytes.
    fn shrink(&mut self, most_bytes: usize);

    /// Keeps what was used last where the next run of the program finds it, if there is such a
    /// place.
    fn save(&mut self) -> Result<(), EngineError> {
        Ok(())
    }
}

/// Tokens to evaluate after those a sequence holds.
#[derive(Debug)]
pub struct Row<'a, S> {
    /// The tokens; at least one.
    pub tokens: &'a [u32],
    /// What came before; afterwards it holds these tokens, too.
    pub sequence: &'a mut S,
    /// How many logits are wanted: those after each of the last `wanted` tokens. 0 evaluates for
    /// keys and values only, 1 is a step, more verifies a draft.
    pub wanted: usize,
}

/// Logits, one vector after the other. Made once and used for every step.
#[derive(Debug, Default)]
pub struct Logits {
    values: Vec<f32>,
    width: usize,
}

impl Logits {
    /// Room for `rows` vectors of `width` numbers, `[rows, width]`, with arbitrary content.
    pub fn reset(&mut self, rows: usize, width: usize) -> &mut [f32] {
        self.values.resize(rows * width, 0.0);
        self.width = width;
        &mut self.values
    }

    /// The vectors, in order.
    pub fn rows(&self) -> std::slice::ChunksExact<'_, f32> {
        self.values.chunks_exact(self.width.max(1))
    }
}

/// Why a pass did not come to its end.
#[derive(Debug, Clone)]
pub enum Unfinished {
    /// It was told to stop.
    Stopped,
    /// It failed.
    Failed(EngineError),
}

impl From<EngineError> for Unfinished {
    fn from(error: EngineError) -> Self {
        Self::Failed(error)
    }
}

/// A model that predicts the next token.
///
/// Several rows are evaluated as one batch. A row's result does not depend on the other rows
/// beyond rounding.
pub trait Decoder: Send {
    /// What it keeps of evaluated tokens.
    type Sequence: Sequence;

    /// Number of token ids.
    fn vocabulary(&self) -> usize;

    /// Longest sequence in tokens.
    fn context_length(&self) -> usize;

    /// How many tokens of a prompt are best evaluated at once.
    fn chunk(&self) -> usize;

    /// How many tokens guessed ahead are worth evaluating at once, those of all rows together; 0
    /// where several tokens take as long together as one by one.
    fn most_drafted(&self) -> usize;

    /// An empty sequence.
    fn empty(&self) -> Self::Sequence;

    /// Evaluates `rows`. `out` gets as many vectors of [`Self::vocabulary`] numbers as were
    /// wanted, all of the first row, then of the second, and so on; each predicts the token after
    /// the one it belongs to.
    ///
    /// Between two layers, `stop` is asked on the calling thread whether to give up. Whatever the
    /// error, every sequence holds what it held before, and `out` is arbitrary.
    fn evaluate(
        &mut self,
        rows: &mut [Row<'_, Self::Sequence>],
        stop: &dyn Fn() -> bool,
        out: &mut Logits,
    ) -> Result<(), Unfinished>;
}
