#!/usr/bin/env python3
"""llama.cpp's side of the comparison, through the low-level interface of llama-cpp-python.

Loads one model, then answers each line of standard input (the name of a measurement) with one line of
JSON, so that another program can be measured in between. `rival.py --all N MODEL` runs every
measurement N times by itself and prints medians and minima.

Measurements, each {"ms": ...} and what it needs beside that:
  prefill      512 tokens into an empty cache, logits of the last
  decode       64 single tokens, each the likeliest one, after a prompt of 32
  step         one token after a prompt of 64
  verify       8 tokens of one sequence as one batch after a prompt of 64, logits of all
  verify_last  the same with the logits of the last only
  four         4 sequences of 32 tokens, stepping together, on a shared prompt of 64
  one          1 sequence of 32 tokens on the same prompt
  keystroke    one token behind a cached prompt of 4000, until the next token is known
  memory       {"rss_mb", "anonymous_mb"} of this process
"""

import argparse
import ctypes
import json
import os
import statistics
import sys
import time

CONTEXT = 4096
MEASUREMENTS = ["prefill", "decode", "step", "verify", "verify_last", "one", "four", "keystroke"]


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--extra", type=int, default=1, help="1: repacked and AMX weight buffers, 0: plain ones")
    parser.add_argument("--flash", type=int, default=1, help="flash attention: 1 on, 0 off, -1 automatic")
    parser.add_argument("--batch", type=int, default=512, help="tokens evaluated at once")
    parser.add_argument("--all", type=int, default=0, metavar="N", help="run everything N times and print a summary")
    parser.add_argument("--only", default="", help="with --all: names, separated by commas")
    return parser.parse_args()


class Rival:
    def __init__(self, options):
        # Importing it is no part of loading a model.
        import llama_cpp
        import numpy

        self.api, self.numpy = llama_cpp, numpy
        self.lines = []
        self.keep = llama_cpp.llama_log_callback(lambda level, text, _: self.lines.append(text.decode(errors="replace")))
        llama_cpp.llama_log_set(self.keep, ctypes.c_void_p(0))
        llama_cpp.llama_backend_init()
        start = time.perf_counter()
        settings = llama_cpp.llama_model_default_params()
        settings.n_gpu_layers = 0
        settings.use_extra_bufts = bool(options.extra)
        settings.load_mode = llama_cpp.LLAMA_LOAD_MODE_MMAP
        self.model = llama_cpp.llama_model_load_from_file(options.model.encode(), settings)
        if not self.model:
            raise SystemExit("".join(self.lines[-20:]))
        settings = llama_cpp.llama_context_default_params()
        settings.n_ctx = CONTEXT
        settings.n_batch = settings.n_ubatch = options.batch
        settings.n_seq_max = 8
        settings.n_outputs_max = 16
        settings.kv_unified = True
        settings.n_threads = settings.n_threads_batch = options.threads
        settings.flash_attn_type = options.flash
        settings.no_perf = True
        self.context = llama_cpp.llama_init_from_model(self.model, settings)
        if not self.context:
            raise SystemExit("".join(self.lines[-20:]))
        self.memory = llama_cpp.llama_get_memory(self.context)
        vocabulary = llama_cpp.llama_model_get_vocab(self.model)
        self.tokens = llama_cpp.llama_vocab_n_tokens(vocabulary)
        self.batch_size = options.batch
        self.batch = llama_cpp.llama_batch_init(options.batch, 0, 1)
        self.load_ms = (time.perf_counter() - start) * 1e3
        # The first pass touches memory that later ones find ready.
        self.evaluate(self.prompt(1, 16), 0)
        self.likeliest()
        self.first_token_ms = (time.perf_counter() - start) * 1e3
        self.seed = 100
        self.held = 0

    def describe(self):
        import platform

        wanted = ("buffer size", "repack", "amx", "flash_attn", "Flash Attention", "n_threads", "type ")
        said = [line.strip() for line in self.lines if any(word in line for word in wanted)]
        return {
            "llama_cpp_python": self.api.__version__,
            "llama_version": (self.api.llama_version() or b"").decode() if hasattr(self.api, "llama_version") else "",
            "system": self.api.llama_print_system_info().decode(),
            "python": platform.python_version(),
            "said": said,
        }

    def prompt(self, seed, length):
        """Pseudo-random ordinary tokens; another seed has another first token, so nothing is cached."""
        most = min(self.tokens, 150000) - 300
        state, tokens = seed * 2654435761 % 2**32, []
        for _ in range(length):
            state = (state * 1664525 + 1013904223) % 2**32
            tokens.append(200 + (state >> 8) % max(most, 1))
        return tokens

    def add(self, token, position, sequence, output):
        batch, index = self.batch, self.batch.n_tokens
        batch.token[index] = token
        batch.pos[index] = position
        batch.n_seq_id[index] = 1
        batch.seq_id[index][0] = sequence
        batch.logits[index] = output
        batch.n_tokens = index + 1

    def decode(self):
        code = self.api.llama_decode(self.context, self.batch)
        if code:
            raise SystemExit(f"llama_decode: {code}")

    def evaluate(self, tokens, start, outputs="last"):
        """Evaluates `tokens` of sequence 0 from position `start` on."""
        for first in range(0, len(tokens), self.batch_size):
            part = tokens[first : first + self.batch_size]
            self.batch.n_tokens = 0
            for index, token in enumerate(part):
                last = first + index + 1 == len(tokens)
                self.add(token, start + first + index, 0, outputs == "all" or last)
            self.decode()

    def likeliest(self, index=-1):
        logits = self.api.llama_get_logits_ith(self.context, index)
        return int(self.numpy.ctypeslib.as_array(logits, (self.tokens,)).argmax())

    def forget(self, sequence=-1, start=0):
        if sequence < 0:
            self.api.llama_memory_clear(self.memory, False)
            self.held = 0
        else:
            self.api.llama_memory_seq_rm(self.memory, sequence, start, -1)

    def fresh(self, length):
        self.seed += 1
        self.forget()
        self.evaluate(self.prompt(self.seed, length), 0)
        return length

    def prefill(self):
        self.seed += 1
        tokens = self.prompt(self.seed, 512)
        self.forget()
        start = time.perf_counter()
        self.evaluate(tokens, 0)
        self.likeliest()
        return {"ms": ms_since(start), "tokens": 512}

    def generate(self, position, count):
        token = self.likeliest()
        start = time.perf_counter()
        for index in range(count):
            self.batch.n_tokens = 0
            self.add(token, position + index, 0, True)
            self.decode()
            token = self.likeliest()
        return ms_since(start)

    def measure_decode(self):
        return {"ms": self.generate(self.fresh(32), 64), "tokens": 64}

    def step(self):
        return {"ms": self.generate(self.fresh(64), 1)}

    def verify(self, outputs="all"):
        position = self.fresh(64)
        tokens = self.prompt(self.seed + 7, 8)
        start = time.perf_counter()
        self.evaluate(tokens, position, outputs)
        for index in range(8 if outputs == "all" else 0):
            self.likeliest(index)
        self.likeliest()
        return {"ms": ms_since(start)}

    def several(self, count):
        position = self.fresh(64)
        for sequence in range(1, count):
            self.api.llama_memory_seq_cp(self.memory, 0, sequence, -1, -1)
        tokens = [self.likeliest()] * count
        start = time.perf_counter()
        for index in range(32):
            self.batch.n_tokens = 0
            for sequence in range(count):
                self.add(tokens[sequence], position + index, sequence, True)
            self.decode()
            tokens = [self.likeliest(sequence) for sequence in range(count)]
        return {"ms": ms_since(start)}

    def keystroke(self):
        if self.held != 4000:
            self.fresh(4000)
            self.held = 4000
        start = time.perf_counter()
        self.evaluate([self.prompt(self.seed, 4000)[7]], 4000)
        self.likeliest()
        answer = {"ms": ms_since(start)}
        self.forget(0, 4000)
        return answer

    def measure(self, name):
        if name not in ("keystroke", "memory"):
            self.held = 0
        table = {
            "prefill": self.prefill,
            "decode": self.measure_decode,
            "step": self.step,
            "verify": self.verify,
            "verify_last": lambda: self.verify("last"),
            "one": lambda: self.several(1),
            "four": lambda: self.several(4),
            "keystroke": self.keystroke,
            "memory": resident,
        }
        if name not in table:
            return {"error": f"no measurement {name}"}
        return table[name]()


def ms_since(start):
    return (time.perf_counter() - start) * 1e3


def resident():
    wanted = {"VmRSS:": "rss_mb", "RssAnon:": "anonymous_mb", "VmHWM:": "peak_mb"}
    found = {}
    with open("/proc/self/status") as status:
        for line in status:
            name, *rest = line.split()
            if name in wanted:
                found[wanted[name]] = int(rest[0]) / 1024
    return found


def main():
    options = arguments()
    rival = Rival(options)
    answer = lambda value: print(json.dumps(value), flush=True)
    loaded = {"load_ms": rival.load_ms, "first_token_ms": rival.first_token_ms, **resident()}
    if not options.all:
        answer({**loaded, **rival.describe()})
        for line in sys.stdin:
            answer(rival.measure(line.strip()))
        return
    names = [name for name in options.only.split(",") if name] or MEASUREMENTS
    summary = {"model": os.path.basename(options.model), **loaded}
    times = {name: [] for name in names}
    # The long prompt is evaluated once, for all keystrokes.
    turns = [name for _ in range(options.all) for name in names if name != "keystroke"]
    turns += ["keystroke"] * (options.all * ("keystroke" in names))
    for name in turns:
        times[name].append(rival.measure(name)["ms"])
    for name in names:
        summary[name] = {"median_ms": statistics.median(times[name]), "least_ms": min(times[name])}
    summary["memory"] = resident()
    summary["about"] = rival.describe()
    answer(summary)


if __name__ == "__main__":
    main()
