"""Many images on all cores: batches, results in order, memory bounded however many there are.

Worker processes, not threads: of 28×28 PNG files, two threads read fewer than one did (163 against
119 µs a file), as the interpreter's lock changes hands in each of a dozen short calls into Pillow
and OpenCV; two processes took 71 µs.
"""

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
from digitcli.parallel.processes import Isolation, Worker, can_fork, dismiss, start_workers
from digitcli.parallel.worker import Failed, Granted, Ready, Wanted, Work, receive, send

# A batch is as many images as the network likes at once, fewer where they are large, so that
# answers come early.
IMAGES_PER_BATCH = 64
_BATCH_BYTES = 1 << 16


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
            yield do_in_this_process(work, batch)
        return
    first = next(batches, None)
    workers: list[Worker] = []
    if first is not None and len(first) == 1 and not _needs_program(isolation):
        # one image costs no more than a fork, and never waits for those that are yet to come
        apart = isolation.always and (isolation.plain_too or not is_plain(first[0]))
        if apart and can_fork(isolation):
            workers = start_workers(work, 1, isolation)
        try:
            yield _answer_alone(work, first[0], workers, isolation)
            first = next(batches, None)
        except BaseException:
            dismiss(workers, now=True)
            raise
    if first is None:
        dismiss(workers)
        return
    workers += start_workers(work, jobs - len(workers), isolation, workers)
    if workers:
        yield from Pool(work, workers, isolation).answers(_chained(first, batches))
        return
    if jobs > 1:
        isolation.say(no_workers("no process can be had for them"))
    for batch in _chained(first, batches):
        yield do_in_this_process(work, batch)


def _needs_program(isolation: Isolation) -> bool:
    """Tell whether even one image is to be kept apart where that takes a program, not a fork."""
    return isolation.plain_too and not can_fork(isolation)


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


def _answer_alone(
    work: Work, source: Source, workers: list[Worker], isolation: Isolation
) -> list[Any]:
    """Have a source read by the one worker there is, which is taken from the list if lost."""
    import select

    if not workers:
        return do_in_this_process(work, [source])
    worker = workers[0]
    send(worker.requests, [source])
    deadline = time.monotonic() + isolation.timeout
    while True:
        left = deadline - time.monotonic()
        if left <= 0 or not select.select([worker.answers], [], [], left)[0]:
            workers.pop().end(now=True)
            return answer_problem(work, source, too_slow(isolation.timeout))
        try:
            message = receive(worker.answers)
        except EOFError:
            workers.pop().end(now=True)
            return answer_problem(work, source, ENDED)
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
