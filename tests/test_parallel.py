import functools
import itertools
import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from digitcli.inputs.memory_budget import MemoryBudget
from digitcli.inputs.source import Source
from digitcli.parallel import IMAGES_PER_BATCH, map_in_order


def sources(count: int) -> list[Source]:
    return [Source(str(number), content=b"") for number in range(count)]


def numbers(batch: list[Source], budget: MemoryBudget) -> list[int]:
    return [int(source.path) for source in batch]


def numbers_the_first_last(batch: list[Source], budget: MemoryBudget) -> list[int]:
    """Be slow with the first batch that a worker gets, so that later ones are ready before it."""
    if batch[0].path == "0":
        time.sleep(0.3)
    return numbers(batch, budget)


def processes(batch: list[Source], budget: MemoryBudget) -> list[int]:
    return [os.getpid() for _ in batch]


def wait_for_two_workers(place: Path, batch: list[Source], budget: MemoryBudget) -> list[int]:
    """Give the numbers of the workers that have come to ``place``, once there are two."""
    (place / str(os.getpid())).touch()
    deadline = time.monotonic() + 30
    while len(list(place.iterdir())) < 2 and time.monotonic() < deadline:
        time.sleep(0.01)
    return [len(list(place.iterdir()))] * len(batch)


def end_at_200(batch: list[Source], budget: MemoryBudget) -> list[str]:
    for source in batch:
        if source.path == "200" and source.problem is None:
            os.kill(os.getpid(), signal.SIGKILL)
    return [source.problem or source.path for source in batch]


def fail(batch: list[Source], budget: MemoryBudget) -> list[int]:
    raise RuntimeError(f"cannot do {batch[0].path}")


@pytest.mark.parametrize("jobs", [1, 2, 3])
def test_answers_come_in_the_order_of_the_sources(jobs: int) -> None:
    answers = map_in_order(numbers_the_first_last, [sources(10 * IMAGES_PER_BATCH + 7)], jobs=jobs)
    assert list(itertools.chain.from_iterable(answers)) == list(range(10 * IMAGES_PER_BATCH + 7))


@pytest.mark.parametrize("jobs", [1, 2])
def test_nothing_to_do_is_done(jobs: int) -> None:
    assert list(map_in_order(numbers, [], jobs=jobs)) == []


def test_one_source_starts_no_worker() -> None:
    assert list(map_in_order(processes, [sources(1)], jobs=2)) == [[os.getpid()]]


def test_more_are_done_by_as_many_processes_as_asked_for(tmp_path: Path) -> None:
    work = functools.partial(wait_for_two_workers, tmp_path)
    assert set(
        itertools.chain.from_iterable(map_in_order(work, [sources(4 * IMAGES_PER_BATCH)], jobs=2))
    ) == {2}
    assert str(os.getpid()) not in {path.name for path in tmp_path.iterdir()}


def test_large_files_come_in_small_batches(tmp_path: Path) -> None:
    large = tmp_path / "large"
    large.write_bytes(bytes(100_000))
    small = tmp_path / "small"
    small.write_bytes(bytes(100))
    run = [Source(str(path)) for path in (small, small, large, large, small)]
    assert list(map(len, map_in_order(lambda batch, budget: batch, [run], jobs=1))) == [2, 1, 1, 1]


def test_sources_are_taken_only_as_far_ahead_as_the_workers_need() -> None:
    taken = 0

    def endless() -> Iterator[list[Source]]:
        nonlocal taken
        for taken in itertools.count():
            yield [Source(str(taken), content=b"")]

    answers = map_in_order(numbers, endless(), jobs=2)
    for expected in range(50):
        assert next(answers) == [expected]
    time.sleep(0.2)
    assert taken < 50 + 16
    answers.close()


def test_an_answer_does_not_wait_for_sources_that_are_yet_to_come() -> None:
    go_on = threading.Event()

    def runs() -> Iterator[list[Source]]:
        yield [Source("0", content=b"")]
        yield [Source("1", content=b"")]
        go_on.wait(30)
        yield [Source("2", content=b"")]

    answers = map_in_order(numbers, runs(), jobs=2)
    assert [next(answers), next(answers)] == [[0], [1]]
    go_on.set()
    assert list(answers) == [[2]]


def test_a_source_that_ends_its_process_costs_no_other_its_answer() -> None:
    answers = list(
        itertools.chain.from_iterable(
            map_in_order(end_at_200, [sources(6 * IMAGES_PER_BATCH)], jobs=2)
        )
    )
    expected = [str(number) for number in range(6 * IMAGES_PER_BATCH)]
    expected[200] = "the process that read it was ended, by a crash or for want of memory"
    assert answers == expected


@pytest.mark.parametrize("jobs", [1, 2])
def test_an_error_of_the_work_or_of_the_finding_arrives_where_answers_are_awaited(
    jobs: int,
) -> None:
    def broken() -> Iterator[list[Source]]:
        yield sources(3 * IMAGES_PER_BATCH)
        raise RuntimeError("no more")

    with pytest.raises(RuntimeError, match="cannot do 0"):
        list(map_in_order(fail, [sources(3 * IMAGES_PER_BATCH)], jobs=jobs))
    with pytest.raises(RuntimeError, match="no more"):
        list(map_in_order(numbers, broken(), jobs=jobs))


def test_whoever_stops_early_leaves_no_worker_behind() -> None:
    answers = map_in_order(processes, [sources(40 * IMAGES_PER_BATCH)], jobs=2)
    next(answers)
    [worker, *_] = next(answers)
    answers.close()
    for _ in range(100):
        try:
            os.kill(worker, 0)
        except ProcessLookupError:
            break
        time.sleep(0.05)
    else:
        pytest.fail("the worker lives on")
