"""Many images on all cores: isolated workers, results in order, memory bounded however many.

Worker processes, not threads: of 28×28 PNG files, two threads read fewer than one did (163 against
119 µs a file), as the interpreter's lock changes hands in each of a dozen short calls into Pillow
and OpenCV; two processes took 71 µs. They are no pool of the standard library's: these need
semaphores (/dev/shm), a guard in the user's script where processes are spawned, and take a pool
down with one worker; none knows which source a worker crashed or hangs over.
"""

import os
import queue
import signal
import sys
import threading
import time
import warnings
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from digitcli.inputs.memory_budget import UNITS, MemoryBudget
from digitcli.inputs.source import MAX_SECONDS, Source, is_plain, size_of
from digitcli.worker import Failed, Granted, Ready, Wanted, Work, receive, send, serve, settle

if TYPE_CHECKING:
    import subprocess

# A batch is as many images as the network likes at once, fewer where they are large, so that
# answers come early.
IMAGES_PER_BATCH = 64
_BATCH_BYTES = 1 << 16
_AHEAD = 4  # batches for each worker, while an earlier, slower one is awaited
_IN_FLIGHT = 2  # batches sent to a worker, so that it finds the next when it is done with one
_START_TIMEOUT = 60.0  # seconds for a worker to start
_TICK = 0.5  # seconds between two looks at how the workers get on
_WORKER_MEMORY = 128_000_000  # bytes, a worker and what it decodes of ordinary images
_SPARE_DESCRIPTORS = 4  # for lists, folders and files that are read meanwhile
_CGROUPS = Path("/sys/fs/cgroup")
_BOOT = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); import digitcli.worker as w; w.main()"
)

_ENDED = "the process that read it was ended, by a crash or for want of memory"


def default_jobs() -> int:
    """Count the cores that this process may use, no more than its memory has room for workers."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    most = [cores or 1]
    # control groups of version 2, then of version 1
    quota = _limit("cpu", "cpu.max") or [
        *_limit("cpu", "cpu.cfs_quota_us"),
        *_limit("cpu", "cpu.cfs_period_us"),
    ]
    if len(quota) == 2:
        most.append(quota[0] // quota[1])
    memory = _limit("memory", "memory.max") or _limit("memory", "memory.limit_in_bytes")
    if memory:
        most.append(memory[0] // _WORKER_MEMORY - 1)
    return max(1, min(most))


def _limit(controller: str, name: str) -> list[int]:
    """Read a limit of the control group that this process is in; empty where it has none."""
    groups = ["/"]
    with suppress(OSError, ValueError):
        for line in Path("/proc/self/cgroup").read_text(encoding="ascii").splitlines():
            _, controllers, group = line.split(":", 2)
            if not controllers or controller in controllers.split(","):
                groups.insert(0, group)
    for root in (_CGROUPS, _CGROUPS / controller):
        for group in groups:
            with suppress(OSError, ValueError):
                text = (root / group.lstrip("/") / name).read_text(encoding="ascii")
                numbers = [int(number) for number in text.split()]
                return numbers if numbers[0] > 0 else []
    return []


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


def map_in_order(
    work: Work,
    chunks: Iterable[list[Source]],
    *,
    jobs: int,
    isolation: Isolation | None = None,
) -> Generator[list[Any]]:
    """Apply ``work`` to all sources in batches; yield what it returns, in the order of the sources.

    Where a source ends the worker that reads it, or keeps it too long, the others lose nothing by
    it: its answer is what ``work`` says of a source with that problem. Where workers cannot be had
    the batches are done in this process.

    Args:
        work: gives one answer for each source, decoding within the memory budget it is given, and
            calls its third argument when it begins with one; it and its answers can be pickled.
        chunks: as ``find_sources`` gives them. They are taken as they come, only so far ahead as
            the workers need.
        jobs: worker processes; 1 is this process alone unless ``isolation`` is to be kept always.
        isolation: how workers are started and what they may take.

    """
    isolation = isolation or Isolation()
    batches = _batches(chunks)
    if jobs == 1 and not isolation.always:
        for batch in batches:
            yield _in_this_process(work, batch)
        return
    first = next(batches, None)
    workers: list[_Worker] = []
    if first is not None and len(first) == 1 and not _needs_program(isolation):
        # one image costs no more than a fork, and never waits for those that are yet to come
        apart = isolation.always and (isolation.plain_too or not is_plain(first[0]))
        if apart and _can_fork(isolation):
            workers = _start_workers(work, 1, isolation)
        try:
            yield _answer_alone(work, first[0], workers, isolation)
            first = next(batches, None)
        except BaseException:
            _dismiss(workers, now=True)
            raise
    if first is None:
        _dismiss(workers)
        return
    workers += _start_workers(work, jobs - len(workers), isolation, workers)
    if workers:
        yield from _Pool(work, workers, isolation).answers(_chained(first, batches))
        return
    if jobs > 1:
        isolation.say(_no_workers("no process can be had for them"))
    for batch in _chained(first, batches):
        yield _in_this_process(work, batch)


def _needs_program(isolation: Isolation) -> bool:
    """Tell whether even one image is to be kept apart where that takes a program, not a fork."""
    return isolation.plain_too and not _can_fork(isolation)


def _in_this_process(work: Work, batch: list[Source]) -> list[Any]:
    return work(batch, MemoryBudget(), lambda: None)


def _problem(work: Work, source: Source, problem: str) -> list[Any]:
    return _in_this_process(work, [Source(source.path, problem=problem)])


def _no_workers(reason: str) -> str:
    return f"workers cannot be started ({reason}); pictures are read one after the other"


def _too_slow(timeout: float) -> str:
    return f"took longer than {timeout:g} s; --timeout allows more"


def _chained(first: list[Source], rest: Iterator[list[Source]]) -> Iterator[list[Source]]:
    yield first
    yield from rest


def _batches(chunks: Iterable[list[Source]]) -> Iterator[list[Source]]:
    for chunk in chunks:
        batch: list[Source] = []
        space = _BATCH_BYTES
        for source in chunk:
            size = size_of(source)
            if batch and (size > space or len(batch) == IMAGES_PER_BATCH):
                yield batch
                batch, space = [], _BATCH_BYTES
            batch.append(source)
            space -= size
        if batch:
            yield batch


# ---- workers


@dataclass(slots=True, eq=False)
class _Task:
    """Sources of one batch, or one of them alone after a worker was lost over the batch."""

    number: int
    offset: int
    sources: list[Source]
    attempts: int = 0


@dataclass(slots=True, eq=False)
class _Worker:
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
    tasks: deque[_Task] = field(default_factory=deque)
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


def _can_fork(isolation: Isolation) -> bool:
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


def _start_workers(
    work: Work, count: int, isolation: Isolation, others: "list[_Worker] | None" = None
) -> list[_Worker]:
    """Start as many workers as can be had, at most ``count``."""
    forks = _can_fork(isolation)
    started: list[_Worker] = []
    try:
        for _ in range(count):
            if forks:
                started.append(_fork_worker(work, [*(others or []), *started]))
            elif can_start_python():
                started.append(_start_program(work))
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


def _fork_worker(work: Work, others: list[_Worker]) -> _Worker:
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
    return _Worker(
        pid, None, os.fdopen(to_requests, "wb", 0), os.fdopen(from_answers, "rb", 0), from_begun
    )


def _be_worker(work: Work, requests: int, answers: int, begun: int, others: list[_Worker]) -> None:
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


def _start_program(work: Work) -> _Worker:
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
    return _Worker(process.pid, process, process.stdin, process.stdout, from_begun, work=work)


def _dismiss(workers: list[_Worker], *, now: bool = False) -> None:
    for worker in workers:
        worker.end(now=now)


def _answer_alone(
    work: Work, source: Source, workers: list[_Worker], isolation: Isolation
) -> list[Any]:
    """Have a source read by the one worker there is, which is taken from the list if lost."""
    import select

    if not workers:
        return _in_this_process(work, [source])
    worker = workers[0]
    send(worker.requests, [source])
    deadline = time.monotonic() + isolation.timeout
    while True:
        left = deadline - time.monotonic()
        if left <= 0 or not select.select([worker.answers], [], [], left)[0]:
            workers.pop().end(now=True)
            return _problem(work, source, _too_slow(isolation.timeout))
        try:
            message = receive(worker.answers)
        except EOFError:
            workers.pop().end(now=True)
            return _problem(work, source, _ENDED)
        if isinstance(message, Failed):
            raise message.error
        if isinstance(message, Ready):
            worker.ready = True
        elif isinstance(message, Wanted):
            if message.units:
                send(worker.requests, Granted())
        else:
            worker.look()
            worker.done = worker.begun
            answers: list[Any] = message
            return answers


_END = object()


class _Pool:
    """Workers, the thread that gives them batches, and those that take batches and answers in.

    The dispatcher's thread owns all state. One thread takes batches from the caller's iterator, so
    that answers never wait for sources that are yet to come; one a worker reads its answers.
    """

    def __init__(self, work: Work, workers: list[_Worker], isolation: Isolation) -> None:
        self._work = work
        self._workers = workers
        self._isolation = isolation
        self._events: queue.SimpleQueue[tuple[Any, Any]] = queue.SimpleQueue()
        self._out: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._ahead = threading.Semaphore(max(1, len(workers)) * _AHEAD)
        self._stopped = False
        self._pending: deque[_Task] = deque()
        self._answers: dict[int, list[Any]] = {}
        self._next = 0
        self._count: int | None = None  # of batches, once it is known
        self._units = UNITS
        self._waiting: deque[_Worker] = deque()
        self._last_words = b""
        self._looked = 0.0
        self._dispatcher = threading.Thread(target=self._dispatch, daemon=True)

    def answers(self, batches: Iterator[list[Source]]) -> Generator[list[Any]]:
        """Yield the answers to all batches, in their order."""
        try:
            try:
                self._start(batches)
            except RuntimeError as error:  # no more threads
                self._stop()
                self._isolation.say(_no_workers(str(error)))
                for batch in batches:
                    yield _in_this_process(self._work, batch)
                return
            while (item := self._out.get()) is not _END:
                if isinstance(item, BaseException):
                    raise item
                yield item
                self._ahead.release()
        finally:
            self._stop()

    def _start(self, batches: Iterator[list[Source]]) -> None:
        for worker in self._workers:
            self._listen(worker)
        self._dispatcher.start()
        threading.Thread(target=self._take_in, args=(batches,), daemon=True).start()

    def _stop(self) -> None:
        self._stopped = True
        self._ahead.release()
        self._events.put((None, _END))
        if self._dispatcher.is_alive():
            self._dispatcher.join()
        else:
            _dismiss(self._workers, now=True)

    def _listen(self, worker: _Worker) -> None:
        threading.Thread(target=self._hear, args=(worker,), daemon=True).start()

    def _hear(self, worker: _Worker) -> None:
        try:
            if worker.work is not None:  # here, as a program takes a while until it reads that
                send(worker.requests, worker.work)
            while True:
                self._events.put((worker, receive(worker.answers)))
        except (EOFError, OSError, ValueError):
            self._events.put((worker, None))
        except BaseException as error:  # an answer that cannot be unpickled
            self._events.put((worker, Failed(error)))

    def _take_in(self, batches: Iterator[list[Source]]) -> None:
        number = 0
        try:
            for batch in batches:
                self._ahead.acquire()
                if self._stopped:
                    return
                self._events.put((number, batch))
                number += 1
            self._events.put((number, _END))
        except BaseException as error:  # it belongs to whoever waits for the answers
            self._events.put((number, error))

    def _dispatch(self) -> None:
        failure: BaseException | None = None
        try:
            while not self._stopped and self._count != self._next:
                with suppress(queue.Empty):
                    self._handle(*self._events.get(timeout=_TICK))
                self._end_those_that_hang()
                self._assign()
        except BaseException as error:  # it belongs to whoever waits for the answers
            failure = error
        _dismiss(self._workers, now=self._stopped or failure is not None)
        self._workers.clear()
        self._out.put(failure or _END)

    def _handle(self, sender: Any, message: Any) -> None:
        if isinstance(sender, int):
            if message is _END:
                self._count = sender
            elif isinstance(message, BaseException):
                self._count = sender + 1  # after the answers to what came before
                self._answers[sender] = [message]
                self._emit()
            else:
                self._answers[sender] = [None] * len(message)
                self._pending.append(_Task(sender, 0, message))
        elif sender is not None and sender in self._workers:
            self._hear_from(sender, message)

    def _hear_from(self, worker: _Worker, message: Any) -> None:
        worker.since = time.monotonic()
        if message is None:
            self._last_words = worker.look() or self._last_words
            self._lose(worker)
        elif isinstance(message, Failed):
            if not worker.tasks:
                raise message.error
            # it is raised when its turn comes, after the answers to what came before
            self._answers[worker.tasks.popleft().number] = [message.error]
            self._emit()
        elif isinstance(message, Ready):
            worker.ready = True
        elif isinstance(message, Wanted):
            self._units += worker.units
            worker.units, worker.wanted = 0, message.units
            if message.units:
                self._waiting.append(worker)
            self._grant()
        else:
            worker.look()
            task = worker.tasks.popleft()
            worker.done += len(task.sources)
            self._fill(task, message)

    def _grant(self) -> None:
        """Give the memory that is left to those that wait for it, first come, first served."""
        while self._waiting and self._waiting[0].wanted <= self._units:
            worker = self._waiting.popleft()
            worker.units, worker.wanted = worker.wanted, 0
            self._units -= worker.units
            worker.since = time.monotonic()
            with suppress(OSError):
                send(worker.requests, Granted())

    def _lose(self, worker: _Worker, slow: int | None = None) -> None:
        """Go on without a worker that has ended or was ended, over the source ``slow`` perhaps."""
        self._workers.remove(worker)
        worker.end(now=True)
        self._units += worker.units
        if worker in self._waiting:
            self._waiting.remove(worker)
        self._grant()
        for task in reversed(worker.tasks):
            is_first = task is worker.tasks[0]
            if not is_first or len(task.sources) > 1 or (slow is None and not task.attempts):
                self._redo(task, slow if is_first else None)
            else:
                reason = _ENDED if slow is None else _too_slow(self._isolation.timeout)
                self._fill(task, _problem(self._work, task.sources[0], reason))
        if worker.ready:  # one that never was would not be the second time
            self._replace()

    def _redo(self, task: _Task, slow: int | None) -> None:
        """Have each source of a task read alone, but the one that took too long."""
        for at in reversed(range(len(task.sources))):
            source = task.sources[at]
            alone = _Task(task.number, task.offset + at, [source], task.attempts + 1)
            if at == slow:
                reason = _too_slow(self._isolation.timeout)
                self._fill(alone, _problem(self._work, source, reason))
            else:
                self._pending.appendleft(alone)

    def _replace(self) -> None:
        with suppress(OSError, RuntimeError):
            if can_start_python():
                worker = _start_program(self._work)
                self._workers.append(worker)
                self._listen(worker)

    def _end_those_that_hang(self) -> None:
        now = time.monotonic()
        if now < self._looked + _TICK:
            return
        self._looked = now
        for worker in list(self._workers):
            if not worker.ready and now - worker.since > _START_TIMEOUT:
                self._lose(worker)
            if not worker.tasks or worker.wanted:
                continue
            worker.look()
            if now - worker.since >= self._isolation.timeout:
                self._lose(worker, self._slow_source(worker))

    def _slow_source(self, worker: _Worker) -> int | None:
        """Tell which source of its first task a worker hangs over; None where that is not known."""
        if worker.progress < 0 and len(worker.tasks[0].sources) > 1:
            return None
        return max(0, worker.begun - worker.done - 1)

    def _assign(self) -> None:
        if not self._workers and self._pending:
            self._do_without_workers()
        for worker in self._workers:
            while self._pending and self._has_room(worker, self._pending[0]):
                task = self._pending.popleft()
                if not worker.tasks:
                    worker.since = time.monotonic()
                worker.tasks.append(task)
                with suppress(OSError):  # it has ended; its answers' end says so
                    send(worker.requests, task.sources)

    def _has_room(self, worker: _Worker, task: _Task) -> bool:
        """Tell whether a worker can be sent a task without waiting for it to be read."""
        if not worker.ready:
            return False
        small = all(source.content is None for source in task.sources)
        return not worker.tasks or (small and len(worker.tasks) < _IN_FLIGHT)

    def _do_without_workers(self) -> None:
        words = self._last_words.decode(errors="replace").strip(". \n").splitlines()
        self._isolation.say(_no_workers(words[-1] if words else "they ended at once"))
        self._isolation = replace(self._isolation, say=lambda text: None)
        while self._pending:
            task = self._pending.popleft()
            if task.attempts:  # what ended a worker would end this process
                self._fill(task, _problem(self._work, task.sources[0], _ENDED))
            else:
                self._fill(task, _in_this_process(self._work, task.sources))

    def _fill(self, task: _Task, answers: list[Any]) -> None:
        if task.number not in self._answers:  # its error has been passed on
            return
        self._answers[task.number][task.offset : task.offset + len(answers)] = answers
        self._emit()

    def _emit(self) -> None:
        """Pass on the answers that are next."""
        while self._next in self._answers:
            answers = self._answers[self._next]
            if any(answer is None for answer in answers):
                return
            del self._answers[self._next]
            self._next += 1
            failed = isinstance(answers[0], BaseException)
            self._out.put(answers[0] if failed else answers)
