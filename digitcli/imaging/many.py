"""Many pictures on all cores: work in batches, answers in order, memory bounded however many there are.

Worker processes, not threads: of 28×28 PNG files, two threads read fewer than one did (163 against 119 µs a file), as
the interpreter's lock changes hands in each of a dozen short calls into Pillow and OpenCV; two processes took 71 µs.
"""

import contextlib
import multiprocessing
import os
import queue
import signal
import sys
import threading
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Any, TypeVar

from digitcli.errors import DigitcliError
from digitcli.imaging.sources import Source

T = TypeVar("T")
Work = Callable[[list[Source]], list[T]]

# A batch is as many pictures as the network likes at once, fewer where they are large, so that answers come early.
BATCH = 64
_BATCH_BYTES = 1 << 16
_AHEAD = 4  # batches waiting for each worker: enough to keep it busy while an earlier, slower batch is awaited


def default_jobs() -> int:
    """Count the cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def in_order(work: Work[T], runs: Iterable[list[Source]], *, jobs: int) -> Generator[list[T]]:
    """Apply ``work`` to all sources in batches and give what it returns, in the order of the sources.

    The first batch is done in this process, before any worker is started: a single picture costs no more than itself.

    Args:
        work: gives one answer for each source; it and its answers can be pickled.
        runs: as ``find_sources`` gives them. They are taken as they come, only so far ahead as the workers need.
        jobs: worker processes; 1 is this process alone.

    Raises:
        DigitcliError: the system ended a worker, as it does where memory is short.

    """
    batches = _batches(runs)
    for batch in batches:
        yield work(batch)
        if jobs > 1:
            break
    following = next(batches, None)
    if following is None:
        return
    with _workers(work, jobs) as pool:
        ahead = _Ahead(pool, following, batches, jobs * _AHEAD)
        try:
            yield from ahead
        finally:
            ahead.stop()


class _Ahead:
    """Submits batches from a thread of its own, so that answers never wait for paths that are yet to come."""

    def __init__(
        self, pool: ProcessPoolExecutor, following: list[Source], batches: Iterator[list[Source]], limit: int
    ) -> None:
        self._pool = pool
        self._following = following
        self._batches = batches
        self._room = threading.Semaphore(limit)
        self._submitted: queue.SimpleQueue[Future[Any] | BaseException | None] = queue.SimpleQueue()
        self._stopped = False
        threading.Thread(target=self._submit_all, daemon=True).start()

    def __iter__(self) -> Iterator[Any]:
        while (submitted := self._submitted.get()) is not None:
            try:
                if isinstance(submitted, BaseException):
                    raise submitted
                answers = submitted.result()
            except BrokenProcessPool:
                raise DigitcliError(
                    "the system ended a worker process, perhaps for want of memory; try again with --jobs 1"
                ) from None
            yield answers
            self._room.release()

    def stop(self) -> None:
        """Let the thread end; it may be waiting for room, or for paths."""
        self._stopped = True
        self._room.release()

    def _submit_all(self) -> None:
        try:
            batch: list[Source] | None = self._following
            while batch is not None:
                self._room.acquire()
                if self._stopped:
                    return
                self._submitted.put(self._pool.submit(_do, batch))
                batch = next(self._batches, None)
            self._submitted.put(None)
        except BaseException as error:  # it belongs to whoever waits for the answers
            self._submitted.put(error)


def _batches(runs: Iterable[list[Source]]) -> Iterator[list[Source]]:
    for run in runs:
        batch: list[Source] = []
        room = _BATCH_BYTES
        for source in run:
            size = _size(source)
            if batch and (size > room or len(batch) == BATCH):
                yield batch
                batch, room = [], _BATCH_BYTES
            batch.append(source)
            room -= size
        if batch:
            yield batch


def _size(source: Source) -> int:
    try:
        return os.stat(source.path).st_size if source.content is None else len(source.content)  # noqa: PTH116
    except (OSError, ValueError):
        return 0


@contextlib.contextmanager
def _workers(work: Work[Any], jobs: int) -> Iterator[ProcessPoolExecutor]:
    # Forked workers share this process's memory, and are there at once; a process with threads must not fork.
    alone = sys.platform == "linux" and len(os.listdir("/proc/self/task")) == 1
    strangers = multiprocessing.active_children()
    context = multiprocessing.get_context("fork" if alone else "spawn")
    # Ctrl-C reaches the whole process group: a worker that is just being born must not answer it with a traceback
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    try:
        pool = ProcessPoolExecutor(jobs, mp_context=context, initializer=_begin, initargs=(work,))
        pool.submit(int)  # forks all workers, before there are threads
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    try:
        yield pool
        pool.shutdown()
    except BaseException:
        for child in multiprocessing.active_children():
            if child not in strangers:
                child.terminate()
        pool.shutdown(wait=False, cancel_futures=True)
        raise


_work: Work[Any]


def _begin(work: Work[Any]) -> None:
    global _work  # a process pool has no other way to keep something in its workers
    _work = work
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT, signal.SIGTERM})
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _do(batch: list[Source]) -> list[Any]:
    return _work(batch)
