"""A worker process: it reads batches of sources from a pipe and writes the answers to another.

`parallel` starts it, by forking or as a program of its own (`main`), and says what both ends send:

| to the worker                 | from the worker                                       |
|-------------------------------|-------------------------------------------------------|
| the work, where it is started | `Ready`, once, when it can begin                      |
| lists of sources              | lists of answers, one for each list of sources        |
| `Granted`                     | `Wanted`, memory for a large image, 0 to give it back |

A third pipe gets a byte for each source that is begun. Nobody waits for these: they only tell, when
a worker has crashed or hangs, over which source it did.
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
_PARENT_CHECKED = 1.0  # seconds
_PR_SET_PDEATHSIG = 1  # linux/prctl.h
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3  # malloc.h


@dataclass(frozen=True, slots=True)
class Ready:
    """The worker has started and knows its work."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Units of the memory budget that the worker waits for; 0 gives back what it holds."""

    units: int


@dataclass(frozen=True, slots=True)
class Granted:
    """The worker may take what it wanted."""


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
    left = memoryview(_LENGTH.pack(len(content)) + content)
    while left:
        left = left[stream.write(left) :]


def receive(stream: IO[bytes]) -> Any:
    """Read a message from an unbuffered stream: no more than that, so that a poll sees the next.

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
    """Answer until there are no more requests."""
    early: deque[object] = deque()  # batches that came while memory was waited for

    def exchange(units: int) -> None:
        send(answers, Wanted(units))
        while units and not isinstance(message := receive(requests), Granted):
            early.append(message)

    def begin() -> None:
        with suppress(OSError):  # full, as nobody has looked for a while
            os.write(begun, b".")

    budget = MemoryBudget(exchange)
    send(answers, Ready())
    while True:
        try:
            batch = early.popleft() if early else receive(requests)
        except EOFError:
            return
        try:
            answer: object = work(batch, budget, begin)  # type: ignore[arg-type]
        except BaseException as error:  # it belongs to whoever waits for the answer
            answer = Failed(error)
        try:
            send(answers, answer)
        except (pickle.PicklingError, AttributeError, TypeError):
            send(answers, Failed(RuntimeError(f"{type(answer).__name__} cannot be sent")))


def settle() -> None:
    """Make this process a worker: silent, deaf to Ctrl-C, and gone with its parent."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nowhere, descriptor)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    _give_back_memory()
    parent = os.getppid()
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    else:
        threading.Thread(target=_end_with, args=(parent,), daemon=True).start()


def _end_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_PARENT_CHECKED)
    os._exit(1)


def _give_back_memory() -> None:
    """Let glibc return the memory of each large image; else it keeps up to 100 MB for the next."""
    with suppress(AttributeError, OSError, TypeError):  # not glibc
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(_M_MMAP_THRESHOLD, 8 << 20)
        mallopt(_M_TRIM_THRESHOLD, 16 << 20)


def main() -> None:
    """Be a worker that was started as a program.

    It is spoken to over descriptors 0 and 1; 2 gets a byte for each source that is begun.
    """
    requests, answers = os.fdopen(os.dup(0), "rb", 0), os.fdopen(os.dup(1), "wb", 0)
    begun = os.dup(2)
    with suppress(OSError, AttributeError):  # Windows learnt it with Python 3.12
        os.set_blocking(begun, False)
    settle()
    settle_libraries()
    work = receive(requests)
    serve(work, requests, answers, begun)
