"""Writes tests/data/blocks.gguf: random blocks of every format and the numbers they stand for,
by the `gguf` package of llama.cpp (PyPI: gguf, numpy).

    python tools/block-vectors.py FILE [BLOCKS [SEED [wild]]]

FILE gets a tensor per format, named like it, and its numbers as NAME.f32. The committed file has 2
blocks and the seed 3. With `wild` scales are random bits, too: infinities, subnormals, no numbers.
"""

import sys

import numpy
from gguf import GGML_QUANT_SIZES, GGMLQuantizationType as Type, GGUFWriter
from gguf.quants import dequantize

# Where a block's half-precision scales are.
SCALES = {
    Type.Q4_0: [0],
    Type.Q4_1: [0, 2],
    Type.Q5_0: [0],
    Type.Q5_1: [0, 2],
    Type.Q8_0: [0],
    Type.Q2_K: [80, 82],
    Type.Q3_K: [108],
    Type.Q4_K: [0, 2],
    Type.Q5_K: [0, 2],
    Type.Q6_K: [208],
    Type.IQ4_NL: [0],
    Type.IQ4_XS: [0],
}


def blocks_of(format, count, random, wild):
    size = GGML_QUANT_SIZES[format][1]
    blocks = random.integers(0, 256, (count, size), dtype=numpy.uint8)
    for at in [] if wild else SCALES[format]:
        scales = random.uniform(-0.1, 0.1, count).astype(numpy.float16)
        blocks[:, at : at + 2] = scales.view(numpy.uint8).reshape(count, 2)
    return blocks.reshape(1, -1)


def main(path, count=2, seed=3, wild=""):
    random = numpy.random.default_rng(int(seed))
    writer = GGUFWriter(path, "vectors")
    halves = random.integers(0, 256, (1, 128 * int(count)), dtype=numpy.uint8)
    tensors = [
        (Type.F16, halves, halves.view(numpy.float16).astype(numpy.float32)),
        (Type.BF16, halves, (halves.view(numpy.uint16).astype(numpy.uint32) << 16).view(numpy.float32)),
    ]
    for format in SCALES:
        blocks = blocks_of(format, int(count), random, wild)
        with numpy.errstate(all="ignore"):
            tensors.append((format, blocks, dequantize(blocks, format)))
    for format, blocks, numbers in tensors:
        writer.add_tensor(format.name, blocks, raw_dtype=format)
        writer.add_tensor(f"{format.name}.f32", numbers.reshape(-1))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


main(*sys.argv[1:])
