"""Processes that decode large images wait for each other, never for ever."""

import threading

from digitcli.inputs.memory_budget import UNITS, MemoryBudget


def test_what_is_held_is_asked_for_and_given_back() -> None:
    asked: list[int] = []
    budget = MemoryBudget(asked.append)
    with budget.reserve(100_000_000):
        assert asked == [3]
    assert asked == [3, 0]


def test_small_images_ask_nobody_and_none_asks_for_more_than_there_is() -> None:
    asked: list[int] = []
    budget = MemoryBudget(asked.append)
    with budget.reserve(31_000_000):
        pass
    with budget.reserve_for_file(31_000_000):
        pass
    assert asked == []
    with budget.reserve(10**12):
        assert asked == [UNITS]


def test_a_large_file_holds_all_and_decoding_it_asks_for_no_more() -> None:
    asked: list[int] = []
    budget = MemoryBudget(asked.append)
    with budget.reserve_for_file(200_000_000), budget.reserve(500_000_000):
        assert asked == [UNITS]
    assert asked == [UNITS, 0]


def test_a_process_that_shares_with_nobody_never_waits() -> None:
    budget = MemoryBudget()
    inside = threading.Barrier(2, timeout=10)

    def read() -> None:
        with budget.reserve(10**12):
            inside.wait()

    threads = [threading.Thread(target=read) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not inside.broken
