"""A pool of worker processes: batches go out, answers come in, in order, whatever happens to one.

It is none of the standard library's: these need semaphores (/dev/shm) and a guard in the user's
script where processes are spawned, and go down as a whole with one worker; none knows which source
a worker crashed or hangs over.
"""

import queue
import threading
import time
from collections import deque
from collections.abc import Generator, Iterator
from contextlib import suppress
from dataclasses import replace
from typing import Any

from digitcli.inputs.memory_budget import UNITS, MemoryBudget
from digitcli.inputs.source import Source
from digitcli.parallel.processes import (
    Isolation,
    Task,
    Worker,
    can_start_python,
    dismiss,
    start_program,
)
from digitcli.parallel.worker import Failed, Granted, Ready, Wanted, Work, receive, send

_AHEAD = 4  # batches for each worker, while an earlier, slower one is awaited
_IN_FLIGHT = 2  # batches sent to a worker, so that it finds the next when it is done with one
_START_TIMEOUT = 60.0  # seconds for a worker to start
_TICK = 0.5  # seconds between two looks at how the workers get on

ENDED = "the process that read it was ended, by a crash or for want of memory"


def do_in_this_process(work: Work, batch: list[Source]) -> list[Any]:
    """Do a batch in this process."""
    return work(batch, MemoryBudget(), lambda: None)


def answer_problem(work: Work, source: Source, problem: str) -> list[Any]:
    """Return the answer to a source that has a problem."""
    return do_in_this_process(work, [Source(source.path, problem=problem)])


def no_workers(reason: str) -> str:
    """Say that there are no workers, and what follows."""
    return f"workers cannot be started ({reason}); pictures are read one after the other"


def too_slow(timeout: float) -> str:
    """Say that an image took too long, and what to do."""
    return f"took longer than {timeout:g} s; --timeout allows more"


_END = object()
_AWAITED = object()  # stands for an answer that is yet to come


class Pool:
    """Workers, the thread that gives them batches, and those that take batches and answers in.

    The dispatcher's thread owns all state. One thread takes batches from the caller's iterator, so
    that answers never wait for sources that are yet to come; one a worker reads its answers.
    """

    def __init__(self, work: Work, workers: list[Worker], isolation: Isolation) -> None:
        self._work = work
        self._workers = workers
        self._isolation = isolation
        self._events: queue.SimpleQueue[tuple[Any, Any]] = queue.SimpleQueue()
        self._out: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._ahead = threading.Semaphore(max(1, len(workers)) * _AHEAD)
        self._stopped = False
        self._pending: deque[Task] = deque()
        self._answers: dict[int, list[Any]] = {}
        self._next = 0
        self._count: int | None = None  # of batches, once it is known
        self._units = UNITS
        self._waiting: deque[Worker] = deque()
        self._last_words = b""
        self._looked = 0.0
        self._dispatcher = threading.Thread(target=self._dispatch, daemon=True)

    def answers(self, batches: Iterator[list[Source]]) -> Generator[list[Any]]:
        """Yield the answers to all batches, in their order."""
        try:
            try:
                self._start(batches)
            except RuntimeError as error:  # no more threads
                self._stop()
                self._isolation.say(no_workers(str(error)))
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
            self._listen(worker)
        self._dispatcher.start()
        threading.Thread(target=self._take_in, args=(batches,), daemon=True).start()

    def _stop(self) -> None:
        self._stopped = True
        self._ahead.release()
        self._events.put((None, _END))
        if self._dispatcher.is_alive():
            self._dispatcher.join()
        else:
            dismiss(self._workers, now=True)

    def _listen(self, worker: Worker) -> None:
        threading.Thread(target=self._hear, args=(worker,), daemon=True).start()

    def _hear(self, worker: Worker) -> None:
        try:
            if worker.work is not None:  # here, as a program takes a while until it reads that
                send(worker.requests, worker.work)
            while True:
                self._events.put((worker, receive(worker.answers)))
        except (EOFError, OSError, ValueError):
            self._events.put((worker, None))
        except BaseException as error:  # an answer that cannot be unpickled
            self._events.put((worker, Failed(error)))

    def _take_in(self, batches: Iterator[list[Source]]) -> None:
        number = 0
        try:
            for batch in batches:
                self._ahead.acquire()
                if self._stopped:
                    return
                self._events.put((number, batch))
                number += 1
            self._events.put((number, _END))
        except BaseException as error:  # it belongs to whoever waits for the answers
            self._events.put((number, error))

    def _dispatch(self) -> None:
        failure: BaseException | None = None
        try:
            while not self._stopped and self._count != self._next:
                with suppress(queue.Empty):
                    self._handle(*self._events.get(timeout=_TICK))
                self._end_those_that_hang()
                self._assign()
        except BaseException as error:  # it belongs to whoever waits for the answers
            failure = error
        dismiss(self._workers, now=self._stopped or failure is not None)
        self._workers.clear()
        self._out.put(failure or _END)

    def _handle(self, sender: Any, message: Any) -> None:
        if isinstance(sender, int):
            if message is _END:
                self._count = sender
            elif isinstance(message, BaseException):
                self._count = sender + 1  # after the answers to what came before
                self._answers[sender] = [message]
                self._emit()
            else:
                self._answers[sender] = [_AWAITED] * len(message)
                self._pending.append(Task(sender, 0, message))
        elif sender is not None and sender in self._workers:
            self._hear_from(sender, message)

    def _hear_from(self, worker: Worker, message: Any) -> None:
        worker.since = time.monotonic()
        if message is None:
            self._last_words = worker.look() or self._last_words
            self._lose(worker)
        elif isinstance(message, Failed):
            if not worker.tasks:
                raise message.error
            # it is raised when its turn comes, after the answers to what came before
            self._answers[worker.tasks.popleft().number] = [message.error]
            self._emit()
        elif isinstance(message, Ready):
            worker.ready = True
        elif isinstance(message, Wanted):
            self._units += worker.units
            worker.units, worker.wanted = 0, message.units
            if message.units:
                self._waiting.append(worker)
            self._grant()
        else:
            worker.look()
            task = worker.tasks.popleft()
            worker.done += len(task.sources)
            self._fill(task, message)

    def _grant(self) -> None:
        """Give the memory that is left to those that wait for it, first come, first served."""
        while self._waiting and self._waiting[0].wanted <= self._units:
            worker = self._waiting.popleft()
            worker.units, worker.wanted = worker.wanted, 0
            self._units -= worker.units
            worker.since = time.monotonic()
            with suppress(OSError):
                send(worker.requests, Granted())

    def _lose(self, worker: Worker, slow: int | None = None) -> None:
        """Go on without a worker that has ended or was ended, over the source ``slow`` perhaps."""
        self._workers.remove(worker)
        worker.end(now=True)
        self._units += worker.units
        if worker in self._waiting:
            self._waiting.remove(worker)
        self._grant()
        for task in reversed(worker.tasks):
            is_first = task is worker.tasks[0]
            if not is_first or len(task.sources) > 1 or (slow is None and not task.attempts):
                self._redo(task, slow if is_first else None)
            else:
                reason = ENDED if slow is None else too_slow(self._isolation.timeout)
                self._fill(task, answer_problem(self._work, task.sources[0], reason))
        if worker.ready:  # one that never was would not be the second time
            self._replace()

    def _redo(self, task: Task, slow: int | None) -> None:
        """Have each source of a task read alone, but the one that took too long."""
        for at in reversed(range(len(task.sources))):
            source = task.sources[at]
            alone = Task(task.number, task.offset + at, [source], task.attempts + 1)
            if at == slow:
                reason = too_slow(self._isolation.timeout)
                self._fill(alone, answer_problem(self._work, source, reason))
            else:
                self._pending.appendleft(alone)

    def _replace(self) -> None:
        with suppress(OSError, RuntimeError):
            if can_start_python():
                worker = start_program(self._work)
                self._workers.append(worker)
                self._listen(worker)

    def _end_those_that_hang(self) -> None:
        now = time.monotonic()
        if now < self._looked + _TICK:
            return
        self._looked = now
        for worker in list(self._workers):
            if not worker.ready and now - worker.since > _START_TIMEOUT:
                self._lose(worker)
            if not worker.tasks or worker.wanted:
                continue
            worker.look()
            if now - worker.since >= self._isolation.timeout:
                self._lose(worker, self._slow_source(worker))

    def _slow_source(self, worker: Worker) -> int | None:
        """Tell which source of its first task a worker hangs over; None where that is not known."""
        if worker.progress < 0 and len(worker.tasks[0].sources) > 1:
            return None
        return max(0, worker.begun - worker.done - 1)

    def _assign(self) -> None:
        if not self._workers and self._pending:
            self._do_without_workers()
        for worker in self._workers:
            while self._pending and self._has_room(worker, self._pending[0]):
                task = self._pending.popleft()
                if not worker.tasks:
                    worker.since = time.monotonic()
                worker.tasks.append(task)
                with suppress(OSError):  # it has ended; its answers' end says so
                    send(worker.requests, task.sources)

    def _has_room(self, worker: Worker, task: Task) -> bool:
        """Tell whether a worker can be sent a task without waiting for it to be read."""
        if not worker.ready:
            return False
        small = all(source.content is None for source in task.sources)
        return not worker.tasks or (small and len(worker.tasks) < _IN_FLIGHT)

    def _do_without_workers(self) -> None:
        words = self._last_words.decode(errors="replace").strip(". \n").splitlines()
        self._isolation.say(no_workers(words[-1] if words else "they ended at once"))
        self._isolation = replace(self._isolation, say=lambda text: None)
        while self._pending:
            task = self._pending.popleft()
            if task.attempts:  # what ended a worker would end this process
                self._fill(task, answer_problem(self._work, task.sources[0], ENDED))
            else:
                self._fill(task, do_in_this_process(self._work, task.sources))

    def _fill(self, task: Task, answers: list[Any]) -> None:
        if task.number not in self._answers:  # its error has been passed on
            return
        self._answers[task.number][task.offset : task.offset + len(answers)] = answers
        self._emit()

    def _emit(self) -> None:
        """Pass on the answers that are next."""
        while self._next in self._answers:
            answers = self._answers[self._next]
            if any(answer is _AWAITED for answer in answers):
                return
            del self._answers[self._next]
            self._next += 1
            failed = isinstance(answers[0], BaseException)
            self._out.put(answers[0] if failed else answers)
