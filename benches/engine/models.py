#!/usr/bin/env python3
"""Models of random weights in the shapes of real ones, in any quantization.

Speed does not depend on the values of weights, so such a file stands for a real model without a
download. `models.py FOLDER NAME...` makes those that FOLDER lacks; a NAME is SHAPE.TYPE, for example
0.5b.Q4_K_M. Needs gguf and numpy, and llama-cpp-python to quantize.

Shapes 0.5b, 1.5b and 3b are Qwen2.5-Coder's; `small-ARCHITECTURE` (qwen2, qwen3, llama, starcoder2)
has rows of 512 and a vocabulary of 2048, for comparisons of results.
Types are llama.cpp's names: F32, F16, BF16, Q4_0, Q4_1, Q5_0, Q5_1, Q8_0, Q2_K, Q3_K, Q4_K, Q5_K,
Q6_K, IQ4_NL, IQ4_XS for one type in all matrices, and mixtures such as Q4_K_M.
"""

import argparse
import ctypes
import os
import sys

# hidden size, layers, heads, key-value heads, feed-forward size, vocabulary
SHAPES = {
    "0.5b": ("qwen2", 896, 24, 14, 2, 4864, 151936),
    "1.5b": ("qwen2", 1536, 28, 12, 2, 8960, 151936),
    "3b": ("qwen2", 2048, 36, 16, 2, 11008, 151936),
    "small-qwen2": ("qwen2", 512, 3, 8, 2, 1536, 2048),
    "small-qwen3": ("qwen3", 512, 3, 8, 2, 1536, 2048),
    "small-llama": ("llama", 512, 3, 8, 4, 1536, 2048),
    "small-starcoder2": ("starcoder2", 512, 3, 8, 2, 2048, 2048),
}
# The numbers of llama.cpp's file types.
FILE_TYPES = {
    "F32": 0, "F16": 1, "Q4_0": 2, "Q4_1": 3, "Q8_0": 7, "Q5_0": 8, "Q5_1": 9, "Q2_K": 10, "Q3_K": 12, "Q3_K_M": 12,
    "Q4_K": 14, "Q4_K_S": 14, "Q4_K_M": 15, "Q5_K": 16, "Q5_K_S": 16, "Q5_K_M": 17, "Q6_K": 18, "IQ4_NL": 25, "IQ4_XS": 30,
    "BF16": 32,
}  # fmt: skip
# The numbers of its tensor types, for files that hold one type only.
TENSOR_TYPES = {
    "F32": 0, "F16": 1, "Q4_0": 2, "Q4_1": 3, "Q5_0": 6, "Q5_1": 7, "Q8_0": 8, "Q2_K": 10, "Q3_K": 11, "Q4_K": 12,
    "Q5_K": 13, "Q6_K": 14, "IQ4_NL": 20, "IQ4_XS": 23, "BF16": 30,
}  # fmt: skip
SPECIAL = [
    "<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|fim_prefix|>", "<|fim_middle|>", "<|fim_suffix|>", "<|fim_pad|>",
    "<|repo_name|>", "<|file_sep|>",
]  # fmt: skip


def byte_characters():
    """The 256 characters that stand for bytes in GPT-2's vocabulary."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = (byte for byte in range(256) if byte not in plain)
    table = {byte: chr(byte) for byte in plain}
    table.update({byte: chr(256 + index) for index, byte in enumerate(others)})
    return [table[byte] for byte in range(256)]


def vocabulary(size):
    """Byte-level tokens: bytes, then pairs and longer runs of letters with their merges, then special
    ones at the end. What they spell does not matter for speed, only that it is a valid vocabulary."""
    tokens = byte_characters()
    known, merges, left = set(tokens), [], size - len(SPECIAL)
    letters = [chr(code) for code in range(ord("a"), ord("z") + 1)]
    starts = ["Ġ", *letters]
    while len(tokens) < left:
        longer = []
        for start in starts:
            for letter in letters:
                if len(tokens) == left:
                    break
                if start + letter not in known:
                    known.add(start + letter)
                    tokens.append(start + letter)
                    merges.append(f"{start} {letter}")
                    longer.append(start + letter)
        starts = longer
    return tokens + SPECIAL, [1] * left + [3] * len(SPECIAL), merges


class Weights:
    """Gaussian numbers cut from one pool, since fresh ones would take longer than all the rest."""

    def __init__(self, numpy):
        self.numpy = numpy
        self.random = numpy.random.default_rng(20260)
        self.pool = self.random.standard_normal(1 << 24, dtype=numpy.float32)

    def matrix(self, rows, columns, scale=1.0):
        deviation = self.numpy.float32(scale / columns**0.5)
        values = self.numpy.empty(rows * columns, self.numpy.float16)
        filled = 0
        while filled < values.size:
            start = int(self.random.integers(0, self.pool.size // 2))
            count = min(values.size - filled, self.pool.size - start)
            values[filled : filled + count] = self.pool[start : start + count] * deviation
            filled += count
        return values.reshape(rows, columns)

    def vector(self, size, mean=0.0, deviation=0.1):
        noise = self.random.standard_normal(size, dtype=self.numpy.float32)
        return noise * self.numpy.float32(deviation) + self.numpy.float32(mean)


def write(shape, path):
    """Writes a model of `shape` in F16."""
    import gguf
    import numpy

    architecture, hidden, layers, heads, kv_heads, feed, words = SHAPES[shape]
    size, weights = hidden // heads, Weights(numpy)
    file = gguf.GGUFWriter(path, architecture)
    file.add_name(f"random weights in the shape {shape}")
    file.add_block_count(layers)
    file.add_context_length(32768)
    file.add_embedding_length(hidden)
    file.add_feed_forward_length(feed)
    file.add_head_count(heads)
    file.add_head_count_kv(kv_heads)
    file.add_file_type(1)
    base = {"qwen2": 1e6, "qwen3": 1e6, "llama": 1e4, "starcoder2": 1e5}[architecture]
    file.add_rope_freq_base(base)
    if architecture == "starcoder2":
        file.add_layer_norm_eps(1e-5)
    else:
        file.add_layer_norm_rms_eps(1e-6)
    if architecture == "llama":
        file.add_rope_dimension_count(size)
    if architecture == "qwen3":
        file.add_key_length(size)
        file.add_value_length(size)
    tokens, types, merges = vocabulary(words)
    file.add_tokenizer_model("gpt2")
    file.add_tokenizer_pre("qwen2")
    file.add_token_list(tokens)
    file.add_token_types(types)
    file.add_token_merges(merges)
    file.add_eos_token_id(words - len(SPECIAL))
    file.add_bos_token_id(words - len(SPECIAL))
    file.add_pad_token_id(words - len(SPECIAL))
    file.add_add_bos_token(False)

    def norm(name, width, mean=1.0):
        file.add_tensor(f"{name}.weight", weights.vector(width, mean))
        if architecture == "starcoder2":
            file.add_tensor(f"{name}.bias", weights.vector(width))

    def product(name, rows, columns, bias):
        file.add_tensor(f"{name}.weight", weights.matrix(rows, columns))
        if bias:
            file.add_tensor(f"{name}.bias", weights.vector(rows))

    file.add_tensor("token_embd.weight", weights.matrix(words, hidden, 1.5))
    norm("output_norm", hidden, 2.0)
    if architecture == "llama":
        product("output", words, hidden, bias=False)
    everywhere = architecture == "starcoder2"
    inputs = everywhere or architecture == "qwen2"
    for layer in range(layers):
        name = f"blk.{layer}."
        norm(name + "attn_norm", hidden)
        norm(name + "ffn_norm", hidden)
        product(name + "attn_q", heads * size, hidden, inputs)
        product(name + "attn_k", kv_heads * size, hidden, inputs)
        product(name + "attn_v", kv_heads * size, hidden, inputs)
        product(name + "attn_output", hidden, heads * size, everywhere)
        if architecture == "qwen3":
            file.add_tensor(name + "attn_q_norm.weight", weights.vector(size, 1.0))
            file.add_tensor(name + "attn_k_norm.weight", weights.vector(size, 1.0))
        if not everywhere:
            product(name + "ffn_gate", feed, hidden, bias=False)
        product(name + "ffn_up", feed, hidden, everywhere)
        product(name + "ffn_down", hidden, feed, everywhere)
    file.write_header_to_file()
    file.write_kv_data_to_file()
    file.write_tensors_to_file()
    file.close()


def quantize(source, target, kind, threads=0):
    """Quantizes with llama.cpp. A plain type goes into every matrix; a mixture is llama.cpp's choice."""
    import llama_cpp

    settings = llama_cpp.llama_model_quantize_default_params()
    settings.nthread = threads
    settings.ftype = FILE_TYPES[kind]
    settings.allow_requantize = True
    if kind in TENSOR_TYPES and os.path.basename(target).startswith("small"):
        settings.pure = True
        settings.token_embedding_type = settings.output_tensor_type = TENSOR_TYPES[kind]
    silent = llama_cpp.llama_log_callback(lambda *_: None)
    llama_cpp.llama_log_set(silent, ctypes.c_void_p(0))
    llama_cpp.llama_backend_init()
    partial = target + ".part"
    code = llama_cpp.llama_model_quantize(source.encode(), partial.encode(), ctypes.byref(settings))
    if code:
        raise SystemExit(f"{target}: llama_model_quantize: {code}")
    os.replace(partial, target)


def make(folder, name, threads=0):
    """The path of the model `name` in `folder`, made if it is not there."""
    shape, _, kind = name.rpartition(".")
    if shape not in SHAPES or kind not in FILE_TYPES:
        raise SystemExit(f"{name}: SHAPE.TYPE is wanted, of {', '.join(SHAPES)} and {', '.join(FILE_TYPES)}")
    os.makedirs(folder, exist_ok=True)
    target = os.path.join(folder, name + ".gguf")
    if os.path.exists(target):
        return target
    if kind == "F16":
        write(shape, target + ".part")
        os.replace(target + ".part", target)
    else:
        quantize(make(folder, f"{shape}.F16", threads), target, kind, threads)
    return target


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder")
    parser.add_argument("names", nargs="+")
    parser.add_argument("--threads", type=int, default=0)
    options = parser.parse_args()
    for name in options.names:
        print(make(options.folder, name, options.threads), file=sys.stderr)


if __name__ == "__main__":
    main()
