"""Memory for large images, shared by the processes that decode them."""

from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.context import BaseContext

_UNIT = 32_000_000  # bytes; smaller images count as nothing
_UNITS = 16  # together what one image may take at most


class MemoryBudget:
    """The memory that all images being decoded may take: together no more than one alone may."""

    def __init__(self, context: BaseContext | None = None) -> None:
        """Make a budget for the processes that ``context`` starts; without one it is never short.

        A process that shares it with no other decodes one image at a time.
        """
        # One process at a time collects its units: two that each held half would wait for ever.
        self._entrance = context.Lock() if context else None
        self._units = context.Semaphore(_UNITS) if context else None
        self._reserved = False  # in this process

    @contextmanager
    def reserve(self, size: int) -> Iterator[None]:
        """Hold ``size`` bytes of the budget; wait where there is too little left.

        Not re-entrant: nested requests succeed at once, without more, to avoid deadlock.
        """
        count = min(size // _UNIT, _UNITS)
        if self._entrance is None or self._units is None or self._reserved or count == 0:
            yield
            return
        with self._entrance:
            for _ in range(count):
                self._units.acquire()
        self._reserved = True
        try:
            yield
        finally:
            self._reserved = False
            for _ in range(count):
                self._units.release()

    @contextmanager
    def reserve_for_file(self, size: int) -> Iterator[None]:
        """Hold all of the budget where a file of ``size`` bytes is large itself."""
        with self.reserve(_UNIT * _UNITS if size >= _UNIT else 0):
            yield
