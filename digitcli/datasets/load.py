"""One way to any labelled data, whatever form it lies in."""

from pathlib import Path

from digitcli.datasets.folders import holds_class_folders, read_class_folders
from digitcli.datasets.idx import holds_idx, read_idx
from digitcli.datasets.labelled import LabelledImages
from digitcli.datasets.npz import read_npz
from digitcli.datasets.part import Part
from digitcli.errors import DataError


def load(path: Path, part: Part) -> LabelledImages:
    """Read one part of a data set: an .npz in Keras' layout, a folder of IDX files, or class folders ``0`` … ``9``.

    Class folders have no parts: all their pictures are given for either.

    Raises:
        DataError: it is none of these, or cannot be used as what it is.

    """
    if path.is_file():
        return read_npz(path, part)
    if not path.is_dir():
        raise DataError(f"no data at {path}")
    if holds_idx(path):
        return read_idx(path, part)
    if holds_class_folders(path):
        return read_class_folders(path)
    raise DataError(f"{path} holds no labels: neither IDX files nor class folders 0 to 9")
