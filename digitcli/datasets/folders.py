"""Class folders: image files sorted into folders named 0 … 9."""

import os
from collections import Counter
from pathlib import Path

import numpy as np

from digitcli.datasets.labelled import DIGITS, LabelledFiles
from digitcli.inputs.discovery import find_sources
from digitcli.inputs.source import Source

_CLASSES = {str(digit): digit for digit in range(DIGITS)}
_MAX_NAMED = 5  # folders in a remark


def holds_class_folders(folder: Path) -> bool:
    """Return whether a folder holds at least one of the folders 0 … 9."""
    return any((folder / name).is_dir() for name in _CLASSES)


def list_class_folders(folder: Path) -> LabelledFiles:
    """List all images in and below the folders 0 … 9; remark on images that lie elsewhere."""
    sources: list[Source] = []
    labels: list[int] = []
    problems: list[tuple[str, str]] = []
    elsewhere: Counter[str] = Counter()  # images by the folder or the file below ``folder``
    root = os.path.join(folder, "")  # noqa: PTH118, pathlib is slow for 100,000 files
    for chunk in find_sources([os.fspath(folder)], recursive=True):
        for source in chunk:
            top = source.path.removeprefix(root).split(os.sep, 1)[0]
            if top not in _CLASSES:
                if source.problem is None:
                    elsewhere[top] += 1
            elif source.problem is not None:
                problems.append((source.path, source.problem))
            else:
                sources.append(source)
                labels.append(_CLASSES[top])
    remarks = _remark_on_empty(folder, set(labels)) + _remark_on_others(folder, elsewhere)
    return LabelledFiles(str(folder), sources, np.array(labels, np.int64), problems, remarks)


def _remark_on_empty(folder: Path, found: set[int]) -> list[str]:
    """Return a remark on the class folders that hold no images, if there are any."""
    missing = [name for name, label in _CLASSES.items() if label not in found]
    empty = [name for name in missing if (folder / name).is_dir()]
    return [f"{folder}: no images in {', '.join(empty)}"] if empty else []


def _remark_on_others(folder: Path, elsewhere: Counter[str]) -> list[str]:
    """Return a remark on the images in other folders or beside all of them, if there are any."""
    folders = [name for name in elsewhere if (folder / name).is_dir()]
    beside = len(elsewhere) - len(folders)
    named = [f"{name} ({elsewhere[name]:,})" for name in folders[:_MAX_NAMED]]
    if len(folders) > _MAX_NAMED:
        named.append(f"{len(folders) - _MAX_NAMED} more folders")
    if beside:
        named.append(f"{beside:,} beside the folders")
    if not named:
        return []
    return [
        f"{folder}: {elsewhere.total():,} images left out, as only the folders 0 to 9 are labels: "
        f"{', '.join(named)}"
    ]
