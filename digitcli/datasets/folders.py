"""Class folders: pictures sorted into folders named 0 … 9, read by the same steps as ``classify`` reads them."""

import os
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from digitcli.datasets.labelled import DIGITS, LabelledImages
from digitcli.errors import DataError
from digitcli.inputs.discovery import Source, find_sources, read_source
from digitcli.parallel import default_jobs, map_in_order
from digitcli.preprocessing.pipeline import or_reason, read_picture


def holds_class_folders(folder: Path) -> bool:
    """Tell whether a folder holds at least one of the folders 0 … 9."""
    return any((folder / str(digit)).is_dir() for digit in range(DIGITS))


def read_class_folders(folder: Path) -> LabelledImages:
    """Read all pictures in and below the folders 0 … 9; what else lies beside them is left alone.

    A picture that cannot be read is among the ``failures`` of what is returned.

    Raises:
        DataError: not one picture could be read.
    """
    sources: list[Source] = []
    labels: list[int] = []
    for digit in range(DIGITS):
        if (folder / str(digit)).is_dir():
            for run in find_sources([os.fspath(folder / str(digit))], recursive=True):
                sources += run
                labels += [digit] * len(run)
    images: list[NDArray[np.uint8]] = []
    kept: list[int] = []
    failures: list[tuple[str, str]] = []
    answers = (
        answer for batch in map_in_order(_read, [sources], jobs=default_jobs()) for answer in batch
    )
    for row, answer in enumerate(answers):
        if isinstance(answer, str):
            failures.append((sources[row].path, answer))
        else:
            images.append(answer)
            kept.append(row)
    if not images:
        raise DataError(f"{folder}: not one picture in its class folders could be read")
    return LabelledImages(
        np.stack(images),
        np.array([labels[row] for row in kept], np.int64),
        [sources[row].path for row in kept],
        failures,
    )


def _read(sources: list[Source]) -> list[NDArray[np.uint8] | str]:
    """Give the 28×28 canvas of each picture, or why there is none."""
    return [or_reason(_canvas, source) for source in sources]


def _canvas(source: Source) -> NDArray[np.uint8]:
    return read_picture(read_source(source)).canvas
