import functools
import itertools
import multiprocessing
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from work import (
    end_at_200,
    fail,
    hang_at_70,
    hold_memory,
    nothing,
    numbers,
    numbers_the_first_last,
    processes,
    sources,
    wait_for_two_workers,
)

from digitcli.inputs.source import Source
from digitcli.parallel import cores, worker
from digitcli.parallel import processes as started
from digitcli.parallel.mapping import IMAGES_PER_BATCH, map_in_order
from digitcli.parallel.processes import Isolation


@pytest.mark.parametrize("jobs", [1, 2, 3])
def test_answers_come_in_the_order_of_the_sources(jobs: int) -> None:
    answers = map_in_order(numbers_the_first_last, [sources(10 * IMAGES_PER_BATCH + 7)], jobs=jobs)
    assert list(itertools.chain.from_iterable(answers)) == list(range(10 * IMAGES_PER_BATCH + 7))


@pytest.mark.timeout(60)
def test_an_answer_of_none_is_an_answer() -> None:
    answers = map_in_order(nothing, [sources(3)], jobs=2)
    assert list(itertools.chain.from_iterable(answers)) == [None] * 3


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
    assert list(map(len, map_in_order(lambda batch, budget, begin: batch, [run], jobs=1))) == [
        2,
        1,
        1,
        1,
    ]


def test_sources_are_taken_only_as_far_ahead_as_the_workers_need() -> None:
    taken = 0

    def endless() -> Iterator[list[Source]]:
        nonlocal taken
        for taken in itertools.count():
            yield [Source(str(taken), content=b"")]

    answers = map_in_order(numbers, endless(), jobs=2)
    for expected in range(50):
        assert next(answers) == [expected]
    # of 49 answers it is known that they were used; 8 batches more, and the next is at hand
    deadline = time.monotonic() + 10
    while taken < 49 + 8 and time.monotonic() < deadline:
        time.sleep(0.01)
    time.sleep(0.2)
    assert taken == 49 + 8
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


def test_whoever_stops_early_does_not_wait_for_a_worker_that_hangs() -> None:
    answers = map_in_order(
        hang_at_70, [sources(4 * IMAGES_PER_BATCH)], jobs=2, isolation=Isolation(timeout=600)
    )
    next(answers)
    started = time.monotonic()
    answers.close()
    assert time.monotonic() - started < 10


def test_a_source_that_hangs_is_an_error_and_costs_no_other_its_answer() -> None:
    started = time.monotonic()
    isolation = Isolation(timeout=1.5)
    batches = map_in_order(hang_at_70, [sources(4 * IMAGES_PER_BATCH)], jobs=2, isolation=isolation)
    expected = [str(number) for number in range(4 * IMAGES_PER_BATCH)]
    expected[70] = "took longer than 1.5 s"
    assert list(itertools.chain.from_iterable(batches)) == expected
    assert time.monotonic() - started < 15


def test_large_images_wait_for_each_other() -> None:
    batches = map_in_order(hold_memory, [sources(3 * IMAGES_PER_BATCH)], jobs=3)
    held = sorted(
        tuple(map(float, times.split())) for times in itertools.chain.from_iterable(batches)
    )
    assert len(held) == 3 * IMAGES_PER_BATCH
    assert all(end <= start for (_, end), (start, _) in itertools.pairwise(held))


def test_where_no_worker_can_be_started_the_work_is_done_and_it_is_said_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    said: list[str] = []
    monkeypatch.setattr(sys, "executable", "/usr/bin/blender")
    isolation = Isolation(warn=said.append)
    batches = map_in_order(processes, [sources(300)], jobs=2, isolation=isolation)
    assert set(itertools.chain.from_iterable(batches)) == {os.getpid()}
    assert said == [
        "workers cannot be started (no process can be had for them); "
        "pictures are read one after the other"
    ]


def test_where_workers_end_at_once_the_work_is_done_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    said: list[str] = []
    monkeypatch.setattr(started, "_BOOT", "raise SystemExit('no more memory')")
    batches = map_in_order(numbers, [sources(300)], jobs=2, isolation=Isolation(warn=said.append))
    assert list(itertools.chain.from_iterable(batches)) == list(range(300))
    assert said == [
        "workers cannot be started (no more memory); pictures are read one after the other"
    ]


def test_where_no_thread_can_be_started_the_work_is_done_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    said: list[str] = []
    batches = map_in_order(numbers, [sources(300)], jobs=2, isolation=Isolation(warn=said.append))
    assert list(itertools.chain.from_iterable(batches)) == list(range(300))
    assert len(said) == 1


def test_children_of_the_caller_live_on(tmp_path: Path) -> None:
    child = subprocess.Popen(["sleep", "60"])
    process = multiprocessing.get_context("fork").Process(target=time.sleep, args=(60,))
    process.start()
    answers = map_in_order(numbers, [sources(40 * IMAGES_PER_BATCH)], jobs=2)
    next(answers)
    answers.close()
    assert child.poll() is None
    assert process.is_alive()
    child.kill()
    child.wait()
    process.kill()
    process.join()


@pytest.mark.parametrize(
    ("files", "jobs"),
    [
        ({}, 64),
        ({"cpu.max": "max 100000", "memory.max": "max"}, 64),
        ({"cpu.max": "150000 100000"}, 1),
        ({"cpu.max": "800000 100000", "memory.max": str(512 << 20)}, 3),
        ({"cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "100000"}, 64),
        ({"cpu/cpu.cfs_quota_us": "400000", "cpu/cpu.cfs_period_us": "100000"}, 4),
        ({"memory/memory.limit_in_bytes": "9223372036854771712"}, 64),
        ({"memory/memory.limit_in_bytes": str(100 << 20)}, 1),
        ({"memory.max": str(4 * 128_000_000)}, 3),
        ({"memory.max": str(4 * 128_000_000 - 1)}, 2),
    ],
)
def test_cores_are_counted_with_the_containers_quota_and_memory(
    files: dict[str, str], jobs: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(64)))
    monkeypatch.setattr(cores, "_CGROUPS", tmp_path)
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(f"{content}\n")
    assert cores.default_jobs() == jobs


def test_where_nobody_tells_which_source_is_begun_the_one_that_hangs_is_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As on Windows before Python 3.12."""
    monkeypatch.delattr(os, "set_blocking")
    isolation = Isolation(timeout=1.5)
    batches = map_in_order(hang_at_70, [sources(2 * IMAGES_PER_BATCH)], jobs=2, isolation=isolation)
    expected = [str(number) for number in range(2 * IMAGES_PER_BATCH)]
    expected[70] = "took longer than 1.5 s"
    assert list(itertools.chain.from_iterable(batches)) == expected


ALONE = """
import os, sys, time
from pathlib import Path
from work import processes
from digitcli.inputs.source import Source
from digitcli.parallel.mapping import map_in_order
from digitcli.parallel.processes import Isolation

def hang(batch, budget, begin):
    return [source.problem or time.sleep(60) for source in batch]

name, always, plain_too, how = sys.argv[1:]
isolation = Isolation(
    may_fork=True, always=always == "True", plain_too=plain_too == "True", timeout=0.5
)
work = hang if how == "hang" else processes
[[answer]] = map_in_order(work, [[Source(name)]], jobs=1, isolation=isolation)
print(answer if how == "hang" else "apart" if answer != os.getpid() else "here")
"""


def alone(path: Path, always: bool, plain_too: bool, how: str = "") -> str:
    """Have one source read in a process that has one thread, as the command has."""
    path.write_bytes(b"P5 1 1 255 0" if path.suffix == ".pgm" else b"\xff\xd8\xff")
    place = os.pathsep.join([str(Path(__file__).parent), str(Path(__file__).parents[1])])
    done = subprocess.run(
        [sys.executable, "-c", ALONE, str(path), str(always), str(plain_too), how],
        env={**os.environ, "PYTHONPATH": place},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.strip()


@pytest.mark.skipif(sys.platform != "linux", reason="workers are forked on Linux alone")
@pytest.mark.parametrize(
    ("name", "always", "plain_too", "place"),
    [
        ("a.jpg", True, False, "apart"),
        ("a.pgm", True, False, "here"),
        ("a.pgm", True, True, "apart"),
        ("a.jpg", False, False, "here"),
    ],
)
def test_an_image_that_comes_alone_is_kept_apart_unless_it_is_plain(
    name: str, always: bool, plain_too: bool, place: str, tmp_path: Path
) -> None:
    assert alone(tmp_path / name, always, plain_too) == place


@pytest.mark.skipif(sys.platform != "linux", reason="workers are forked on Linux alone")
def test_an_image_that_comes_alone_is_given_up_when_its_time_is_over(tmp_path: Path) -> None:
    started = time.monotonic()
    answer = alone(tmp_path / "a.jpg", True, False, "hang")
    assert answer == "took longer than 0.5 s"
    assert time.monotonic() - started < 30


def test_a_worker_ends_when_its_parent_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    parents = iter([77, 77, 1])
    monkeypatch.setattr(os, "getppid", lambda: next(parents))
    monkeypatch.setattr(time, "sleep", lambda seconds: None)
    ends: list[int] = []
    monkeypatch.setattr(os, "_exit", ends.append)
    worker._end_with(77)
    assert ends == [1]
    assert next(parents, None) is None
