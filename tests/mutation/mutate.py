"""Mutation testing: change one operator or number of digitcli, and see whether a test fails.

``python tests/mutation/mutate.py --count 200`` has cosmic-ray generate every mutant of the modules
in `TARGETS`, draws some by a seed, and runs each against the tests of its module, the nearest
first. Those that survive are listed; `survivors.txt` names the reasons of those that may.

A mutant's place in the draw depends only on the seed and on the mutant itself: its file, its line's
text, and the change. So a draw stays the same where other lines change, and a smaller one is part
of a larger one.
"""

import argparse
import ast
import compileall
import contextlib
import difflib
import hashlib
import multiprocessing
import os
import py_compile
import queue
import re
import resource
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from operator import itemgetter
from pathlib import Path

from cosmic_ray.commands.init import init
from cosmic_ray.mutating import mutate_code
from cosmic_ray.plugins import get_operator
from cosmic_ray.work_db import use_db
from cosmic_ray.work_item import MutationSpec

ROOT = Path(__file__).parents[2]
SURVIVORS = Path(__file__).with_name("survivors.txt")
COPIED = ("digitcli", "tests", "weights", "pyproject.toml", "README.md")
# For all tests of one mutant; the first catches a loop that never ends, the second a deadlock.
CPU_SECONDS, SECONDS = 240, 600
SECONDS_PER_TEST = 120
# Loaded once; each mutant's tests run in a fork of the process that did.
PRELOADED = ["pytest", "cv2", "PIL.Image", "keras"]
# pytest's exit codes: a test failed; a file of tests could not be imported
FAILED = (1, 2)
BROKEN = 70  # pytest itself failed

RECORDS = "tests/test_house.py::test_records_have_slots_and_stay_as_they_are"
# What is mutated, and the tests that hold it: those of the package, a cheap one of its records, and
# those that run the command. The tests of the module itself come first.
TARGETS = {
    "digitcli/preprocessing": [
        "tests/preprocessing",
        RECORDS,
        "tests/inference/test_rejection.py",
        "tests/inputs/test_opening.py",
        "tests/cli/test_classify.py::test_the_samples_are_answered_as_before",
    ],
    "digitcli/inference": [
        "tests/inference",
        RECORDS,
        "tests/test_library.py",
        "tests/cli/test_inspect.py",
        "tests/cli/test_info.py",
    ],
    "digitcli/parallel": ["tests/test_parallel.py", RECORDS, "tests/cli/test_workers.py"],
    "digitcli/atomic.py": ["tests/test_atomic.py", "tests/cli/test_resume.py"],
    "digitcli/training": ["tests/training", RECORDS, "tests/cli/test_train.py"],
}


@dataclass(frozen=True)
class Mutant:
    """A changed file; ``line`` counts from 1."""

    path: str
    line: int
    original: str
    mutated: str

    @property
    def key(self) -> str:
        """The file and the change, without the line's number."""
        removed = [line[1:].strip() for line in self._changes("-")]
        added = [line[1:].strip() for line in self._changes("+")]
        return f"{self.path}: {' '.join(removed)} => {' '.join(added)}"

    def _changes(self, sign: str) -> list[str]:
        lines = difflib.unified_diff(
            self.original.splitlines(), self.mutated.splitlines(), n=0, lineterm=""
        )
        return [line for line in lines if line[0] == sign and line[:3] != 3 * sign]


@dataclass(frozen=True)
class Result:
    """What became of a mutant: ``caught_by`` is the test that failed, None where none did."""

    mutant: Mutant
    caught_by: str | None
    seconds: float

    @property
    def by_a_test(self) -> bool:
        """A test failed, rather than the time being up or the process crashing."""
        return (self.caught_by or "").startswith("tests/")

    def __str__(self) -> str:
        end = f"caught by {self.caught_by}" if self.caught_by else "SURVIVED"
        place, _, change = self.mutant.key.partition(": ")
        return f"{place}:{self.mutant.line}: {end} ({self.seconds:.0f} s)\n    {change}"


class _Behaviour(ast.NodeTransformer):
    """Strip a module of what does not run: annotations, docstrings, ``__all__``, typing blocks."""

    def visit(self, node: ast.AST) -> ast.AST | None:
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            return None
        if isinstance(node, ast.Assign) and "'__all__'" in ast.dump(node.targets[0]):
            return None
        if isinstance(node, ast.arg | ast.AnnAssign):
            node.annotation = ast.Constant(None)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            node.returns = None
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            return ast.Pass()
        return self.generic_visit(node)


def behaviour(code: str) -> str | None:
    """Return what of a module runs; None where it is no Python."""
    try:
        return ast.dump(_Behaviour().generic_visit(ast.parse(code)))
    except SyntaxError:
        return None


def modules() -> list[str]:
    """Return the files that are mutated."""
    found = []
    for target in TARGETS:
        path = ROOT / target
        files = [path] if path.is_file() else sorted(path.glob("*.py"))
        found += [file.relative_to(ROOT).as_posix() for file in files if file.stat().st_size]
    return found


def generate() -> list[MutationSpec]:
    """Return all mutations that cosmic-ray generates."""
    with use_db(":memory:") as database:
        init([ROOT / path for path in modules()], database, {})
        return [item.mutations[0] for item in database.work_items]


def draw(specs: list[MutationSpec], count: int, seed: int) -> list[Mutant]:
    """Draw mutants by a seed, all equally likely, that run differently from the original."""
    sources = {path: (ROOT / path).read_text(encoding="utf-8") for path in modules()}
    unchanged = {path: behaviour(source) for path, source in sources.items()}
    drawn: list[Mutant] = []
    for path, spec in rank(specs, sources, seed):
        mutated = mutated_code(sources[path], spec)
        if mutated is not None and behaviour(mutated) not in (None, unchanged[path]):
            drawn.append(Mutant(path, spec.start_pos[0], sources[path], mutated))
        if len(drawn) == count:
            break
    return drawn


def rank(
    specs: list[MutationSpec], sources: dict[str, str], seed: int
) -> list[tuple[str, MutationSpec]]:
    """Return the mutations and their files in the order in which they are drawn."""
    ranked = []
    seen: Counter[str] = Counter()
    for spec in specs:
        path = spec.module_path.relative_to(ROOT).as_posix()
        text = sources[path].splitlines()[spec.start_pos[0] - 1].strip()
        name = f"{seed} {path} {text} {spec.operator_name} {spec.operator_args}"
        digest = hashlib.sha256(f"{name} {seen[name]}".encode()).digest()
        seen[name] += 1
        ranked.append((digest, path, spec))
    ranked.sort(key=itemgetter(0))
    return [(path, spec) for _, path, spec in ranked]


def mutated_code(source: str, spec: MutationSpec) -> str | None:
    """Return a module with one mutation; None where cosmic-ray cannot make it."""
    try:
        operator = get_operator(spec.operator_name)(**spec.operator_args)
        code: str | None = mutate_code(source, operator, spec.occurrence)
    except AttributeError:  # of cosmic-ray 8.7, over a tuple of exceptions like queue.Empty
        return None
    return code


def target_of(path: str) -> str:
    """Return the target that a module belongs to."""
    return next(target for target in TARGETS if path.startswith(target))


def tests_of(path: str, tree: Path) -> list[str]:
    """Return the tests in a copy of the tree that hold a module, the nearest first."""
    tests = TARGETS[target_of(path)]
    own = f"{tests[0]}/test_{Path(path).stem}.py"
    return [own, *tests] if (tree / own).is_file() else tests


def copy_tree(to: Path) -> None:
    """Copy what the tests need."""
    for name in COPIED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, to / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, to / name)
    # by their content: a mutant may have the original's time and size
    checked = py_compile.PycInvalidationMode.CHECKED_HASH
    compileall.compile_dir(to / "digitcli", quiet=1, invalidation_mode=checked)


def run_pytest(tree: Path, tests: list[str]) -> None:
    """Run tests in a copy of the tree, in this process, and end it with pytest's exit code."""
    import pytest

    os.setsid()
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    os.chdir(tree)
    sys.path[:] = [str(tree), *(path for path in sys.path if Path(path).resolve() != ROOT)]
    os.environ["PYTHONPATH"] = str(tree)
    with (tree / "pytest.log").open("w") as log:
        for stream in (sys.stdout, sys.stderr):
            os.dup2(log.fileno(), stream.fileno())
    options = ["-x", "-n0", "-p", "no:cacheprovider", f"--timeout={SECONDS_PER_TEST}"]
    code = BROKEN
    try:
        code = int(pytest.main([*options, *tests]))
    finally:
        sys.stdout.flush()
        os._exit(code)


class Runner:
    """Runs the tests of mutants in copies of the tree, some at once."""

    def __init__(self, jobs: int, folder: Path) -> None:
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(PRELOADED)
        self._trees: queue.SimpleQueue[Path] = queue.SimpleQueue()
        for number in range(jobs):
            tree = folder / str(number)
            tree.mkdir()
            copy_tree(tree)
            self._trees.put(tree)

    def check(self, tests: list[str]) -> None:
        """Run tests that caught mutants, without a change.

        Raises:
            RuntimeError: they fail, so that they say nothing of the mutants.

        """
        tree = self._trees.get()
        code = self._run(tree, tests)
        self._trees.put(tree)
        if code != 0:
            log = (tree / "pytest.log").read_text(errors="replace")
            raise RuntimeError(f"{log}\nwithout a change, pytest ends with {code}")

    def test(self, mutant: Mutant) -> Result:
        """Run the tests of a mutant."""
        tree = self._trees.get()
        start = time.monotonic()
        try:
            (tree / mutant.path).write_text(mutant.mutated, encoding="utf-8")
            code = self._run(tree, tests_of(mutant.path, tree))
            log = (tree / "pytest.log").read_text(errors="replace")
        finally:
            (tree / mutant.path).write_text(mutant.original, encoding="utf-8")
            self._trees.put(tree)
        if code is not None and code > 0 and code not in FAILED:
            raise RuntimeError(f"{log}\n{mutant.key}: pytest ends with {code}")
        failures = re.findall(r"^(?:FAILED|ERROR) (.+?)(?: - .*)?$", log, re.MULTILINE)
        by = failures[-1] if failures else "a crash"
        if code is None:
            by = "the time limit"
        return Result(mutant, by if code != 0 else None, time.monotonic() - start)

    def _run(self, tree: Path, tests: list[str]) -> int | None:
        """Return pytest's exit code; None where the time was up."""
        process = self._context.Process(target=run_pytest, args=(tree, tests))
        process.start()
        process.join(SECONDS)
        code = process.exitcode
        # also what the tests have started
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid or 0, signal.SIGKILL)
        process.join()
        return code


def accepted() -> set[str]:
    """Return the keys of the mutants that may survive, each listed with its reason."""
    lines = SURVIVORS.read_text(encoding="utf-8").splitlines()
    return {line for line in lines if line.startswith("digitcli/")}


def main() -> int:
    """Return 0 where enough of the drawn mutants are caught, or survive for a reason."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--count", type=int, default=200, help="number of mutants")
    parser.add_argument("--seed", type=int, default=22, help="of the draw")
    parser.add_argument("--jobs", type=int, default=2, help="mutants at once")
    parser.add_argument("--only", default="", help="only those whose file and change hold this")
    parser.add_argument("--least", type=float, default=0.85, help="share to be caught or explained")
    parser.add_argument("--list", action="store_true", help="run nothing")
    options = parser.parse_args()
    generated = generate()
    drawn = draw(generated, options.count, options.seed)
    chosen = [mutant for mutant in drawn if options.only in mutant.key]
    print(f"{len(generated)} mutants generated, {len(drawn)} drawn", flush=True)
    if options.list:
        print(*(f"{mutant.path}:{mutant.line} {mutant.key}" for mutant in chosen), sep="\n")
        return 0
    start = time.monotonic()
    results = []
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(options.jobs) as threads:
        runner = Runner(options.jobs, Path(folder))
        for done in as_completed([threads.submit(runner.test, mutant) for mutant in chosen]):
            result = done.result()
            print(result, flush=True)
            results.append(result)
        runner.check(sorted({str(result.caught_by) for result in results if result.by_a_test}))
    survivors = [result.mutant for result in results if result.caught_by is None]
    explained = accepted()
    unexplained = [mutant for mutant in survivors if mutant.key not in explained]
    caught = 1 - len(survivors) / len(chosen)
    print(f"\n{caught:.1%} of {len(chosen)} caught in {time.monotonic() - start:.0f} s")
    for mutant in survivors:
        print("survived, no test yet:" if mutant in unexplained else "survived:", mutant.key)
    return int(len(unexplained) > (1 - options.least) * len(chosen))


if __name__ == "__main__":
    sys.exit(main())
