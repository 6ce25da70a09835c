"""Labelled image files read into canvases, by the same steps as ``classify`` reads."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from digitcli.architectures import CANVAS_SIDE
from digitcli.datasets.labelled import LabelledFiles, LabelledImages
from digitcli.inputs.memory_budget import MemoryBudget
from digitcli.inputs.source import Source
from digitcli.parallel.cores import default_jobs
from digitcli.parallel.mapping import map_in_order
from digitcli.parallel.processes import Isolation
from digitcli.preprocessing.pipeline import Reading, ReadingOptions, Unreadable, try_reading


@dataclass(frozen=True, slots=True)
class FilesRead:
    """What was read of labelled files.

    Attributes:
        images: of the files in which there was something to read.
        digests: the SHA-256 of each of these files in hexadecimal, in the images' order.
        failures: the path and a one-line reason for each of the others.

    """

    images: LabelledImages
    digests: list[str]
    failures: list[tuple[str, str]]


def read_files(files: LabelledFiles, isolation: Isolation | None = None) -> FilesRead:
    """Read labelled image files as ``classify`` reads them."""
    batches = map_in_order(
        _read_batch, [list(files.sources)], jobs=default_jobs(), isolation=isolation
    )
    readings = [reading for batch in batches for reading in batch]
    rows = [row for row, reading in enumerate(readings) if isinstance(reading, _Canvas)]
    read = [readings[row] for row in rows]
    canvases = [canvas.pixels for canvas in read]
    images = np.array(canvases, np.uint8).reshape(-1, CANVAS_SIDE, CANVAS_SIDE)
    failures = [
        (source.path, reading.reason)
        for source, reading in zip(files.sources, readings, strict=True)
        if isinstance(reading, Unreadable)
    ]
    return FilesRead(
        LabelledImages(images, files.labels[rows]),
        [canvas.digest for canvas in read],
        [*files.problems, *failures],
    )


@dataclass(frozen=True, slots=True)
class _Canvas:
    pixels: NDArray[np.uint8]
    digest: str


def _read_batch(
    sources: list[Source], budget: MemoryBudget, begin: Callable[[], None]
) -> list[_Canvas | Unreadable]:
    options = ReadingOptions(can_raise_limit=False, with_digest=True)
    canvases: list[_Canvas | Unreadable] = []
    for source in sources:
        begin()
        canvases.append(_to_canvas(try_reading(source, options, budget)))
    return canvases


def _to_canvas(reading: Reading | Unreadable) -> _Canvas | Unreadable:
    if isinstance(reading, Unreadable):
        return reading
    if reading.missing is not None:
        return Unreadable(reading.missing.value)
    return _Canvas(reading.canvas, reading.digest or "")
