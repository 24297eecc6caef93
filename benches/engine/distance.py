#!/usr/bin/env python3
"""How far our results and llama.cpp's are from a plain 32-bit pass over the same weights.

For each model: its weights are dequantized into an F32 file; the reference is our pass on the tensor
library over that file (which the tests hold to candle-transformers), and llama.cpp's pass over it, in
32 bits throughout, is compared with it as a second opinion. Then both programs run the quantized
file. The table shows the mean of 1 - cosine of the logits after every token, the mean number of the
reference's ten likeliest tokens that are among the ten likeliest (at least 9 is wanted), and our
distance over llama.cpp's (at most 1.1 is wanted).

  distance.py --agent target/release/agent MODEL.gguf...
  distance.py --agent target/release/agent --models FOLDER    every small model, made if missing

Needs gguf, numpy and llama-cpp-python (run.py --prepare makes such an environment). Exit code 1 when
a model is beyond the limits.
"""

import argparse
import ctypes
import os
import subprocess
import sys
import tempfile

import numpy

import models

PROMPTS = 5
TYPES = "F16 BF16 Q4_0 Q4_1 Q5_0 Q5_1 Q8_0 Q2_K Q3_K Q4_K Q5_K Q6_K IQ4_NL IQ4_XS F32".split()
ARCHITECTURES = ["qwen2", "qwen3", "llama", "starcoder2"]


def dequantized(path, target):
    """Writes `path` with all weights in F32."""
    import gguf
    from gguf.quants import dequantize

    reader = gguf.GGUFReader(path)
    architecture = reader.fields["general.architecture"].contents()
    writer = gguf.GGUFWriter(target, architecture)
    for name, field in reader.fields.items():
        if name.startswith("GGUF.") or name in ("general.architecture", "general.file_type", "general.quantization_version"):
            continue
        kind = field.types[0]
        inner = field.types[-1] if kind == gguf.GGUFValueType.ARRAY else None
        writer.add_key_value(name, field.contents(), kind, sub_type=inner)
    writer.add_file_type(0)
    for tensor in reader.tensors:
        shape = [int(size) for size in reversed(tensor.shape)]
        values = dequantize(tensor.data, tensor.tensor_type).astype(numpy.float32).reshape(shape)
        writer.add_tensor(tensor.name, values)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def prompts(vocabulary, length):
    random = numpy.random.default_rng(7)
    return [random.integers(300, vocabulary - 300, length).tolist() for _ in range(PROMPTS)]


class Ours:
    def __init__(self, agent, engine):
        self.agent, self.engine = agent, engine

    def logits(self, path, texts):
        """One array [tokens, vocabulary] per prompt."""
        with tempfile.TemporaryDirectory() as folder:
            files = [os.path.join(folder, str(index)) for index in range(len(texts))]
            turns = [" ".join(["logits", file, *map(str, text)]) for file, text in zip(files, texts)]
            command = [self.agent, "bench", path, "--turns", "--json", "--device", "cpu", "--engine", self.engine]
            done = subprocess.run(command, input="\n".join(turns) + "\n", capture_output=True, text=True)
            if done.returncode:
                raise SystemExit(f"{' '.join(command)}: {done.stdout[-500:]}{done.stderr[-500:]}")
            read = lambda file, text: numpy.fromfile(file, numpy.float32).reshape(len(text), -1)
            return [read(file, text) for file, text in zip(files, texts)]


class Theirs:
    """llama.cpp; `exact` runs it in 32 bits wherever it can."""

    def __init__(self, exact):
        import llama_cpp

        self.api, self.exact = llama_cpp, exact
        self.silent = llama_cpp.llama_log_callback(lambda *_: None)
        llama_cpp.llama_log_set(self.silent, ctypes.c_void_p(0))
        llama_cpp.llama_backend_init()

    def logits(self, path, texts):
        api = self.api
        settings = api.llama_model_default_params()
        settings.n_gpu_layers = 0
        settings.use_extra_bufts = not self.exact
        model = api.llama_model_load_from_file(path.encode(), settings)
        settings = api.llama_context_default_params()
        settings.n_ctx = 512
        settings.n_threads = settings.n_threads_batch = len(os.sched_getaffinity(0))
        settings.flash_attn_type = 0 if self.exact else 1
        if self.exact:
            # GGML_TYPE_F32
            settings.type_k = settings.type_v = 0
        context = api.llama_init_from_model(model, settings) if model else None
        if not context:
            raise SystemExit(f"{path}: llama.cpp cannot load it")
        width = api.llama_vocab_n_tokens(api.llama_model_get_vocab(model))
        batch = api.llama_batch_init(max(map(len, texts)), 0, 1)
        answers = []
        for text in texts:
            api.llama_memory_clear(api.llama_get_memory(context), True)
            batch.n_tokens = len(text)
            for index, token in enumerate(text):
                batch.token[index], batch.pos[index] = token, index
                batch.n_seq_id[index], batch.seq_id[index][0], batch.logits[index] = 1, 0, True
            if api.llama_decode(context, batch):
                raise SystemExit(f"{path}: llama_decode failed")
            pointer = api.llama_get_logits(context)
            answers.append(numpy.ctypeslib.as_array(pointer, (len(text), width)).copy())
        api.llama_batch_free(batch)
        api.llama_free(context)
        api.llama_model_free(model)
        return answers


def distance(reference, other):
    """Mean of 1 - cosine, mean overlap of the ten likeliest, over all tokens of all prompts."""
    away, overlap = [], []
    for exact, near in zip(reference, other):
        exact, near = exact.astype(numpy.float64), near.astype(numpy.float64)
        lengths = numpy.linalg.norm(exact, axis=1) * numpy.linalg.norm(near, axis=1)
        away.extend(1 - (exact * near).sum(axis=1) / lengths)
        top = lambda logits: numpy.argpartition(-logits, 10, axis=1)[:, :10]
        overlap.extend(len(set(a) & set(b)) for a, b in zip(top(exact), top(near)))
    return float(numpy.mean(away)), float(numpy.mean(overlap))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="*", metavar="MODEL")
    parser.add_argument("--agent", default="target/release/agent")
    parser.add_argument("--engine", default="auto", help="the pass that is compared: cpu, candle or auto")
    parser.add_argument("--models", metavar="FOLDER", help="compare every small model of this folder")
    parser.add_argument("--length", type=int, default=32, help="tokens of a prompt; up to 16 are evaluated as steps and drafts are")
    parser.add_argument("--types", default=",".join(TYPES))
    parser.add_argument("--architectures", default=",".join(ARCHITECTURES))
    options = parser.parse_args()
    files = list(options.files)
    if options.models:
        for architecture in options.architectures.split(","):
            for kind in options.types.split(","):
                files.append(models.make(options.models, f"small-{architecture}.{kind}"))
    reference_pass, ours = Ours(options.agent, "candle"), Ours(options.agent, options.engine)
    theirs, opinion = Theirs(False), Theirs(True)
    import gguf

    print("| model | llama.cpp's F32 pass | ours | llama.cpp | ratio | our top 10 | its top 10 |")
    print("|---|---|---|---|---|---|---|")
    failed = []
    for path in files:
        with tempfile.TemporaryDirectory() as folder:
            plain = os.path.join(folder, "plain.gguf")
            dequantized(path, plain)
            tokens = gguf.GGUFReader(path).fields["tokenizer.ggml.tokens"]
            texts = prompts(len(tokens.data), options.length)
            reference = reference_pass.logits(plain, texts)
            second, _ = distance(reference, opinion.logits(plain, texts))
            our_away, our_top = distance(reference, ours.logits(path, texts))
            their_away, their_top = distance(reference, theirs.logits(path, texts))
        ratio = our_away / max(their_away, 1e-9)
        # Where llama.cpp is as good as exact, so are we when rounding is all that is left.
        good = (ratio <= 1.1 or our_away < 1e-6) and our_top >= 9 and second < 1e-5
        name = os.path.basename(path).removesuffix(".gguf")
        if not good:
            failed.append(name)
        print(
            f"| {name} | {second:.1e} | {our_away:.2e} | {their_away:.2e} | {ratio:.2f}{'' if good else ' **'} "
            f"| {our_top:.2f} | {their_top:.2f} |",
            flush=True,
        )
    if failed:
        print(f"beyond the limits: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
