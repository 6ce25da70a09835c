"""A pool of worker processes: batches go out, answers come back in order, whatever happens to one.

The standard library's pools need semaphores (/dev/shm), need a guard in the user's script where
processes are spawned, and break as a whole with one worker. None knows over which source a worker
crashed or hangs.
"""

import queue
import threading
import time
from collections import deque
from collections.abc import Generator, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from digitcli.inputs.memory_budget import UNITS, MemoryBudget
from digitcli.inputs.source import Source
from digitcli.parallel.processes import (
    Isolation,
    Task,
    Worker,
    can_start_python,
    start_program,
    stop_workers,
)
from digitcli.parallel.worker import (
    Failed,
    MemoryGrant,
    MemoryRequest,
    Ready,
    Work,
    receive,
    send,
)

_BATCHES_AHEAD = 4  # for each worker, while an earlier, slower batch is awaited
_TASKS_IN_FLIGHT = 2  # sent to a worker, so that it finds the next when it is done with one
_START_TIMEOUT = 60.0  # seconds for a worker to start
_CHECK_INTERVAL = 0.5  # seconds between two looks for workers that hang

ENDED = "the process that read it was ended, by a crash or for want of memory"


def do_in_this_process(work: Work, batch: list[Source]) -> list[Any]:
    """Do a batch in this process."""
    return work(batch, MemoryBudget(), lambda: None)


def answer_problem(work: Work, source: Source, problem: str) -> list[Any]:
    """Return the answer to a source that has a problem."""
    return do_in_this_process(work, [Source(source.path, problem=problem)])


def no_workers(reason: str) -> str:
    """Return the warning that there are no workers, and what follows."""
    return f"workers cannot be started ({reason}); pictures are read one after the other"


def too_slow(isolation: Isolation) -> str:
    """Return the error of an image that took too long, and what to do where anything can be."""
    error = f"took longer than {isolation.timeout:g} s"
    return f"{error}; --timeout allows more" if isolation.can_raise_timeout else error


_END = object()  # of all answers
_AWAITED = object()  # stands for an answer that is yet to come


@dataclass(frozen=True, slots=True)
class _BatchTaken:
    """A batch was taken from the caller's iterator."""

    number: int
    sources: list[Source]


@dataclass(frozen=True, slots=True)
class _BatchesEnded:
    """The caller's iterator came to its end."""

    count: int


@dataclass(frozen=True, slots=True)
class _BatchesFailed:
    """The caller's iterator raised an exception instead of yielding the batch of this number."""

    number: int
    error: BaseException


@dataclass(frozen=True, slots=True)
class _MessageReceived:
    """A worker sent a message."""

    worker: Worker
    message: Any


@dataclass(frozen=True, slots=True)
class _WorkerEnded:
    """A worker's pipe came to its end."""

    worker: Worker


@dataclass(frozen=True, slots=True)
class _Stop:
    """Nobody takes answers any more; this only wakes the dispatcher."""


_Event = _BatchTaken | _BatchesEnded | _BatchesFailed | _MessageReceived | _WorkerEnded | _Stop


class Pool:
    """Workers, and the threads that hand out batches and collect answers.

    The dispatcher's thread owns all state. Another thread takes batches from the caller's iterator,
    so that answers never wait for sources that are yet to come. One thread per worker reads its
    answers.
    """

    def __init__(self, work: Work, workers: list[Worker], isolation: Isolation) -> None:
        self._work = work
        self._workers = workers
        self._isolation = isolation
        self._events: queue.SimpleQueue[_Event] = queue.SimpleQueue()
        self._out: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._ahead = threading.Semaphore(max(1, len(workers)) * _BATCHES_AHEAD)
        self._stopped = False
        self._pending: deque[Task] = deque()
        self._answers: dict[int, list[Any]] = {}
        self._next = 0  # number of the batch whose answers are passed on next
        self._count: int | None = None  # of batches, once it is known
        self._free_units = UNITS
        self._waiting: deque[Worker] = deque()  # for memory, first come, first served
        self._last_words = b""  # of a worker that ended: the traceback of one that did not start
        self._last_check = 0.0
        self._dispatcher = threading.Thread(target=self._dispatch, daemon=True)

    def answers(self, batches: Iterator[list[Source]]) -> Generator[list[Any]]:
        """Yield the answers to all batches, in their order."""
        try:
            try:
                self._start(batches)
            except RuntimeError as error:  # no more threads
                self._stop()
                self._isolation.warn(no_workers(str(error)))
                for batch in batches:
                    yield do_in_this_process(self._work, batch)
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
            self._start_receiver(worker)
        self._dispatcher.start()
        threading.Thread(target=self._take_batches, args=(batches,), daemon=True).start()

    def _stop(self) -> None:
        self._stopped = True
        self._ahead.release()
        self._events.put(_Stop())
        if self._dispatcher.is_alive():
            self._dispatcher.join()
        else:
            stop_workers(self._workers, kill=True)

    def _start_receiver(self, worker: Worker) -> None:
        threading.Thread(target=self._receive_messages, args=(worker,), daemon=True).start()

    def _receive_messages(self, worker: Worker) -> None:
        try:
            if worker.work is not None:  # sent by this thread, as a program takes a while to start
                send(worker.requests, worker.work)
            while True:
                self._events.put(_MessageReceived(worker, receive(worker.answers)))
        except (EOFError, OSError, ValueError):
            self._events.put(_WorkerEnded(worker))
        except BaseException as error:  # an answer that cannot be unpickled
            self._events.put(_MessageReceived(worker, Failed(error)))

    def _take_batches(self, batches: Iterator[list[Source]]) -> None:
        number = 0
        try:
            for batch in batches:
                self._ahead.acquire()
                if self._stopped:
                    return
                self._events.put(_BatchTaken(number, batch))
                number += 1
            self._events.put(_BatchesEnded(count=number))
        except BaseException as error:  # raised where the answers are awaited
            self._events.put(_BatchesFailed(number, error))

    def _dispatch(self) -> None:
        failure: BaseException | None = None
        try:
            while not self._stopped and self._count != self._next:
                with suppress(queue.Empty):
                    self._handle(self._events.get(timeout=_CHECK_INTERVAL))
                self._check_for_hanging_workers()
                self._send_tasks()
        except BaseException as error:  # raised where the answers are awaited
            failure = error
        stop_workers(self._workers, kill=self._stopped or failure is not None)
        self._workers.clear()
        self._out.put(failure or _END)

    def _handle(self, event: _Event) -> None:
        match event:
            case _BatchTaken(number, sources):
                self._answers[number] = [_AWAITED] * len(sources)
                self._pending.append(Task(number, offset=0, sources=sources))
            case _BatchesEnded(count):
                self._count = count
            case _BatchesFailed(number, error):
                self._count = number + 1
                self._fail_batch(number, error)
            case _WorkerEnded(worker) if worker in self._workers:
                self._last_words = worker.read_progress() or self._last_words
                self._drop_worker(worker)
            case _MessageReceived(worker, message) if worker in self._workers:
                self._handle_message(worker, message)

    def _handle_message(self, worker: Worker, message: Any) -> None:
        worker.last_progress = time.monotonic()
        if isinstance(message, Failed):
            if not worker.tasks:
                raise message.error
            self._fail_batch(worker.tasks.popleft().number, message.error)
        elif isinstance(message, Ready):
            worker.ready = True
        elif isinstance(message, MemoryRequest):
            self._free_units += worker.units_held
            worker.units_held = 0
            worker.units_wanted = message.units
            if message.units:
                self._waiting.append(worker)
            self._grant_memory()
        else:
            worker.read_progress()
            task = worker.tasks.popleft()
            worker.done += len(task.sources)
            self._add_answers(task, message)

    def _grant_memory(self) -> None:
        """Grant the free memory to the workers that wait for it, first come, first served."""
        while self._waiting and self._waiting[0].units_wanted <= self._free_units:
            worker = self._waiting.popleft()
            worker.units_held = worker.units_wanted
            worker.units_wanted = 0
            self._free_units -= worker.units_held
            worker.last_progress = time.monotonic()
            with suppress(OSError):
                send(worker.requests, MemoryGrant())

    def _drop_worker(self, worker: Worker, slow: int | None = None) -> None:
        """Stop a worker that has ended or hangs, and have its tasks done by others.

        ``slow`` is the place, in its first task, of the source that it hangs over, where known.
        """
        self._workers.remove(worker)
        worker.stop(kill=True)
        self._free_units += worker.units_held
        if worker in self._waiting:
            self._waiting.remove(worker)
        self._grant_memory()
        tasks = list(worker.tasks)
        for task in reversed(tasks[1:]):
            self._retry_alone(task)
        if tasks:
            self._settle_interrupted(tasks[0], slow)
        if worker.ready:  # one that never started would not start the second time
            self._start_replacement()

    def _settle_interrupted(self, task: Task, slow: int | None) -> None:
        """Retry the task over which a worker was lost, or blame its only source."""
        if len(task.sources) > 1:
            self._retry_alone(task, slow)
        elif slow is not None:
            self._give_up(task, too_slow(self._isolation))
        elif task.attempts:
            self._give_up(task, ENDED)
        else:
            self._retry_alone(task)

    def _retry_alone(self, task: Task, slow: int | None = None) -> None:
        """Have each source of a task read alone, except the one that took too long."""
        for place in reversed(range(len(task.sources))):
            sources = [task.sources[place]]
            alone = Task(task.number, task.offset + place, sources, task.attempts + 1)
            if place == slow:
                self._give_up(alone, too_slow(self._isolation))
            else:
                self._pending.appendleft(alone)

    def _give_up(self, task: Task, problem: str) -> None:
        """Answer a task's only source with the problem."""
        self._add_answers(task, answer_problem(self._work, task.sources[0], problem))

    def _start_replacement(self) -> None:
        with suppress(OSError, RuntimeError):
            if can_start_python():
                worker = start_program(self._work)
                self._workers.append(worker)
                self._start_receiver(worker)

    def _check_for_hanging_workers(self) -> None:
        now = time.monotonic()
        if now < self._last_check + _CHECK_INTERVAL:
            return
        self._last_check = now
        for worker in list(self._workers):
            if not worker.ready and now - worker.last_progress > _START_TIMEOUT:
                self._drop_worker(worker)
            if not worker.tasks or worker.units_wanted:
                continue
            worker.read_progress()
            if now - worker.last_progress >= self._isolation.timeout:
                self._drop_worker(worker, self._slow_source(worker))

    def _slow_source(self, worker: Worker) -> int | None:
        """Return which source of its first task a worker hangs over; None where unknown."""
        if worker.progress < 0 and len(worker.tasks[0].sources) > 1:
            return None
        return max(0, worker.begun - worker.done - 1)

    def _send_tasks(self) -> None:
        if not self._workers and self._pending:
            self._do_without_workers()
        for worker in self._workers:
            while self._pending and self._can_send(worker, self._pending[0]):
                task = self._pending.popleft()
                if not worker.tasks:
                    worker.last_progress = time.monotonic()
                worker.tasks.append(task)
                with suppress(OSError):  # it has ended; its receiver will find that out
                    send(worker.requests, task.sources)

    def _can_send(self, worker: Worker, task: Task) -> bool:
        """Return whether a task can be sent without waiting until the worker reads it."""
        if not worker.ready:
            return False
        only_paths = all(source.content is None for source in task.sources)
        return not worker.tasks or (only_paths and len(worker.tasks) < _TASKS_IN_FLIGHT)

    def _do_without_workers(self) -> None:
        lines = self._last_words.decode(errors="replace").strip(". \n").splitlines()
        self._isolation.warn(no_workers(lines[-1] if lines else "they ended at once"))
        self._isolation = replace(self._isolation, warn=lambda text: None)  # once is enough
        while self._pending:
            task = self._pending.popleft()
            if task.attempts:  # what ended a worker would end this process
                self._give_up(task, ENDED)
            else:
                self._add_answers(task, do_in_this_process(self._work, task.sources))

    def _add_answers(self, task: Task, answers: list[Any]) -> None:
        if task.number not in self._answers:  # the batch failed, and its error was passed on
            return
        self._answers[task.number][task.offset : task.offset + len(answers)] = answers
        self._pass_on_answers()

    def _fail_batch(self, number: int, error: BaseException) -> None:
        """Have an error raised in the place of a batch's answers, after those of earlier ones."""
        self._answers[number] = [error]
        self._pass_on_answers()

    def _pass_on_answers(self) -> None:
        """Pass on the answers that are next in order, as far as they are complete."""
        while self._next in self._answers:
            answers = self._answers[self._next]
            if any(answer is _AWAITED for answer in answers):
                return
            del self._answers[self._next]
            self._next += 1
            failed = isinstance(answers[0], BaseException)
            self._out.put(answers[0] if failed else answers)
