"""One way to any labelled data, whatever form it lies in."""

from pathlib import Path

from digitcli.datasets.folders import holds_class_folders, list_class_folders
from digitcli.datasets.idx import holds_idx, read_idx
from digitcli.datasets.labelled import LabelledFiles, LabelledImages, Split
from digitcli.datasets.npz import read_npz
from digitcli.errors import DataError


def load_split(path: Path, split: Split) -> LabelledImages | LabelledFiles:
    """Load a split of a data set.

    It is an .npz in Keras' layout, a folder of IDX files, or class folders ``0`` … ``9``. These
    have no splits: all their files are returned for either.

    Raises:
        DataError: it is none of these, or cannot be used as what it is.

    """
    if path.is_file():
        return read_npz(path, split)
    if not path.is_dir():
        raise DataError(f"no data at {path}")
    if holds_idx(path):
        return read_idx(path, split)
    if holds_class_folders(path):
        return list_class_folders(path)
    raise DataError(f"{path} holds no labels: neither IDX files nor class folders 0 to 9")
