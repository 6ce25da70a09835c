"""A worker process: it reads batches of sources from a pipe and writes the answers to another.

`processes` starts it, by forking or as a program of its own (`main`). The two ends send:

| to the worker                   | from the worker                                    |
|---------------------------------|----------------------------------------------------|
| the work, if it is a program    | `Ready`, once, when it can begin                   |
| lists of sources                | lists of answers, one for each list of sources     |
| `MemoryGrant`                   | `MemoryRequest`, before and after a large image    |

A third pipe gets a byte for each source that is begun. Nobody waits for these bytes: they show over
which source a worker has crashed or hangs.
"""

import ctypes
import os
import pickle
import signal
import struct
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import IO, Any

from digitcli.inputs.memory_budget import MemoryBudget
from digitcli.inputs.source import Source
from digitcli.process import settle_libraries

Work = Callable[[list[Source], MemoryBudget, Callable[[], None]], list[Any]]

_LENGTH = struct.Struct("<Q")
_PARENT_CHECK_INTERVAL = 1.0  # seconds
_PR_SET_PDEATHSIG = 1  # linux/prctl.h
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3  # malloc.h


@dataclass(frozen=True, slots=True)
class Ready:
    """The worker has started and has its work."""


@dataclass(frozen=True, slots=True)
class MemoryRequest:
    """Units of the memory budget that the worker waits for; 0 returns those that it holds."""

    units: int


@dataclass(frozen=True, slots=True)
class MemoryGrant:
    """The worker may use the units that it requested."""


@dataclass(frozen=True, slots=True)
class Failed:
    """The work raised an exception."""

    error: BaseException


def send(stream: IO[bytes], message: object) -> None:
    """Write a message to an unbuffered stream.

    Raises:
        OSError: nobody reads it.

    """
    content = pickle.dumps(message)
    unsent = memoryview(_LENGTH.pack(len(content)) + content)
    while unsent:
        written = stream.write(unsent)
        unsent = unsent[written:]


def receive(stream: IO[bytes]) -> Any:
    """Read one message from an unbuffered stream, and no further, so that a poll sees the next.

    Raises:
        EOFError: there will be no more.

    """
    (length,) = _LENGTH.unpack(_read(stream, _LENGTH.size))
    return pickle.loads(_read(stream, length))  # noqa: S301 - from a process of ours


def _read(stream: IO[bytes], size: int) -> bytes:
    content = bytearray()
    while len(content) < size:
        piece = stream.read(size - len(content))
        if not piece:
            raise EOFError
        content += piece
    return bytes(content)


def serve(work: Work, requests: IO[bytes], answers: IO[bytes], begun: int) -> None:
    """Answer batches until there are no more requests."""
    early: deque[object] = deque()  # batches that arrived during the wait for memory

    def request_memory(units: int) -> None:
        send(answers, MemoryRequest(units))
        if units == 0:
            return
        while not isinstance(message := receive(requests), MemoryGrant):
            early.append(message)

    def begin() -> None:
        with suppress(OSError):  # the pipe is full, as nobody has read it for a while
            os.write(begun, b".")

    budget = MemoryBudget(request_memory)
    send(answers, Ready())
    while True:
        try:
            batch = early.popleft() if early else receive(requests)
        except EOFError:
            return
        try:
            answer: object = work(batch, budget, begin)  # type: ignore[arg-type]
        except BaseException as error:  # raised where the answer is awaited
            answer = Failed(error)
        try:
            send(answers, answer)
        except (pickle.PicklingError, AttributeError, TypeError):
            send(answers, Failed(RuntimeError(f"{type(answer).__name__} cannot be sent")))


def settle_process() -> None:
    """Make this process a worker: silent, deaf to Ctrl-C, and ended with its parent."""
    null = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(null, descriptor)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    _return_freed_memory()
    parent = os.getppid()
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    else:
        threading.Thread(target=_end_with, args=(parent,), daemon=True).start()


def _end_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_PARENT_CHECK_INTERVAL)
    os._exit(1)


def _return_freed_memory() -> None:
    """Let glibc return the memory of each large image; by default it keeps up to 100 MB."""
    with suppress(AttributeError, OSError, TypeError):  # not glibc
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(_M_MMAP_THRESHOLD, 8 << 20)
        mallopt(_M_TRIM_THRESHOLD, 16 << 20)


def main() -> None:
    """Run a worker that was started as a program.

    It reads requests from descriptor 0, writes answers to 1, and to 2 a byte for each source begun.
    """
    requests = os.fdopen(os.dup(0), "rb", buffering=0)
    answers = os.fdopen(os.dup(1), "wb", buffering=0)
    begun = os.dup(2)
    with suppress(OSError, AttributeError):  # on Windows it takes Python 3.12
        os.set_blocking(begun, False)
    settle_process()
    settle_libraries()
    work = receive(requests)
    serve(work, requests, answers, begun)
