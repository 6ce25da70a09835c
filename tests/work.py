"""What workers are given to do in tests; they import it by this name."""

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

from digitcli.inputs.memory_budget import MemoryBudget
from digitcli.inputs.source import Source


def sources(count: int) -> list[Source]:
    return [Source(str(number), content=b"") for number in range(count)]


def numbers(batch: list[Source], budget: MemoryBudget, begin: Callable[[], None]) -> list[int]:
    return [int(source.path) for source in batch]


def numbers_the_first_last(
    batch: list[Source], budget: MemoryBudget, begin: Callable[[], None]
) -> list[int]:
    """Be slow with the first batch that a worker gets, so that later ones are ready before it."""
    if batch[0].path == "0":
        time.sleep(0.3)
    return numbers(batch, budget, begin)


def nothing(batch: list[Source], budget: MemoryBudget, begin: Callable[[], None]) -> list[None]:
    return [None for _ in batch]


def processes(batch: list[Source], budget: MemoryBudget, begin: Callable[[], None]) -> list[int]:
    return [os.getpid() for _ in batch]


def wait_for_two_workers(
    place: Path, batch: list[Source], budget: MemoryBudget, begin: Callable[[], None]
) -> list[int]:
    """Return the numbers of the workers that have come to ``place``, once there are two."""
    (place / str(os.getpid())).touch()
    deadline = time.monotonic() + 30
    while len(list(place.iterdir())) < 2 and time.monotonic() < deadline:
        time.sleep(0.01)
    return [len(list(place.iterdir()))] * len(batch)


def end_at_200(batch: list[Source], budget: MemoryBudget, begin: Callable[[], None]) -> list[str]:
    for source in batch:
        if source.path == "200" and source.problem is None:
            os.kill(os.getpid(), signal.SIGKILL)
    return [source.problem or source.path for source in batch]


def fail(batch: list[Source], budget: MemoryBudget, begin: Callable[[], None]) -> list[int]:
    raise RuntimeError(f"cannot do {batch[0].path}")


def hang_at_70(batch: list[Source], budget: MemoryBudget, begin: Callable[[], None]) -> list[str]:
    for source in batch:
        begin()
        if source.path == "70" and source.problem is None:
            time.sleep(600)
    return [source.problem or source.path for source in batch]


def hold_memory(batch: list[Source], budget: MemoryBudget, begin: Callable[[], None]) -> list[str]:
    """Return when all of the memory was held, from when to when."""
    times = []
    for number, _ in enumerate(batch):
        begin()
        with budget.reserve(10**12):
            start = time.monotonic()
            time.sleep(0.05 if number < 3 else 0.001)
            times.append(f"{start} {time.monotonic()}")
    return times
