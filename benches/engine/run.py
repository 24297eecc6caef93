#!/usr/bin/env python3
"""Our engine against llama.cpp: the same files, the same shapes, turn by turn.

  python3 benches/engine/run.py --cache FOLDER [--output TABLE.md]

What is missing is made in FOLDER, which must lie outside the repository and takes about 12 GB:
llama.cpp, built natively from the source distribution of llama-cpp-python in a virtual environment,
and models of random weights. `--prepare` does only that. llama.cpp runs with each of the settings
below, and each of its figures is the best one of any of them:
  amx     repacked weights, matrix tiles where the processor has them
  repack  repacked weights, vector units only
  plain   weights as they lie in the file
Run it on a machine that has nothing else to do: the load is in the table.
"""

import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import time
from datetime import datetime, timezone

HERE = os.path.dirname(os.path.abspath(__file__))
REPOSITORY = os.path.dirname(os.path.dirname(HERE))
VERSION = "0.3.36"
MODELS = [f"{shape}.{kind}" for shape in ("0.5b", "1.5b") for kind in ("Q4_K_M", "Q8_0", "Q4_0")]
NO_TILES = "-mno-amx-tile -mno-amx-int8 -mno-amx-bf16"
# In the order of the report. A keystroke comes last: its prompt is evaluated once.
NAMES = ["prefill", "decode", "step", "verify", "verify_last", "one", "four", "keystroke"]


def say(text):
    print(f"[{datetime.now():%H:%M:%S}] {text}", file=sys.stderr, flush=True)


def prepare(cache):
    """The Python of the environment, and each variant's library folder."""
    environment = os.path.join(cache, "environment")
    python = os.path.join(environment, "bin", "python")
    if not os.path.exists(python):
        say("making a virtual environment")
        subprocess.run([sys.executable, "-m", "venv", environment], check=True)
        subprocess.run([python, "-m", "pip", "install", "-q", "gguf", "numpy"], check=True)
    fix = f"-include {os.path.join(HERE, 'tile_config.h')}"
    variants = {"amx": ("", fix), "repack": (NO_TILES, NO_TILES)}
    if "amx_int8" not in flags():
        variants = {"repack": ("", "")}
    libraries = {}
    for name, (c_flags, cpp_flags) in variants.items():
        folder = os.path.join(cache, f"llama-{name}")
        if not os.path.isdir(os.path.join(folder, "llama_cpp")):
            say(f"building llama.cpp ({name}); this takes some minutes")
            settings = "-DGGML_NATIVE=ON -DLLAVA_BUILD=OFF"
            settings += f" -DCMAKE_C_FLAGS='{c_flags}' -DCMAKE_CXX_FLAGS='{cpp_flags}'"
            subprocess.run(
                [python, "-m", "pip", "install", "-q", "--no-deps", "--no-cache-dir", "--no-binary", "llama-cpp-python"]
                + ["--target", folder, f"llama-cpp-python=={VERSION}"],
                env={**os.environ, "CMAKE_ARGS": settings},
                check=True,
            )
            wanted = ["jinja2", "diskcache", "typing-extensions"]
            subprocess.run([python, "-m", "pip", "install", "-q", *wanted], check=True)
        libraries[name] = folder
    return python, libraries


def flags():
    try:
        with open("/proc/cpuinfo") as info:
            return next((line for line in info if line.startswith(("flags", "Features"))), "")
    except OSError:
        return ""


def machine():
    names = "avx2 avx_vnni avx512f avx512_vnni avx512_bf16 amx_int8 amx_bf16 asimddp i8mm".split()
    have = [name for name in names if name in flags().split()]
    processor = platform.processor()
    try:
        with open("/proc/cpuinfo") as info:
            processor = next((line.split(":")[1].strip() for line in info if line.startswith("model name")), processor)
    except OSError:
        pass
    return f"{processor}, {len(os.sched_getaffinity(0))} cores, {platform.machine()} ({', '.join(have)})"


def limits(cache, threads):
    program = os.path.join(cache, "limits")
    compiler = os.environ.get("CC", "cc")
    subprocess.run([compiler, "-O3", "-march=native", "-pthread", os.path.join(HERE, "limits.c"), "-o", program], check=True)
    return json.loads(subprocess.run([program, str(threads)], check=True, capture_output=True).stdout)


def read_anew(path):
    """Forgets what memory holds of a file. The kernel then reads it in large pieces of memory; a file
    written or downloaded bit by bit lies scattered until then, and is read a quarter slower."""
    if hasattr(os, "posix_fadvise"):
        file = os.open(path, os.O_RDONLY)
        os.fsync(file)
        os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)
        os.close(file)


class Side:
    """A program that answers each line with a line of JSON."""

    def __init__(self, command, environment=None):
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env={**os.environ, **(environment or {})},
        )
        self.loaded = self.answer()

    def answer(self):
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"{' '.join(self.process.args)} ended with {self.process.wait()}")
        answer = json.loads(line)
        if "error" in answer:
            raise SystemExit(f"{' '.join(self.process.args)}: {answer['error']}")
        return answer

    def ask(self, name):
        self.process.stdin.write(name + "\n")
        self.process.stdin.flush()
        return self.answer()

    def end(self):
        self.process.stdin.close()
        self.process.wait()


def compare(options, python, libraries, model):
    """Answers {side: {name: [milliseconds]}} and what each side said when it had loaded."""
    rival = os.path.join(HERE, "rival.py")
    threads = ["--threads", str(options.threads)]
    start = {
        "ours": lambda: Side(
            [options.agent, "bench", model, "--turns", "--json", "--device", "cpu", "--engine", options.engine, *threads]
        )
    }
    for name, library in libraries.items():
        path = {"PYTHONPATH": library}
        start[name] = lambda path=path: Side([python, rival, *threads, model], path)
    first = next(iter(libraries.values()))
    start["plain"] = lambda: Side([python, rival, "--extra", "0", *threads, model], {"PYTHONPATH": first})
    wanted = options.sides.split(",") if options.sides else list(start)
    times = {side: {name: [] for name in NAMES} for side in wanted}
    loaded = {side: {"load_ms": [], "first_token_ms": []} for side in wanted}
    read_anew(model)
    for _ in range(3):
        for side in wanted:
            program = start[side]()
            for key, values in loaded[side].items():
                values.append(program.loaded[key])
            program.end()
    # Processes that wait take no time; but each is started alone, and none while another is timed.
    programs = {side: start[side]() for side in wanted}
    for name in options.only.split(",") if options.only else NAMES:
        if name == "keystroke":
            for program in programs.values():
                program.ask(name)
        for _ in range(options.repeats):
            for side in wanted:
                time.sleep(options.pause)
                times[side][name].append(programs[side].ask(name)["ms"])
        say(f"  {name}: " + ", ".join(f"{side} {statistics.median(times[side][name]):.1f} ms" for side in wanted))
    for side, program in programs.items():
        loaded[side]["memory"] = program.ask("memory")
        loaded[side]["about"] = program.loaded
        program.end()
    return times, loaded


def spread(values):
    return f"{min(values):.0f}–{max(values):.0f}"


class Table:
    """The report."""

    def __init__(self, options, limit):
        self.limit, self.rows, self.sides, self.versions = limit, [], [], ""

    def add(self, model, size, times, loaded):
        rivals = [side for side in times if side != "ours"]
        name = os.path.basename(model).removesuffix(".gguf")

        def row(what, unit, key, factor=None, wanted="", bound=None):
            """Smaller times are better; `factor` turns milliseconds into a rate."""
            runs = {side: times[side][key] for side in times if times[side][key]}
            if not runs or not all(side in runs for side in times):
                return None
            medians = {side: statistics.median(values) for side, values in runs.items()}
            best = min(rivals, key=medians.get, default=None)
            shown = lambda milliseconds: f"{factor / milliseconds:.1f}" if factor else f"{milliseconds:.1f}"
            cells = [name, what + (f", {unit}" if unit else "")]
            for side in ("ours", best):
                present = side in medians
                cells.append(f"{shown(medians[side])} ({spread(runs[side])} ms)" if present else "")
            cells.append(best or "")
            both = "ours" in medians and best
            ratio = medians[best] / medians["ours"] if both else 0
            cells.append(f"{ratio if factor else 1 / ratio:.2f} ×" if both else "")
            cells.append(f"{100 * factor / medians['ours'] / bound:.0f} %" if bound and "ours" in medians else "")
            cells.append(wanted)
            self.rows.append(cells)
            return medians

        multiplications, read = size
        row("prefill 512", "tokens/s", "prefill", 512e3, "≥ 1.5 ×", self.limit["int8_gops"] * 1e9 / (2 * multiplications))
        row("decode 64", "tokens/s", "decode", 64e3, "≥ 1.15 ×", self.limit["read_gbs"] * 1e9 / read)
        row("verify 8", "ms", "verify", wanted="≤ 0.8 ×")
        row("verify 8, last logits", "ms", "verify_last")
        row("4 candidates of 32", "ms", "four", wanted="≤ 0.8 ×")
        row("keystroke at 4000", "ms", "keystroke")
        median = lambda side, key: statistics.median(times[side][key]) if times.get(side, {}).get(key) else None
        for what, above, below, wanted in [
            ("verify 8 / one step", "verify", "step", "≤ 2"),
            ("4 candidates / 1", "four", "one", "≤ 2.2"),
            ("keystroke / one step", "keystroke", "step", "≤ 3"),
        ]:
            cells = [name, what]
            values = {s: median(s, above) / median(s, below) for s in times if median(s, above) and median(s, below)}
            # A slow step would make a good ratio: the fastest setting counts.
            best = min((s for s in values if s != "ours"), key=lambda s: median(s, above), default="")
            cells += [f"{values[s]:.2f}" if s in values else "" for s in ("ours", best)] + [best, "", "", wanted]
            if values:
                self.rows.append(cells)
        for what, pick, wanted in [
            ("start to first token, ms", lambda side: statistics.median(loaded[side]["first_token_ms"]), "≤ 1000"),
            ("resident memory, MiB", lambda side: loaded[side]["memory"]["rss_mb"], ""),
            ("of it backed by no file, MiB", lambda side: loaded[side]["memory"]["anonymous_mb"], ""),
        ]:
            best = min(rivals, key=pick, default="")
            cells = [f"{pick(side):.0f}" if side in loaded else "" for side in ("ours", best)]
            both = all(cells) and best
            ratio = f"{pick('ours') / pick(best):.2f} ×" if both else ""
            self.rows.append([name, what, *cells, best, ratio, "", wanted])

    def text(self, options, python_version):
        load = ", ".join(f"{value:.2f}" for value in os.getloadavg())
        revision = subprocess.run(
            ["git", "-C", REPOSITORY, "describe", "--always", "--dirty"], capture_output=True, text=True
        ).stdout.strip()
        limit = self.limit
        lines = [
            f"Machine: {machine()}; {platform.system()} {platform.release()}; {options.threads} threads.",
            f"Limits: read {limit['read_gbs']:.1f} GB/s, f32 {limit['f32_gops']:.0f} Gop/s ({limit['f32']}), "
            f"int8 {limit['int8_gops']:.0f} Gop/s ({limit['int8']}).",
            f"Ours: {revision or 'no git'}, engine {options.engine}. llama.cpp: {python_version}.",
            f"{datetime.now(timezone.utc):%Y-%m-%d %H:%M} UTC; load at the end {load}; {options.repeats} runs each, in turns; "
            "medians (least–most). % of the limit: of 8-bit multiplications for prefill, of reading for decode.",
            "",
            "| model | figure | ours | llama.cpp's best | its setting | ratio | % of the limit | wanted |",
            "|---|---|---|---|---|---|---|---|",
        ]
        return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in self.rows]) + "\n"


def work(python, model):
    """Multiplications per token in the matrices, and bytes read per token: [count, bytes]."""
    program = (
        "import gguf, json, sys\n"
        "tensors = gguf.GGUFReader(sys.argv[1]).tensors\n"
        "names = {tensor.name for tensor in tensors}\n"
        "def used(t): return t.name != 'token_embd.weight' or 'output.weight' not in names\n"
        "wide = [t for t in tensors if len(t.shape) == 2 and used(t)]\n"
        "inner = [t for t in wide if t.name not in ('token_embd.weight', 'output.weight')]\n"
        "print(json.dumps([int(sum(t.n_elements for t in inner)), int(sum(t.n_bytes for t in wide))]))\n"
    )
    done = subprocess.run([python, "-c", program, model], check=True, capture_output=True, text=True)
    return json.loads(done.stdout)


def agent(options):
    if options.agent:
        return options.agent
    subprocess.run(["cargo", "build", "--release", "--bin", "agent"], cwd=REPOSITORY, check=True)
    return os.path.join(os.environ.get("CARGO_TARGET_DIR", os.path.join(REPOSITORY, "target")), "release", "agent")


def arguments():
    default = os.path.join(os.environ.get("XDG_CACHE_HOME", os.path.expanduser("~/.cache")), "agent-bench")
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cache", default=default, help="folder for llama.cpp and the models")
    parser.add_argument("--environment", help="Python that has gguf, numpy and llama-cpp-python; nothing is built then")
    parser.add_argument("--libraries", default="", help="with it: NAME=FOLDER of llama.cpp libraries, by commas")
    parser.add_argument("--agent", help="our program; built in release mode where it is not named")
    parser.add_argument("--engine", default="auto")
    parser.add_argument("--models", default=",".join(MODELS), help="names, or paths of GGUF files, by commas")
    parser.add_argument("--only", default="", help=f"measurements, by commas, of {', '.join(NAMES)}")
    parser.add_argument("--sides", default="", help="ours, amx, repack, plain, by commas; all where none is named")
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--pause", type=float, default=0.05, help="seconds before each run")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--output", help="where the table goes, beside standard output")
    parser.add_argument("--prepare", action="store_true", help="only make what is missing")
    return parser.parse_args()


def main():
    options = arguments()
    cache = os.path.abspath(options.cache)
    if os.path.commonpath([cache, REPOSITORY]) == REPOSITORY:
        raise SystemExit(f"{cache} lies in the repository; name another folder with --cache")
    os.makedirs(cache, exist_ok=True)
    if options.environment:
        python = options.environment
        libraries = dict(pair.split("=", 1) for pair in options.libraries.split(",") if pair)
        libraries = libraries or {"amx": ""}
    else:
        python, libraries = prepare(cache)
    first = next(iter(libraries.values()))
    paths = []
    for name in options.models.split(","):
        if name.endswith(".gguf"):
            paths.append(name)
            continue
        path = os.path.join(cache, "models", name + ".gguf")
        if not os.path.exists(path):
            say(f"making {name}")
            command = [python, os.path.join(HERE, "models.py"), os.path.join(cache, "models"), name]
            subprocess.run(command, check=True, env={**os.environ, "PYTHONPATH": first})
        paths.append(path)
    if options.prepare:
        return
    options.agent = agent(options)
    table = Table(options, limits(cache, options.threads))
    version = ""
    for path in paths:
        say(path)
        times, loaded = compare(options, python, libraries, path)
        table.add(path, work(python, path), times, loaded)
        for side, about in loaded.items():
            if side != "ours":
                about = about["about"]
                version = f"{about['llama_version']} (llama-cpp-python {about['llama_cpp_python']})"
        text = table.text(options, version)
        if options.output:
            with open(options.output, "w") as file:
                file.write(text)
    print(text)


if __name__ == "__main__":
    main()
