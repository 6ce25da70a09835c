"""Memory for large images, shared by the processes that decode them."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

_UNIT = 32_000_000  # bytes; smaller images count as nothing
UNITS = 16  # together what one image may take at most


class MemoryBudget:
    """The memory that all images being decoded may take: together no more than one alone may."""

    def __init__(self, exchange: Callable[[int], None] | None = None) -> None:
        """Take part in a budget.

        Args:
            exchange: asks for so many units and waits for them; 0 gives them back. Without it the
                process shares with no other, decodes one image at a time, and never waits.

        """
        self._exchange = exchange
        self._reserved = False

    @contextmanager
    def reserve(self, size: int) -> Iterator[None]:
        """Hold ``size`` bytes of the budget; wait where there is too little left.

        Not re-entrant: nested requests succeed at once, without more, to avoid deadlock.
        """
        units = min(size // _UNIT, UNITS)
        if self._exchange is None or self._reserved or units == 0:
            yield
            return
        self._exchange(units)
        self._reserved = True
        try:
            yield
        finally:
            self._reserved = False
            self._exchange(0)

    @contextmanager
    def reserve_for_file(self, size: int) -> Iterator[None]:
        """Hold all of the budget where a file of ``size`` bytes is large itself."""
        with self.reserve(_UNIT * UNITS if size >= _UNIT else 0):
            yield
