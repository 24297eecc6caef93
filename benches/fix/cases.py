"""Pairs of a Rust file that does not compile and one that does, from a checkout of the compiler.

Two sets: `fixed`, the tests below `tests/ui` with a `.fixed` beside them, and `codes`, an erroneous example of
an error code's documentation with the next correct one at a similarity of lines of at least a half. A pair is kept
where the first fails with an error and the second compiles, by the installed compiler, in the pair's own edition.
"""

import dataclasses
import difflib
import hashlib
import json
import pathlib
import re
import subprocess
import tempfile

# What a file cannot be compiled without, outside of the compiler's own test runner.
NEEDS = re.compile(r"^//@ *\[?[\w,]*\]? *(aux-|revisions|compile-flags|needs-|proc-macro|ignore-|rustc-env|only-)", re.M)
EDITION = re.compile(r"^//@ *edition: *(\d{4})", re.M)
ANNOTATION = re.compile(r"[ \t]*//(\[[\w,]+\])?~.*$", re.M)
FENCE = re.compile(r"^```(.*?)\n(.*?)^```", re.M | re.S)


@dataclasses.dataclass
class Case:
    name: str
    edition: str
    broken: str
    repaired: str
    held_out: bool
    code: str = ""


class Repository:
    """A checkout, or a bare repository, of which the newest commit is read."""

    def __init__(self, folder):
        self.folder = folder

    def git(self, *arguments):
        done = subprocess.run(["git", "-C", self.folder, *arguments], capture_output=True, check=True)
        return done.stdout.decode(errors="replace")

    def names(self):
        return self.git("ls-tree", "-r", "--name-only", "HEAD").splitlines()

    def read(self, name):
        return self.git("show", f"HEAD:{name}")


def fixed(repository):
    """Tests with a repaired twin; held out by the hash of their path below `tests/ui`."""
    names = set(repository.names())
    for twin in sorted(name for name in names if re.search(r"(^|/)tests/ui/.*\.fixed$", name)):
        source = twin.removesuffix(".fixed") + ".rs"
        if source not in names or "/clippy/" in twin:
            continue
        broken = repository.read(source)
        if NEEDS.search(broken):
            continue
        below = twin.split("tests/ui/", 1)[1].removesuffix(".fixed") + ".rs"
        held_out = int(hashlib.sha256(below.encode()).hexdigest(), 16) % 4 != 0
        edition = EDITION.search(broken)
        yield Case(
            name=below,
            edition=edition.group(1) if edition else "2015",
            broken=ANNOTATION.sub("", broken),
            repaired=ANNOTATION.sub("", repository.read(twin)),
            held_out=held_out,
        )


def codes(repository):
    """Documentation of error codes; held out but where the code's number is divisible by four."""
    for name in repository.names():
        found = re.search(r"error_codes/(E(\d{4}))\.md$", name)
        if not found:
            continue
        code, number = found.group(1), int(found.group(2))
        blocks = [(set(re.split(r"[,\s]+", info.strip())), text) for info, text in FENCE.findall(repository.read(name))]
        for at, (info, text) in enumerate(blocks):
            if "compile_fail" not in info or code not in info:
                continue
            later = (other for other_info, other in blocks[at + 1 :] if not other_info & {"compile_fail", "ignore", "text", "toml"})
            repaired = next(later, None)
            if repaired is None or alike(text, repaired) < 0.5:
                continue
            edition = next((word.removeprefix("edition") for word in info if word.startswith("edition")), "2015")
            yield Case(f"{code}-{at}", edition, example(text), example(repaired), number % 4 != 0, code)


def alike(one, other):
    return difflib.SequenceMatcher(None, one.splitlines(), other.splitlines()).ratio()


def example(text):
    """An example as it is compiled: hidden lines shown, in a `main` if it has none."""
    lines = [re.sub(r"^(\s*)# ?", r"\1", line) if re.match(r"\s*#( |$)", line) else line for line in text.splitlines()]
    text = "\n".join(lines) + "\n"
    if re.search(r"\bfn main\s*\(", text):
        return text
    inner = [line for line in lines if re.match(r"\s*#!\[", line)]
    body = [line for line in lines if not re.match(r"\s*#!\[", line)]
    return "\n".join([*inner, "fn main() {", *body, "}"]) + "\n"


def errors(text, edition, folder):
    """Codes of the errors the compiler finds, empty ones for those without."""
    file = pathlib.Path(folder) / "case.rs"
    file.write_text(text)
    kind = "bin" if re.search(r"\bfn main\s*\(", text) else "lib"
    command = ["rustc", "--edition", edition, "--crate-type", kind, "--crate-name", "case", "--emit=metadata"]
    done = subprocess.run(
        [*command, "--error-format=json", "--out-dir", folder, file], capture_output=True, text=True, timeout=120
    )
    found = []
    for line in done.stderr.splitlines():
        if line.startswith("{"):
            message = json.loads(line)
            if message.get("level") == "error" and not message["message"].startswith("aborting"):
                found.append((message.get("code") or {}).get("code", ""))
    if done.returncode != 0 and not found:
        found.append("")
    return found


def sound(cases):
    """Those that fail before, with their code where they have one, and compile after."""
    with tempfile.TemporaryDirectory() as folder:
        for case in cases:
            before = errors(case.broken, case.edition, folder)
            if not before or (case.code and case.code not in before):
                continue
            if errors(case.repaired, case.edition, folder):
                continue
            yield case
