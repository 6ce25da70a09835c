"""Small copies of images, for pages that show them."""

import functools
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from digitcli.errors import ImageError
from digitcli.inputs.decoding import decode, fit_within
from digitcli.inputs.memory_budget import MemoryBudget
from digitcli.inputs.source import Source, read_source, size_of
from digitcli.parallel.cores import default_jobs
from digitcli.parallel.mapping import map_in_order
from digitcli.parallel.processes import Isolation


def read_thumbnails(
    sources: list[Source], side: int, *, max_pixels: int, isolation: Isolation
) -> list[NDArray[np.uint8] | None]:
    """Read images, upright and at most ``side`` pixels wide and high, in the order of the sources.

    Each is uint8 of shape (height, width) or (height, width, 3); None where it cannot be read or
    has more than ``max_pixels``.
    """
    work = functools.partial(_read_batch, side=side, max_pixels=max_pixels)
    batches = map_in_order(work, [sources], jobs=default_jobs(), isolation=isolation)
    return [thumbnail for batch in batches for thumbnail in batch]


def _read_batch(
    sources: list[Source],
    budget: MemoryBudget,
    begin: Callable[[], None],
    *,
    side: int,
    max_pixels: int,
) -> list[NDArray[np.uint8] | None]:
    thumbnails = []
    for source in sources:
        begin()
        thumbnails.append(_read(source, budget, side, max_pixels))
    return thumbnails


def _read(
    source: Source, budget: MemoryBudget, side: int, max_pixels: int
) -> NDArray[np.uint8] | None:
    try:
        with budget.reserve_for_file(size_of(source)):
            image = decode(read_source(source), max_pixels=max_pixels, budget=budget)
        return fit_within(image, side)
    except ImageError:
        return None
