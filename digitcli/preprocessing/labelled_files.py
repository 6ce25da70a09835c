"""Class folders read into labelled canvases, by the same steps as ``classify`` reads."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from digitcli.datasets.labelled import LabelledFiles, LabelledImages, Split
from digitcli.datasets.load import load_split
from digitcli.errors import DataError
from digitcli.inputs.memory_budget import MemoryBudget
from digitcli.inputs.source import Source
from digitcli.parallel.cores import default_jobs
from digitcli.parallel.mapping import map_in_order
from digitcli.parallel.processes import Isolation
from digitcli.preprocessing.pipeline import ReadingOptions, Unreadable, try_reading


def load_images(path: Path, split: Split, isolation: Isolation | None = None) -> LabelledImages:
    """Load one split of a data set in any form; image files are read as ``classify`` reads them.

    Raises:
        DataError: it is no data set, or not one of its images could be read.

    """
    data = load_split(path, split)
    return read_files(data, isolation) if isinstance(data, LabelledFiles) else data


def read_files(files: LabelledFiles, isolation: Isolation | None = None) -> LabelledImages:
    """Read labelled image files; those that cannot be read are among the ``failures``.

    Raises:
        DataError: not one could be read.

    """
    batches = map_in_order(
        _read_canvases, [list(files.sources)], jobs=default_jobs(), isolation=isolation
    )
    canvases = [canvas for batch in batches for canvas in batch]
    images = [canvas for canvas in canvases if not isinstance(canvas, Unreadable)]
    if not images:
        raise DataError(f"{files.name}: not one picture in its class folders could be read")
    rows = [row for row, canvas in enumerate(canvases) if not isinstance(canvas, Unreadable)]
    failures = [
        (source.path, canvas.reason)
        for source, canvas in zip(files.sources, canvases, strict=True)
        if isinstance(canvas, Unreadable)
    ]
    return LabelledImages(
        np.stack(images),
        files.labels[rows],
        [files.sources[row].path for row in rows],
        failures,
    )


def _read_canvases(
    sources: list[Source], budget: MemoryBudget, begin: Callable[[], None]
) -> list[NDArray[np.uint8] | Unreadable]:
    canvases: list[NDArray[np.uint8] | Unreadable] = []
    for source in sources:
        begin()
        reading = try_reading(source, ReadingOptions(can_raise_limit=False), budget)
        canvases.append(reading if isinstance(reading, Unreadable) else reading.canvas)
    return canvases
