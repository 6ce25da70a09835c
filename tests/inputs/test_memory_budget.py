"""Processes that decode large images wait for each other, never for ever."""

import multiprocessing
import threading

from digitcli.inputs.memory_budget import MemoryBudget


def test_large_pictures_wait_for_each_other_and_small_ones_for_none():
    budget = MemoryBudget(multiprocessing.get_context("fork"))
    inside, order = threading.Event(), []

    def other():
        budget._reserved = False  # as it is in another process
        with budget.reserve(300_000_000):
            order.append("second")
            inside.set()

    with budget.reserve(300_000_000):
        thread = threading.Thread(target=other)
        thread.start()
        assert not inside.wait(0.2)
        order.append("first")
    thread.join(10)
    assert order == ["first", "second"]
    with budget.reserve(10**12):
        pass
    with budget.reserve(1_000_000), budget.reserve(10**12):
        pass


def test_whoever_reads_a_large_file_has_all_of_it_and_decodes_within_it():
    budget, entered = (
        MemoryBudget(multiprocessing.get_context("fork")),
        multiprocessing.get_context("fork").Event(),
    )

    def other():
        with budget.reserve(32_000_000):
            entered.set()

    with budget.reserve_for_file(200_000_000), budget.reserve(500_000_000):
        process = multiprocessing.get_context("fork").Process(
            target=lambda: (setattr(budget, "_reserved", False), other())
        )
        process.start()
        assert not entered.wait(0.3)
    assert entered.wait(10)
    process.join()
