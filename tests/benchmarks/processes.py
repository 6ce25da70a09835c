"""Whole processes measured from outside: wall and CPU time, peak memory, time to first output.

Linux only.
"""

import importlib.metadata
import math
import os
import platform
import subprocess
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

LIBRARIES = (
    "digitcli",
    "tensorflow",
    "keras",
    "ai-edge-litert",
    "numpy",
    "opencv-python-headless",
    "pillow",
    "typer",
)


@dataclass(frozen=True)
class Run:
    """One run: seconds, and MB at the peak, of the process and its children together.

    Shared pages are counted once. ``memory`` is not a number where it was not watched: what the
    system says of a process that has ended counts this one's own memory too, from which it was
    forked.
    """

    wall: float
    cpu: float
    memory: float
    first: float


def measure(command: Sequence[str | Path], *, memory: bool = False) -> Run:
    """Run a command, its output read and thrown away; it must end with status 0.

    ``memory`` also watches all its processes 50 times a second, which slows them a little.
    """
    started = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert process.stdout is not None
    peak = _Peak(process.pid) if memory else None
    os.read(process.stdout.fileno(), 1)
    first = time.perf_counter() - started
    while os.read(process.stdout.fileno(), 1 << 20):
        pass
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    process.stdout.close()
    if process.returncode:
        raise SystemExit(f"{' '.join(map(str, command))}: exit status {process.returncode}")
    return Run(wall, usage.ru_utime + usage.ru_stime, peak.stop() if peak else math.nan, first)


def in_turn(*commands: Sequence[str | Path], runs: int, memory: bool = False) -> list[list[Run]]:
    """Run commands in turn, A B A B …, after one run of each that is not counted.

    Returns:
        The runs of each command.
    """
    for command in commands:
        measure(command)
    rounds = [[measure(command, memory=memory) for command in commands] for _ in range(runs)]
    return [list(column) for column in zip(*rounds, strict=True)]


def ratio(ours: Sequence[Run], theirs: Sequence[Run], kind: str) -> float:
    """Return the median of the ratios run by run.

    A machine that gets faster or slower disturbs it least.
    """
    middle: float = median(
        getattr(a, kind) / getattr(b, kind) for a, b in zip(ours, theirs, strict=True)
    )
    return middle


def machine() -> str:
    """Describe in one line what this was measured on."""
    info = Path("/proc/cpuinfo").read_text()
    model = next(
        (line.split(":")[1].strip() for line in info.splitlines() if "model name" in line),
        "unknown CPU",
    )
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    versions = ", ".join(f"{name} {_version(name)}" for name in LIBRARIES)
    return (
        f"{model}, {len(os.sched_getaffinity(0))} cores, {memory:.0f} GiB; {platform.system()}, "
        f"Python {platform.python_version()}, {versions}; {time.strftime('%Y-%m-%d')}"
    )


def _version(library: str) -> str:
    try:
        return importlib.metadata.version(library)
    except importlib.metadata.PackageNotFoundError:
        return "(not installed)"


class _Peak(threading.Thread):
    """Watches the memory of a process and all below it."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self._pid = pid
        self._peak = 0.0
        self._ended = threading.Event()
        self.start()

    def run(self) -> None:
        while not self._ended.wait(0.02):
            self._peak = max(self._peak, sum(map(_proportional_set, _tree(self._pid))))

    def stop(self) -> float:
        self._ended.set()
        self.join()
        return self._peak


def _tree(pid: int) -> list[int]:
    try:
        tasks = list(Path(f"/proc/{pid}/task").iterdir())
        children = [child for task in tasks for child in (task / "children").read_text().split()]
    except OSError:
        return [pid]
    return [pid, *(below for child in children for below in _tree(int(child)))]


def _proportional_set(pid: int) -> float:
    """Return a process's memory in MB, of shared pages its share."""
    try:
        rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return 0.0
    return next(
        (int(line.split()[1]) / 1024 for line in rollup.splitlines() if line.startswith("Pss:")),
        0.0,
    )
