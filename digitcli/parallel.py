"""Many pictures on all cores: work in batches, answers in order, memory bounded however many there are.

Worker processes, not threads: of 28×28 PNG files, two threads read fewer than one did (163 against
119 µs a file), as the interpreter's lock changes hands in each of a dozen short calls into Pillow
and OpenCV; two processes took 71 µs.
"""

import contextlib
import ctypes
import itertools
import multiprocessing
import os
import queue
import signal
import sys
import threading
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Any, Generic, NamedTuple, TypeVar

from digitcli.inputs.memory_budget import MemoryBudget
from digitcli.inputs.source import Source, size_of

T = TypeVar("T")
Work = Callable[[list[Source], MemoryBudget], list[T]]

# A batch is as many pictures as the network likes at once, fewer where they are large, so that
# answers come early.
IMAGES_PER_BATCH = 64
_BATCH_BYTES = 1 << 16
_AHEAD = 4  # batches waiting for each worker: enough to keep it busy while an earlier, slower batch is awaited

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3  # malloc.h

_ENDED = "the process that read it was ended, by a crash or for want of memory"


def default_jobs() -> int:
    """Count the cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def map_in_order(work: Work[T], chunks: Iterable[list[Source]], *, jobs: int) -> Generator[list[T]]:
    """Apply ``work`` to all sources in batches and give what it returns, in the order of the sources.

    A source that comes first and alone is done in this process: one picture costs no more than
    itself. Where a source ends the process that works on it, by a crash or for want of memory, the
    others lose nothing by it: its answer is what ``work`` says of a source with that problem.

    Args:
        work: gives one answer for each source, decoding within the memory budget it is given; it
            and its answers can be pickled.
        chunks: as ``find_sources`` gives them. They are taken as they come, only so far ahead as the
            workers need.
        jobs: worker processes; 1 is this process alone.

    """
    batches = _batches(chunks)
    if jobs == 1:
        for alone in batches:
            yield work(alone, MemoryBudget())
        return
    batch = next(batches, None)
    if batch is not None and len(batch) == 1:
        yield work(batch, MemoryBudget())
        batch = next(batches, None)
    if batch is not None:
        with _Workers(work, jobs) as workers:
            yield from workers.answers(itertools.chain([batch], batches))


class _Workers(Generic[T]):
    """Worker processes, and the thread that gives them batches.

    That is a thread of its own, so that answers never wait for paths that are yet to come.
    """

    def __init__(self, work: Work[T], jobs: int) -> None:
        self._work = work
        self._jobs = jobs
        self._ahead = threading.Semaphore(jobs * _AHEAD)
        self._submitted: queue.SimpleQueue[_Submitted | BaseException | None] = queue.SimpleQueue()
        self._stopped = False

    def __enter__(self) -> "_Workers[T]":
        self._strangers = multiprocessing.active_children()
        self._pool = _pool(self._work, self._jobs)
        self._careful: ProcessPoolExecutor | None = (
            None  # one worker, for what may have ended another
        )
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._stopped = True
        self._ahead.release()
        if kind is not None:
            for child in multiprocessing.active_children():
                if child not in self._strangers:
                    child.terminate()
        for pool in filter(None, (self._pool, self._careful)):
            pool.shutdown(cancel_futures=True)

    def answers(self, batches: Iterator[list[Source]]) -> Iterator[list[T]]:
        threading.Thread(target=self._submit, args=(batches,), daemon=True).start()
        while (submitted := self._submitted.get()) is not None:
            if isinstance(submitted, BaseException):
                raise submitted
            yield self._answer(*submitted)
            self._ahead.release()

    def _submit(self, batches: Iterator[list[Source]]) -> None:
        try:
            for batch in batches:
                self._ahead.acquire()
                if self._stopped:
                    return
                pool = self._pool
                try:
                    self._submitted.put(_Submitted(batch, pool, pool.submit(_do, batch)))
                except BrokenProcessPool:
                    self._submitted.put(_Submitted(batch, pool, None))
            self._submitted.put(None)
        except BaseException as error:  # it belongs to whoever waits for the answers
            self._submitted.put(error)

    def _answer(
        self, batch: list[Source], pool: ProcessPoolExecutor, future: "Future[list[T]] | None"
    ) -> list[T]:
        try:
            if future is not None:
                return future.result()
        except BrokenProcessPool:
            pass
        if pool is self._pool:
            self._pool = _pool(self._work, self._jobs)
        return self._one_by_one(batch)

    def _one_by_one(self, batch: list[Source]) -> list[T]:
        """Work on a batch of which a source may have ended the process."""
        answers = []
        for source in batch:
            self._careful = self._careful or _pool(self._work, 1)
            try:
                answers += self._careful.submit(_do, [source]).result()
            except BrokenProcessPool:
                answers += self._work([Source(source.path, problem=_ENDED)], MemoryBudget())
                self._careful = None
        return answers


class _Submitted(NamedTuple):
    batch: list[Source]
    pool: ProcessPoolExecutor
    future: "Future[Any] | None"  # None where the pool was broken already


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


def _pool(work: Work[Any], jobs: int) -> ProcessPoolExecutor:
    # Forked workers share this process's memory, and are there at once; a process with threads must
    # not fork.
    alone = sys.platform == "linux" and len(os.listdir("/proc/self/task")) == 1
    context = multiprocessing.get_context("fork" if alone else "spawn")
    # Ctrl-C reaches the whole process group: a worker that is just being born must not answer it
    # with a traceback
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    try:
        pool = ProcessPoolExecutor(
            jobs, mp_context=context, initializer=_begin, initargs=(work, MemoryBudget(context))
        )
        pool.submit(int)  # forks all workers, before there are threads
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    return pool


_work: Work[Any]
_budget: MemoryBudget


def _begin(work: Work[Any], budget: MemoryBudget) -> None:
    global _work, _budget  # a process pool has no other way to keep something in its workers
    _work, _budget = work, budget
    _silence()
    _give_back_memory()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT, signal.SIGTERM})
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _silence() -> None:
    """Let descriptors 1 and 2 lead nowhere: a worker answers through its queue, the rest is noise."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for descriptor in (1, 2):
        os.dup2(nowhere, descriptor)
    os.close(nowhere)


def _give_back_memory() -> None:
    """Let glibc return the memory of each large picture; else it would keep up to 100 MB of it for the next."""
    with contextlib.suppress(AttributeError, OSError):  # not glibc
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(_M_MMAP_THRESHOLD, 8 << 20)
        mallopt(_M_TRIM_THRESHOLD, 16 << 20)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _do(batch: list[Source]) -> list[Any]:
    return _work(batch, _budget)
