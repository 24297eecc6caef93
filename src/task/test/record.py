"""Calls functions of a module with simple inputs and prints, as JSON, what came of it.

    python record.py REQUEST

REQUEST is JSON: {"file", "module", "path" (folders for sys.path), "targets" (qualified names),
"tree" (a folder whose name must not occur in a result)}. Inputs come from doc examples, defaults,
constants compared in the body, annotations and names; a case is kept when it reaches new lines or
has a new kind of outcome. Everything here is deterministic: a value that differs from one run to
the next comes from the module, and the caller drops it.
"""

import ast
import doctest
import importlib
import inspect
import io
import itertools
import json
import math
import os
import signal
import sys
import time
import typing

MAX_TRIALS = 60
MAX_CASES = 8
MAX_TEXT = 300
CALL_SECONDS = 0.5
TARGET_SECONDS = 8.0

# What makes a result depend on more than the arguments.
IMPURE = {"time", "datetime", "random", "secrets", "uuid", "socket", "requests", "urllib",
          "subprocess", "environ", "getpid", "urandom", "threading", "input", "open", "getcwd",
          "today", "now", "utcnow", "gettempdir", "Path", "id"}

BY_NAME = {
    int: {"n", "m", "i", "j", "k", "x", "y", "a", "b", "count", "number", "num", "size", "length",
          "index", "limit", "width", "height", "year", "age", "quantity", "amount", "price",
          "total", "start", "stop", "end", "low", "high", "depth", "step", "value"},
    str: {"s", "t", "text", "string", "name", "word", "line", "key", "title", "prefix", "suffix",
          "message", "label", "path", "url", "email", "pattern", "char", "sep", "separator"},
    list: {"items", "values", "xs", "ys", "arr", "array", "lst", "list", "numbers", "nums",
           "elements", "seq", "sequence", "data", "rows", "points", "words", "names", "lines"},
    dict: {"mapping", "d", "options", "config", "counts", "table", "params", "graph"},
    bool: {"flag", "enabled", "verbose", "reverse", "strict", "force"},
}

SAMPLES = {
    int: ["0", "1", "-1", "2", "10"],
    float: ["0.0", "1.5", "-2.0", "100.0"],
    str: ["''", "'a'", "'Hello, World'", "'  two words '", "'äöü'"],
    bool: ["True", "False"],
    bytes: ["b''", "b'abc'"],
    type(None): ["None"],
    list: ["[]", "[1]", "[3, 1, 2]", "[2, 2]"],
    tuple: ["()", "(1, 2)"],
    set: ["set()", "{1, 2}"],
    dict: ["{}", "{'a': 1}", "{'a': 1, 'b': 2}"],
    complex: ["1j"],
}
ANYTHING = ["1", "'a'", "[3, 1, 2]", "['b', 'a']", "{'a': 1}", "0", "''", "[]", "1.5", "None", "(1, 2)",
            "[[1, 2], [3, 4]]", "True"]


class Out(Exception):
    pass


def main():
    request = json.loads(sys.argv[1])
    sys.path[:0] = request["path"]
    sys.stdin = io.StringIO()
    real, sys.stdout = sys.stdout, io.StringIO()
    sys.setrecursionlimit(400)
    with open(request["file"], encoding="utf-8") as file:
        source = file.read()
    tree = ast.parse(source)
    answer = {"error": None, "pytest": has("pytest"), "targets": []}
    try:
        module = importlib.import_module(request["module"])
    except BaseException as error:
        answer["error"] = f"importing {request['module']}: {type(error).__name__}: {error}"
    else:
        for name in request["targets"]:
            answer["targets"].append(Target(request, module, tree, name).record())
    sys.stdout = real
    print(json.dumps(answer))
    sys.stdout.flush()
    # Threads of the module must not keep the process.
    os._exit(0)


def has(module):
    try:
        return importlib.util.find_spec(module) is not None
    except (ImportError, AttributeError, ValueError):
        return False


class Target:
    def __init__(self, request, module, tree, name):
        self.request, self.module, self.name = request, module, name
        self.node = find(tree, name.split("."))
        self.tree = tree
        self.space = dict(vars(module))
        # Whether a parameter whose type is only guessed gets values of every type.
        self.anything = False

    def record(self):
        result = {"name": self.name, "cases": [], "imports": [], "suspects": [], "reason": None}
        try:
            call, function = self.callable()
        except Out as error:
            result["reason"] = str(error)
            return result
        self.try_all(call, function, result)
        if not result["cases"] and not self.anything:
            self.anything = True
            self.try_all(call, function, result)
        result["imports"] = sorted(self.used_names(result["cases"]))
        if not result["cases"]:
            result["reason"] = "no simple arguments that it accepts were found"
        return result

    def try_all(self, call, function, result):
        pure = self.node is not None and not (names_in(self.node) & IMPURE)
        kept, lines, outcomes = [], set(), set()
        trials = 0
        end = time.monotonic() + TARGET_SECONDS
        for arguments in self.argument_lists(function):
            trials += 1
            if trials > MAX_TRIALS or time.monotonic() > end:
                break
            case, covered = self.run(call, function, arguments, pure)
            if case["kind"] == "wrong":
                continue
            kind = (case["kind"], case.get("type"), case.get("exception"))
            if case["kind"] == "suspect":
                text = f"{case['call']}: {case['exception']}"
                if kind not in outcomes and len(result["suspects"]) < 3:
                    result["suspects"].append(text)
                outcomes.add(kind)
                continue
            new = (covered - lines) or kind not in outcomes or (len(kept) < 3)
            if new and not any(case["call"] == other["call"] for other in kept):
                kept.append(case)
                lines |= covered
                outcomes.add(kind)
            if len(kept) >= MAX_CASES:
                break
        result["cases"] = kept

    def callable(self):
        """The source of a call up to its bracket, and the function."""
        parts = self.name.split(".")
        target = self.module
        for part in parts:
            target = inspect.getattr_static(target, part, None) if inspect.isclass(target) else getattr(target, part, None)
        if isinstance(target, (staticmethod, classmethod)):
            owner = getattr(self.module, parts[0])
            return self.name, getattr(owner, parts[1])
        if isinstance(target, property):
            raise Out("it is a property")
        if len(parts) == 1 and inspect.isclass(target):
            return self.name, target
        if not callable(target):
            raise Out("it is not a function that can be called from outside")
        if len(parts) == 1:
            return self.name, target
        instance = self.instance(getattr(self.module, parts[0], None), 0)
        if instance is None:
            raise Out(f"no simple way to make a {parts[0]} was found")
        return f"{instance}.{parts[-1]}", target

    def instance(self, cls, depth):
        """Source that makes an object of a class of the module, with the smallest arguments."""
        if not inspect.isclass(cls) or depth > 2:
            return None
        # An enumeration has its members.
        members = getattr(cls, "__members__", None)
        if members:
            return f"{cls.__name__}.{next(iter(members))}"
        try:
            parameters = list(inspect.signature(cls).parameters.values())
        except (TypeError, ValueError):
            return None
        choices = []
        for parameter in parameters:
            if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
                continue
            if parameter.default is not parameter.empty:
                continue
            values = self.values(parameter, None, depth + 1)
            # Neither empty nor zero where there is a choice: more of a method runs then.
            choices.append((values[1:3] + values[:1] + values[3:])[:4])
        for arguments in itertools.islice(itertools.product(*choices), 24):
            text = f"{cls.__name__}({', '.join(arguments)})"
            try:
                with limit():
                    eval(text, self.space)
                return text
            except Exception:
                continue
        return None

    def argument_lists(self, function):
        yield from self.examples()
        try:
            parameters = list(inspect.signature(function).parameters.values())
        except (TypeError, ValueError):
            return
        if "." in self.name and parameters and parameters[0].name in ("self", "cls") and not inspect.ismethod(function):
            parameters = parameters[1:]
        choices, optional = [], []
        for parameter in parameters:
            if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
                continue
            values = self.values(parameter, self.node, 0)
            if parameter.kind is parameter.KEYWORD_ONLY:
                values = [f"{parameter.name}={value}" for value in values]
            if parameter.default is parameter.empty:
                choices.append(values)
            else:
                optional.append([v if "=" in v[:len(parameter.name) + 1] and v.startswith(parameter.name + "=") else f"{parameter.name}={v}" for v in values])
        # Each value once, the others turning with it; then all combinations.
        longest = max((len(values) for values in choices), default=1)
        for turn in range(longest):
            yield [values[(turn * (1 + at)) % len(values)] for at, values in enumerate(choices)]
        first = [values[min(1, len(values) - 1)] for values in choices]
        for values in optional:
            for value in values[:4]:
                yield first + [value]
        yield from (list(values) for values in itertools.islice(itertools.product(*choices), MAX_TRIALS))

    def examples(self):
        """Arguments of calls in the doc string's examples."""
        text = ast.get_docstring(self.node) if self.node is not None and not isinstance(self.node, ast.Module) else None
        if not text:
            return
        try:
            examples = doctest.DocTestParser().get_examples(text)
        except ValueError:
            return
        for example in examples:
            try:
                call = ast.parse(example.source.strip(), mode="eval").body
            except SyntaxError:
                continue
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == self.name:
                keywords = [f"{k.arg}={ast.unparse(k.value)}" for k in call.keywords if k.arg]
                arguments = [ast.unparse(a) for a in call.args] + keywords
                try:
                    eval(f"[{', '.join(a.split('=', 1)[-1] if a in keywords else a for a in arguments)}]", self.space)
                except Exception:
                    continue
                yield arguments

    def values(self, parameter, node, depth):
        """Sources of values for a parameter, simplest first."""
        found = []
        annotation = parameter.annotation
        if isinstance(annotation, str):
            try:
                annotation = eval(annotation, dict(vars(typing), **self.space))
            except Exception:
                annotation = parameter.empty
        if annotation is not parameter.empty:
            found = self.of_annotation(annotation, depth)
        if not found and parameter.default not in (parameter.empty, None):
            found = list(SAMPLES.get(type(parameter.default), []))
        if not found:
            kind = kind_by_use(node, parameter.name) if node is not None else None
            for known, names in BY_NAME.items():
                if kind is None and parameter.name in names:
                    kind = known
            found = list(SAMPLES.get(kind, []))
            if kind is None or self.anything:
                found += [value for value in ANYTHING if value not in found]
        if node is not None:
            found = merge(constants(node, found), found)
        if parameter.default is not parameter.empty:
            text = repr(parameter.default)
            if literal(text) and text not in found:
                found.append(text)
        return found[:12] or ANYTHING

    def of_annotation(self, annotation, depth):
        if annotation is typing.Any or annotation is object:
            return list(ANYTHING)
        origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
        if annotation is None:
            return ["None"]
        if annotation in SAMPLES:
            return list(SAMPLES[annotation])
        if origin is typing.Union or type(annotation).__name__ == "UnionType":
            found = []
            for argument in arguments:
                found += [v for v in self.of_annotation(argument, depth) if v not in found]
            return found
        if origin is typing.Literal:
            return [repr(value) for value in arguments]
        name = getattr(origin, "__name__", "") or getattr(annotation, "__name__", "")
        inner = [self.of_annotation(a, depth + 1) for a in arguments if a is not ...] if depth < 4 else []
        first = inner[0] if inner and inner[0] else ["1", "2", "3"]
        pick = lambda values, at: values[at % len(values)]
        if name in ("list", "List", "Sequence", "Iterable", "Collection", "MutableSequence", "Iterator"):
            three = [pick(first, 3), pick(first, 1), pick(first, 2)]
            return ["[]", f"[{pick(first, 1)}]", f"[{', '.join(three)}]", f"[{pick(first, 1)}, {pick(first, 1)}]"]
        if name in ("set", "Set", "frozenset", "FrozenSet", "AbstractSet"):
            return ["set()", "{" + pick(first, 1) + "}"]
        if name in ("tuple", "Tuple"):
            if len(arguments) == 2 and arguments[1] is ...:
                return ["()", f"({pick(first, 1)}, {pick(first, 2)})"]
            if inner and all(inner):
                return ["(" + ", ".join(pick(values, at) for values in inner) + ",)" for at in (0, 1, 2)]
        if name in ("dict", "Dict", "Mapping", "MutableMapping") :
            second = inner[1] if len(inner) > 1 and inner[1] else ["1"]
            return ["{}", "{" + f"{pick(first, 1)}: {pick(second, 1)}" + "}",
                    "{" + f"{pick(first, 1)}: {pick(second, 1)}, {pick(first, 2)}: {pick(second, 2)}" + "}"]
        if name == "Callable":
            count = len(typing.get_args(arguments[0])) if arguments and arguments[0] is not ... else 1
            return ["lambda x: x", "lambda x, y: x"][:max(1, min(2, count))]
        if inspect.isclass(annotation):
            members = getattr(annotation, "__members__", None)
            if members and getattr(self.module, annotation.__name__, None) is annotation:
                return [f"{annotation.__name__}.{member}" for member in list(members)[:4]]
            if getattr(self.module, annotation.__name__, None) is annotation:
                made = self.instance(annotation, depth)
                return [made] if made else []
            for known in SAMPLES:
                if known in annotation.__mro__[:-1]:
                    return list(SAMPLES[known])
        return []

    def run(self, call, function, arguments, pure):
        text = f"{call}({', '.join(arguments)})"
        if inspect.iscoroutinefunction(function):
            text = f"asyncio.run({text})"
            self.space.setdefault("asyncio", importlib.import_module("asyncio"))
        elif inspect.isgeneratorfunction(function):
            text = f"list({text})"
        case = {"call": text, "kind": "wrong"}
        covered = set()
        file = self.module.__file__

        def trace(frame, event, argument):
            if frame.f_code.co_filename != file:
                return None
            covered.add(frame.f_lineno)
            return trace

        try:
            with limit():
                sys.settrace(trace)
                try:
                    value = eval(text, dict(self.space))
                finally:
                    sys.settrace(None)
        except (SystemExit, KeyboardInterrupt, Out, MemoryError, RecursionError) as error:
            case.update(kind="suspect", exception=type(error).__name__)
            if isinstance(error, Out):
                case["exception"] = "does not come to an end"
            return case, covered
        except Exception as error:
            name = type(error).__name__
            raised = self.raises(name)
            if raised and pure and self.reachable(type(error)):
                case.update(kind="raises", exception=name)
            elif isinstance(error, (TypeError, AttributeError)):
                pass
            else:
                case.update(kind="suspect", exception=name)
            return case, covered
        self.describe(case, value, pure)
        if case["kind"] == "value" and value is None and "asyncio" not in text:
            self.mutated(case, call, arguments)
        return case, covered

    def raises(self, name):
        """Whether the module itself raises an exception of this name."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Raise) and node.exc is not None:
                raised = node.exc.func if isinstance(node.exc, ast.Call) else node.exc
                if isinstance(raised, ast.Name) and raised.id == name:
                    return True
        return False

    def reachable(self, error):
        """Whether a test can name the exception."""
        import builtins
        return getattr(builtins, error.__name__, None) is error or getattr(self.module, error.__name__, None) is error

    def describe(self, case, value, pure):
        text = safe_repr(value)
        kind = type(value)
        in_tree = self.request["tree"] in text
        if pure and not in_tree and literal(text) and len(text) <= MAX_TEXT and not holds_nan(value):
            case.update(kind="value", value=text, type=kind.__name__, float=has_float(value))
            return
        if pure and not in_tree and len(text) <= MAX_TEXT and kind.__module__ == self.module.__name__ and self.rebuilds(text, value):
            case.update(kind="value", value=text, type=kind.__name__, float=False)
            return
        case.update(kind="type", type=kind.__name__)
        if pure and hasattr(value, "__len__"):
            try:
                case["len"] = len(value)
            except Exception:
                pass

    def rebuilds(self, text, value):
        if type(value).__eq__ is object.__eq__:
            return False
        try:
            return bool(eval(text, dict(self.space)) == value)
        except Exception:
            return False

    def mutated(self, case, call, arguments):
        """What a function that returns nothing did to its first argument."""
        if len(arguments) < 1 or "(" in call:
            return
        space = dict(self.space)
        try:
            with limit():
                space["argument"] = eval(arguments[0], space)
                before = safe_repr(space["argument"])
                eval(f"{call}({', '.join(['argument'] + arguments[1:])})", space)
        except Exception:
            return
        after = safe_repr(space["argument"])
        if before != after and literal(after) and not has_float(space["argument"]):
            case.update(kind="mutates", before=arguments[0], after=after,
                        call=f"{call}({', '.join(['argument'] + arguments[1:])})")

    def used_names(self, cases):
        """Names of the module that the kept cases mention."""
        used = set()
        for case in cases:
            for text in (case["call"], case.get("value", ""), case.get("exception", ""), case.get("before", "")):
                try:
                    nodes = ast.walk(ast.parse(text or "None", mode="eval"))
                except SyntaxError:
                    continue
                used |= {node.id for node in nodes if isinstance(node, ast.Name)}
        return {name for name in used if hasattr(self.module, name) and name != "asyncio" and not hasattr(__builtins__, name)}


def find(tree, parts):
    node = tree
    for part in parts:
        node = next((child for child in ast.iter_child_nodes(node)
                     if getattr(child, "name", None) == part), None)
        if node is None:
            return None
    return node


def names_in(node):
    names = set()
    for part in ast.walk(node):
        if isinstance(part, ast.Name):
            names.add(part.id)
        elif isinstance(part, ast.Attribute):
            names.add(part.attr)
    return names


def constants(node, found):
    """Constants compared in the body: c, and for integers c - 1 and c + 1; only kinds that are
    among the values already found."""
    kinds = set()
    for text in found:
        try:
            kinds.add(type(ast.literal_eval(text)))
        except (ValueError, SyntaxError):
            pass
    out = []
    for part in ast.walk(node):
        if isinstance(part, ast.Call) and str in kinds and isinstance(part.func, ast.Attribute):
            # A separator: a text that it splits.
            for argument in part.args:
                mark = getattr(argument, "value", None)
                if isinstance(mark, str) and 0 < len(mark) <= 3:
                    out += [repr(t) for t in (f"a{mark}1", f"2{mark}3") if repr(t) not in out]
        if not isinstance(part, ast.Compare):
            continue
        for side in [part.left, *part.comparators]:
            elements = side.elts if isinstance(side, (ast.Tuple, ast.List, ast.Set)) else [side]
            for element in elements:
                try:
                    value = ast.literal_eval(element)
                except ValueError:
                    continue
                if type(value) not in kinds:
                    continue
                near = [value - 1, value, value + 1] if type(value) is int and abs(value) < 10**6 else [value]
                out += [repr(v) for v in near if repr(v) not in out]
    return out[:9]


def merge(first, second):
    """Two of the second, then both in turn, without repetitions."""
    out = list(second[:2])
    for pair in itertools.zip_longest(first, second[2:]):
        out += [value for value in pair if value is not None and value not in out]
    return out


def kind_by_use(node, name):
    """What a parameter without annotation seems to be."""
    for part in ast.walk(node):
        is_it = lambda n: isinstance(n, ast.Name) and n.id == name
        if isinstance(part, ast.Attribute) and is_it(part.value):
            if part.attr in ("lower", "upper", "strip", "split", "replace", "startswith", "endswith", "join", "encode", "isdigit", "title", "format"):
                return str
            if part.attr in ("append", "sort", "extend", "pop", "reverse", "insert"):
                return list
            if part.attr in ("items", "keys", "values", "get", "setdefault", "update"):
                return dict
        if isinstance(part, (ast.For, ast.comprehension)) and is_it(part.iter):
            return list
        if isinstance(part, ast.Call) and isinstance(part.func, ast.Name) and any(map(is_it, part.args)):
            if part.func.id in ("sum", "sorted", "max", "min", "enumerate"):
                return list
            if part.func.id in ("range", "abs"):
                return int
    for part in ast.walk(node):
        if isinstance(part, ast.BinOp) and any(isinstance(s, ast.Name) and s.id == name for s in (part.left, part.right)):
            return int
    return None


def safe_repr(value):
    try:
        with limit():
            return ordered(value)
    except BaseException:
        return "<no repr>"


def ordered(value):
    """`repr`, with sets in an order of their own instead of that of their hashes."""
    if type(value) is set and value:
        return "{" + ", ".join(sorted(ordered(item) for item in value)) + "}"
    if type(value) is list:
        return "[" + ", ".join(ordered(item) for item in value) + "]"
    if type(value) is tuple and len(value) > 1:
        return "(" + ", ".join(ordered(item) for item in value) + ")"
    if type(value) is dict:
        return "{" + ", ".join(f"{ordered(k)}: {ordered(v)}" for k, v in value.items()) + "}"
    return repr(value)


def literal(text):
    if len(text) > 10 * MAX_TEXT:
        return False
    try:
        ast.literal_eval(text)
        return True
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return text == "set()"


def flat(value):
    if isinstance(value, dict):
        for key, item in value.items():
            yield from flat(key)
            yield from flat(item)
    elif isinstance(value, (list, tuple, set, frozenset)):
        for item in value:
            yield from flat(item)
    else:
        yield value


def has_float(value):
    return any(isinstance(item, (float, complex)) for item in flat(value))


def holds_nan(value):
    return any(isinstance(item, float) and (math.isnan(item) or math.isinf(item)) for item in flat(value))


class limit:
    """Ends what takes too long."""

    def __enter__(self):
        if hasattr(signal, "setitimer"):
            def stop(number, frame):
                raise Out("too long")
            self.before = signal.signal(signal.SIGALRM, stop)
            signal.setitimer(signal.ITIMER_REAL, CALL_SECONDS)
        return self

    def __exit__(self, *error):
        if hasattr(signal, "setitimer"):
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, self.before)
        return False


main()
