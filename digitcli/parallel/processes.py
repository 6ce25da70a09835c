"""Worker processes, seen from the process that uses them: how they are started and stopped.

On Linux the command, whose process has one thread, forks them: they are ready at once. Anywhere
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
from typing import IO, TYPE_CHECKING, NamedTuple

from digitcli.inputs.source import MAX_SECONDS, Source
from digitcli.parallel.worker import Work, serve, settle_process

if TYPE_CHECKING:
    import subprocess

_SPARE_DESCRIPTORS = 4  # for lists, folders and files that are read meanwhile
_BOOT = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); "
    "from digitcli.parallel.worker import main; main()"
)


@dataclass(frozen=True, slots=True)
class Isolation:
    """How images are read apart from the process that asks for them.

    Attributes:
        timeout: seconds for one image in a worker; one that takes longer is an error.
        can_raise_timeout: whoever reads the errors can raise it, by ``--timeout``.
        may_fork: this process is the command's, which forks workers while it has one thread.
        always: use a worker with one job too, and for a single image where processes can be
            forked, unless it `is_plain`.
        plain_too: use a worker for any single image.
        warn: is called, once, with a sentence where there are no workers.

    """

    timeout: float = MAX_SECONDS
    can_raise_timeout: bool = False
    may_fork: bool = False
    always: bool = False
    plain_too: bool = False
    warn: Callable[[str], None] = lambda text: warnings.warn(text, RuntimeWarning, stacklevel=3)


@dataclass(slots=True, eq=False)
class Task:
    """The sources of one batch, or one of them alone after a worker was lost over the batch.

    Attributes:
        number: of the batch.
        offset: of the first source in the batch.
        sources: to read.
        attempts: how many workers were lost over it.

    """

    number: int
    offset: int
    sources: list[Source]
    attempts: int = 0


@dataclass(slots=True, eq=False)
class Worker:
    """A worker process, seen from here.

    Attributes:
        pid: of the process.
        process: None where it was forked.
        requests: where it reads.
        answers: where it writes.
        progress: a descriptor where it writes a byte for each source begun; -1 where there is none.
        work: what a program still has to be sent.
        ready: it has said that it can begin.
        tasks: sent to it and not yet answered.
        begun: number of sources that it has begun.
        done: number of sources that it has answered.
        last_progress: when it was last seen to make progress, by `time.monotonic`.
        units_held: units of the memory budget that it holds.
        units_wanted: units that it waits for.

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
    last_progress: float = field(default_factory=time.monotonic)
    units_held: int = 0
    units_wanted: int = 0

    def read_progress(self) -> bytes:
        """Count the sources begun since the last call, and return the bytes written for them."""
        written = b""
        with suppress(OSError):  # nothing more for now
            while self.progress >= 0 and (piece := os.read(self.progress, 1 << 16)):
                written += piece
        if written:
            self.begun += len(written)
            self.last_progress = time.monotonic()
        return written

    def close(self) -> None:
        """Close this process's ends of its pipes."""
        for stream in (self.requests, self.answers):
            with suppress(OSError):
                stream.close()
        if self.progress >= 0:
            os.close(self.progress)
            self.progress = -1

    def stop(self, *, kill: bool) -> None:
        """Kill the process, or let it finish what it has; return when it has ended."""
        if kill:
            self._kill()
        with suppress(OSError):
            self.requests.close()
        if self.process:
            self.process.wait()
        else:
            with suppress(OSError):
                os.waitpid(self.pid, 0)
        self.close()

    def _kill(self) -> None:
        with suppress(OSError):
            if self.process:
                self.process.kill()
            else:
                os.kill(self.pid, signal.SIGKILL)


class _Pipe(NamedTuple):
    """The descriptors of a pipe."""

    reading_end: int
    writing_end: int


def can_fork(isolation: Isolation) -> bool:
    """Return whether workers can be forked: only by the command, while it has one thread."""
    may_fork = isolation.may_fork and sys.platform == "linux" and hasattr(os, "fork")
    if not may_fork or threading.active_count() > 1:
        return False
    try:
        return len(os.listdir("/proc/self/task")) == 1
    except OSError:
        return True  # no /proc: the command starts no threads but Python's


def can_start_python() -> bool:
    """Return whether this process's executable is Python, not a program that embeds it."""
    return Path(sys.executable or "").stem.lower().startswith(("python", "pypy"))


def start_workers(
    work: Work, count: int, isolation: Isolation, others: "list[Worker] | None" = None
) -> list[Worker]:
    """Start at most ``count`` workers, fewer where the system refuses more.

    ``others`` are those that run already.
    """
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
        started.pop().stop(kill=True)
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
def _open_pipes(count: int) -> Iterator[list[_Pipe]]:
    """Open some pipes; close them all where the block fails."""
    pipes: list[_Pipe] = []
    try:
        for _ in range(count):
            pipes.append(_Pipe(*os.pipe()))
        yield pipes
    except BaseException:
        for pipe in pipes:
            for end in pipe:
                with suppress(OSError):
                    os.close(end)
        raise


def _fork_worker(work: Work, others: list[Worker]) -> Worker:
    """Fork a worker, which is ready at once and shares this process's memory."""
    # Ctrl-C reaches the whole process group: a worker that is being forked must not answer it with
    # a traceback
    blocked = {signal.SIGINT, signal.SIGTERM}
    before = signal.pthread_sigmask(signal.SIG_BLOCK, blocked)
    try:
        with _open_pipes(3) as (requests, answers, progress):
            pid = os.fork()
            if pid == 0:
                os.close(requests.writing_end)
                os.close(answers.reading_end)
                os.close(progress.reading_end)
                _run_forked(
                    work,
                    requests=requests.reading_end,
                    answers=answers.writing_end,
                    begun=progress.writing_end,
                    others=others,
                )
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    os.close(requests.reading_end)
    os.close(answers.writing_end)
    os.close(progress.writing_end)
    os.set_blocking(progress.reading_end, False)
    return Worker(
        pid=pid,
        process=None,
        requests=os.fdopen(requests.writing_end, "wb", buffering=0),
        answers=os.fdopen(answers.reading_end, "rb", buffering=0),
        progress=progress.reading_end,
    )


def _run_forked(
    work: Work, *, requests: int, answers: int, begun: int, others: list[Worker]
) -> None:
    """Run a forked worker until it ends; never return."""
    code = 1
    try:
        for other in others:
            other.close()
        settle_process()
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT, signal.SIGTERM})
        os.set_blocking(begun, False)
        serve(
            work,
            os.fdopen(requests, "rb", buffering=0),
            os.fdopen(answers, "wb", buffering=0),
            begun,
        )
        code = 0
    finally:
        os._exit(code)


def start_program(work: Work) -> Worker:
    """Start a worker as a program of its own, which needs no guard in the user's script."""
    import json
    import subprocess

    import_path = [os.path.abspath(folder) for folder in sys.path]  # noqa: PTH100
    progress = _Pipe(*os.pipe())
    try:
        process = subprocess.Popen(  # noqa: S603 - this very Python, with code of ours
            [sys.executable, "-c", _BOOT, json.dumps(import_path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=progress.writing_end,
            bufsize=0,
        )
    except BaseException:
        os.close(progress.reading_end)
        raise
    finally:
        os.close(progress.writing_end)
    reading_end = progress.reading_end
    try:
        os.set_blocking(reading_end, False)
    except (OSError, AttributeError):  # on Windows it takes Python 3.12; then there is no progress
        os.close(reading_end)
        reading_end = -1
    assert process.stdin is not None and process.stdout is not None  # noqa: S101
    return Worker(process.pid, process, process.stdin, process.stdout, reading_end, work=work)


def stop_workers(workers: list[Worker], *, kill: bool = False) -> None:
    """Kill workers, or let them finish what they have; return when they have ended."""
    for worker in workers:
        worker.stop(kill=kill)
