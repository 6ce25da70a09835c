"""Memory for large images, shared by the processes that decode them."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

_UNIT = 32_000_000  # bytes; images that take less are not counted
UNITS = 16  # together as much as one image may take


class MemoryBudget:
    """The memory for decoding: all images together may take as much as a single one may."""

    def __init__(self, exchange: Callable[[int], None] | None = None) -> None:
        """Share a budget with other processes, or have one alone.

        Args:
            exchange: requests a number of units and waits until they are granted; 0 returns them.
                Without it the process decodes one image at a time, and never waits.

        """
        self._exchange = exchange
        self._reserved = False

    def reserve(self, size: int) -> AbstractContextManager[None]:
        """Hold ``size`` bytes of the budget; wait until they are free.

        Not re-entrant: a nested request succeeds without acquiring more, to avoid deadlock.
        """
        units = min(size // _UNIT, UNITS)
        if self._exchange is None or self._reserved or units == 0:
            return nullcontext()
        return self._hold(self._exchange, units)

    def reserve_for_file(self, size: int) -> AbstractContextManager[None]:
        """Hold all of the budget where a file of ``size`` bytes is large."""
        return self.reserve(_UNIT * UNITS if size >= _UNIT else 0)

    @contextmanager
    def _hold(self, exchange: Callable[[int], None], units: int) -> Iterator[None]:
        exchange(units)
        self._reserved = True
        try:
            yield
        finally:
            self._reserved = False
            exchange(0)
