"""Loading labelled data of any supported form."""

import zipfile
from pathlib import Path

from digitcli.datasets.folders import holds_class_folders, list_class_folders
from digitcli.datasets.idx import holds_idx, read_idx
from digitcli.datasets.label_files import read_label_file
from digitcli.datasets.labelled import LabelledFiles, LabelledImages, Split
from digitcli.datasets.npz import read_npz
from digitcli.errors import DataError
from digitcli.inputs.discovery import SUFFIXES

FORMS = "class folders 0 … 9, a labels file (.csv, .tsv), a folder of IDX files, or an .npz"


def load_split(path: Path, split: Split) -> LabelledImages | LabelledFiles:
    """Load a split of a data set.

    It is an .npz in Keras' layout, a folder of IDX files, class folders ``0`` … ``9``, or a labels
    file. The last two have no splits: all their files are returned for either.

    Raises:
        DataError: it is none of these, or is damaged.

    """
    require_data_set(path)
    if path.is_dir():
        return _load_folder(path, split)
    if has_splits(path):
        return read_npz(path, split)
    return read_label_file(path)


def require_data_set(path: Path) -> None:
    """Refuse, without reading it, what can be no data set.

    Raises:
        DataError: there is nothing, or a single image.

    """
    if path.is_dir():
        return
    if not path.exists():
        raise DataError(f"no data at {path}")
    if path.suffix.lower() in SUFFIXES:
        raise DataError(
            f"{path} is one image and has no label; give {FORMS}; digitcli classify reads an image"
        )


def has_splits(path: Path) -> bool:
    """Return whether a data set has test images of its own."""
    if path.is_dir():
        return holds_idx(path)
    return path.suffix.lower() == ".npz" or zipfile.is_zipfile(path)


def _load_folder(path: Path, split: Split) -> LabelledImages | LabelledFiles:
    if holds_idx(path):
        return read_idx(path, split)
    if holds_class_folders(path):
        return list_class_folders(path)
    raise DataError(f"{path} holds no labels: neither IDX files nor class folders 0 to 9")
