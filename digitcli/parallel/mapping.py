"""Many images on all cores: batches, results in order, memory bounded whatever their number.

Workers are processes, not threads. Of 28×28 PNG files, one thread took 119 µs a file, two threads
163 µs and two processes 71 µs: the interpreter's lock changes hands in each of a dozen short calls
into Pillow and OpenCV.
"""

import itertools
import time
from collections.abc import Generator, Iterable, Iterator
from typing import Any

from digitcli.inputs.source import Source, is_plain, size_of
from digitcli.parallel.pool import (
    ENDED,
    Pool,
    answer_problem,
    do_in_this_process,
    no_workers,
    too_slow,
)
from digitcli.parallel.processes import Isolation, Worker, can_fork, start_workers, stop_workers
from digitcli.parallel.worker import (
    Failed,
    MemoryGrant,
    MemoryRequest,
    Ready,
    Work,
    receive,
    send,
)

IMAGES_PER_BATCH = 64  # with more the network is hardly faster
_BATCH_BYTES = 1 << 16  # of a batch's files; batches of large images are small: answers come early


def map_in_order(
    work: Work,
    chunks: Iterable[list[Source]],
    *,
    jobs: int,
    isolation: Isolation | None = None,
) -> Generator[list[Any]]:
    """Apply ``work`` to all sources in batches; yield what it returns, in the order of the sources.

    A source that crashes its worker, or takes it too long, costs no other its answer; its own is
    what ``work`` answers to a source with that problem. Where no worker can be started, the batches
    are done in this process.

    Args:
        work: returns one answer for each source. It decodes within the memory budget that it is
            given, and calls its third argument when it begins a source. It and its answers can be
            pickled.
        chunks: as ``find_sources`` yields them; taken only as far ahead as the workers need.
        jobs: number of worker processes; with 1 there are none, unless ``isolation.always``.
        isolation: how workers are started and how long they may take.

    """
    isolation = isolation or Isolation()
    batches = _batches(chunks)
    if jobs == 1 and not isolation.always:
        for batch in batches:
            yield do_in_this_process(work, batch)
        return
    first = next(batches, None)
    workers: list[Worker] = []
    if first is not None and len(first) == 1 and not _needs_program(isolation):
        # a single image costs at most a fork, and does not wait for those that are yet to come
        isolated = isolation.always and (isolation.plain_too or not is_plain(first[0]))
        if isolated and can_fork(isolation):
            workers = start_workers(work, 1, isolation)
        try:
            yield _answer_single(work, first[0], workers, isolation)
            first = next(batches, None)
        except BaseException:
            stop_workers(workers, kill=True)
            raise
    if first is None:
        stop_workers(workers)
        return
    workers += start_workers(work, jobs - len(workers), isolation, others=workers)
    if workers:
        yield from Pool(work, workers, isolation).answers(itertools.chain([first], batches))
        return
    if jobs > 1:
        isolation.warn(no_workers("no process can be had for them"))
    for batch in itertools.chain([first], batches):
        yield do_in_this_process(work, batch)


def _needs_program(isolation: Isolation) -> bool:
    """Return whether a single image needs a worker that cannot be forked."""
    return isolation.plain_too and not can_fork(isolation)


def _batches(chunks: Iterable[list[Source]]) -> Iterator[list[Source]]:
    for chunk in chunks:
        batch: list[Source] = []
        bytes_left = _BATCH_BYTES
        for source in chunk:
            size = size_of(source)
            if batch and (size > bytes_left or len(batch) == IMAGES_PER_BATCH):
                yield batch
                batch = []
                bytes_left = _BATCH_BYTES
            batch.append(source)
            bytes_left -= size
        if batch:
            yield batch


def _answer_single(
    work: Work, source: Source, workers: list[Worker], isolation: Isolation
) -> list[Any]:
    """Have a source read by the only worker, which leaves the list where it is lost."""
    import select

    if not workers:
        return do_in_this_process(work, [source])
    worker = workers[0]
    send(worker.requests, [source])
    deadline = time.monotonic() + isolation.timeout
    while True:
        left = deadline - time.monotonic()
        if left <= 0 or not select.select([worker.answers], [], [], left)[0]:
            workers.pop().stop(kill=True)
            return answer_problem(work, source, too_slow(isolation))
        try:
            message = receive(worker.answers)
        except EOFError:
            workers.pop().stop(kill=True)
            return answer_problem(work, source, ENDED)
        if isinstance(message, Failed):
            raise message.error
        if isinstance(message, Ready):
            worker.ready = True
        elif isinstance(message, MemoryRequest):
            if message.units:
                send(worker.requests, MemoryGrant())
        else:
            worker.read_progress()
            worker.done = worker.begun
            answers: list[Any] = message
            return answers
