"""Class folders: image files sorted into folders named 0 … 9."""

import os
from pathlib import Path

import numpy as np

from digitcli.datasets.labelled import DIGITS, LabelledFiles
from digitcli.inputs.discovery import find_sources
from digitcli.inputs.source import Source


def holds_class_folders(folder: Path) -> bool:
    """Tell whether a folder holds at least one of the folders 0 … 9."""
    return any((folder / str(digit)).is_dir() for digit in range(DIGITS))


def list_class_folders(folder: Path) -> LabelledFiles:
    """List all images in and below the folders 0 … 9; what else lies beside them is left alone."""
    sources: list[Source] = []
    labels: list[int] = []
    for digit in range(DIGITS):
        if (folder / str(digit)).is_dir():
            for chunk in find_sources([os.fspath(folder / str(digit))], recursive=True):
                sources += chunk
                labels += [digit] * len(chunk)
    return LabelledFiles(str(folder), sources, np.array(labels, np.int64))
