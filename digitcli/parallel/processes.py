"""Worker processes, seen from the process that has them: how they are started and ended.

The command forks them on Linux, where it is alone in its process: they are there at once. Anywhere
else they are programs of their own, which need no guard in the user's script, no semaphores and no
/dev/shm.
"""

import os
import signal
import sys
import threading
import time
import warnings
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING

from digitcli.inputs.source import MAX_SECONDS, Source
from digitcli.parallel.worker import Work, serve, settle

if TYPE_CHECKING:
    import subprocess

_SPARE_DESCRIPTORS = 4  # for lists, folders and files that are read meanwhile
_BOOT = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); "
    "from digitcli.parallel.worker import main; main()"
)


@dataclass(frozen=True, slots=True)
class Isolation:
    """How images are kept apart from the process that asks for them.

    Attributes:
        timeout: seconds for one image, then it is an error. It holds where workers read.
        may_fork: this process is the command's, which forks workers where it has one thread.
        always: one job is a worker's too, and, where processes can be forked, an image that comes
            alone, unless it `is_plain`.
        plain_too: an image that comes alone is a worker's in any case.
        say: is told, once, that there are no workers and why.

    """

    timeout: float = MAX_SECONDS
    may_fork: bool = False
    always: bool = False
    plain_too: bool = False
    say: Callable[[str], None] = lambda text: warnings.warn(text, RuntimeWarning, stacklevel=3)


@dataclass(slots=True, eq=False)
class Task:
    """Sources of one batch, or one of them alone after a worker was lost over the batch."""

    number: int
    offset: int
    sources: list[Source]
    attempts: int = 0


@dataclass(slots=True, eq=False)
class Worker:
    """A worker process, seen from here.

    ``begun`` counts the sources that it began with, ``done`` those that it answered; ``since`` is
    when it last was seen to get on; ``units`` are those of the memory budget that it holds; a
    program is yet to be told its ``work``.
    """

    pid: int
    process: "subprocess.Popen[bytes] | None"
    requests: IO[bytes]
    answers: IO[bytes]
    progress: int
    work: "Work | None" = None
    ready: bool = False
    tasks: deque[Task] = field(default_factory=deque)
    begun: int = 0
    done: int = 0
    since: float = field(default_factory=time.monotonic)
    units: int = 0
    wanted: int = 0

    def look(self) -> bytes:
        """Count what it began with meanwhile, and return what it wrote for that."""
        written = b""
        with suppress(OSError):  # nothing, for now
            while self.progress >= 0 and (piece := os.read(self.progress, 1 << 16)):
                written += piece
        if written:
            self.begun += len(written)
            self.since = time.monotonic()
        return written

    def close(self) -> None:
        """Close this process's ends of its pipes."""
        for stream in (self.requests, self.answers):
            with suppress(OSError):
                stream.close()
        if self.progress >= 0:
            os.close(self.progress)
            self.progress = -1

    def end(self, *, now: bool) -> None:
        """Let it end, or end it."""
        if now:
            with suppress(OSError):
                self.process.kill() if self.process else os.kill(self.pid, signal.SIGKILL)
        with suppress(OSError):
            self.requests.close()
        if self.process:
            self.process.wait()
        else:
            with suppress(OSError):
                os.waitpid(self.pid, 0)
        self.close()


def can_fork(isolation: Isolation) -> bool:
    """Tell whether workers can be forked: not by a process with threads, nor by a library's."""
    forks = isolation.may_fork and sys.platform == "linux" and hasattr(os, "fork")
    if not forks or threading.active_count() > 1:
        return False
    try:
        return len(os.listdir("/proc/self/task")) == 1
    except OSError:
        return True  # no /proc: the command starts no threads but Python's


def can_start_python() -> bool:
    """Tell whether this process's executable is Python, which a program may embed."""
    return Path(sys.executable or "").stem.lower().startswith(("python", "pypy"))


def start_workers(
    work: Work, count: int, isolation: Isolation, others: "list[Worker] | None" = None
) -> list[Worker]:
    """Start as many workers as can be had, at most ``count``."""
    forks = can_fork(isolation)
    started: list[Worker] = []
    try:
        for _ in range(count):
            if forks:
                started.append(_fork_worker(work, [*(others or []), *started]))
            elif can_start_python():
                started.append(start_program(work))
    except OSError:  # no more processes or descriptors
        pass
    if started and not _has_spare_descriptors():
        started.pop().end(now=True)
    return started


def _has_spare_descriptors() -> bool:
    opened: list[int] = []
    try:
        for _ in range(_SPARE_DESCRIPTORS):
            opened.append(os.open(os.devnull, os.O_RDONLY))
    except OSError:
        return False
    finally:
        for descriptor in opened:
            os.close(descriptor)
    return True


@contextmanager
def _pipes() -> Iterator[list[int]]:
    """Open three pipes, reading and writing ends in turn; close them all where the block fails."""
    ends: list[int] = []
    try:
        for _ in range(3):
            ends += os.pipe()
        yield ends
    except BaseException:
        for end in ends:
            with suppress(OSError):
                os.close(end)
        raise


def _fork_worker(work: Work, others: list[Worker]) -> Worker:
    """Fork a worker, which is there at once and shares this process's memory."""
    # Ctrl-C reaches the whole process group: a worker that is just being born must not answer it
    # with a traceback
    blocked = {signal.SIGINT, signal.SIGTERM}
    before = signal.pthread_sigmask(signal.SIG_BLOCK, blocked)
    try:
        with _pipes() as (requests, to_requests, from_answers, answers, from_begun, begun):
            pid = os.fork()
            if pid == 0:
                for end in (to_requests, from_answers, from_begun):
                    os.close(end)
                _be_worker(work, requests, answers, begun, others)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    for end in (requests, answers, begun):
        os.close(end)
    os.set_blocking(from_begun, False)
    return Worker(
        pid, None, os.fdopen(to_requests, "wb", 0), os.fdopen(from_answers, "rb", 0), from_begun
    )


def _be_worker(work: Work, requests: int, answers: int, begun: int, others: list[Worker]) -> None:
    """Be a forked worker to the end; never come back."""
    code = 1
    try:
        for other in others:
            other.close()
        settle()
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT, signal.SIGTERM})
        os.set_blocking(begun, False)
        serve(work, os.fdopen(requests, "rb", 0), os.fdopen(answers, "wb", 0), begun)
        code = 0
    finally:
        os._exit(code)


def start_program(work: Work) -> Worker:
    """Start a worker as a program of its own, which needs no guard in the user's script."""
    import json
    import subprocess

    from_begun, begun = os.pipe()
    try:
        process = subprocess.Popen(  # noqa: S603 - this very Python, with code of ours
            [sys.executable, "-c", _BOOT, json.dumps([os.path.abspath(p) for p in sys.path])],  # noqa: PTH100
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=begun,
            bufsize=0,
        )
    except BaseException:
        os.close(from_begun)
        raise
    finally:
        os.close(begun)
    try:
        os.set_blocking(from_begun, False)
    except (OSError, AttributeError):  # Windows learnt it with Python 3.12; who hangs is not known
        os.close(from_begun)
        from_begun = -1
    assert process.stdin is not None and process.stdout is not None  # noqa: S101
    return Worker(process.pid, process, process.stdin, process.stdout, from_begun, work=work)


def dismiss(workers: list[Worker], *, now: bool = False) -> None:
    """Let workers end when they are done with what they have, or end them now."""
    for worker in workers:
        worker.end(now=now)
