"""The IDX files that MNIST is published in, plain or gzipped.

Format: http://yann.lecun.com/exdb/mnist/ — two zero bytes, the type (8: unsigned byte), the number
of dimensions, the dimensions as big-endian 32-bit numbers, the values.
"""

import gzip
import math
import struct
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from digitcli.datasets.labelled import LabelledImages, Split, check_arrays
from digitcli.datasets.npz import MAX_ARRAY_BYTES
from digitcli.errors import DataError

_UNSIGNED_BYTE = 8
_PREFIXES = {"train": "train", "test": "t10k"}


def holds_idx(folder: Path) -> bool:
    """Return whether a folder holds the images of either split."""
    return any(_find(folder, prefix, "images-idx3") for prefix in _PREFIXES.values())


def read_idx(folder: Path, split: Split) -> LabelledImages:
    """Read one split of a folder of IDX files.

    They have MNIST's names, ``train-images-idx3-ubyte`` and so on, with or without ``.gz``.

    Raises:
        DataError: a file is missing, cut short, longer than its header says, or of another kind.

    """
    prefix = _PREFIXES[split]
    arrays = []
    for kind, dimensions in (("images-idx3", 3), ("labels-idx1", 1)):
        path = _find(folder, prefix, kind)
        if path is None:
            raise DataError(f"{folder} holds no {prefix}-{kind}-ubyte, plain or .gz")
        arrays.append(_read(path, dimensions))
    return check_arrays(arrays[0], arrays[1], str(folder))


def _find(folder: Path, prefix: str, kind: str) -> Path | None:
    # some copies are named train-images.idx3-ubyte
    for name in (f"{prefix}-{kind}-ubyte", f"{prefix}-{kind.replace('-idx', '.idx')}-ubyte"):
        for path in (folder / name, folder / f"{name}.gz"):
            if path.is_file():
                return path
    return None


def _read(path: Path, dimensions: int) -> NDArray[np.uint8]:
    try:
        with (
            path.open("rb") as file,
            gzip.open(file) if path.suffix == ".gz" else file as stream,
        ):
            magic = bytes([0, 0, _UNSIGNED_BYTE, dimensions])
            header_size = len(magic) + 4 * dimensions
            header = stream.read(header_size)
            if len(header) < header_size or not header.startswith(magic):
                plural = "s" if dimensions > 1 else ""
                raise DataError(f"{path} is no IDX file of bytes in {dimensions} dimension{plural}")
            shape = struct.unpack(f">{dimensions}I", header[len(magic) :])
            size = math.prod(shape)
            if size > MAX_ARRAY_BYTES:
                raise DataError(f"{path} claims {size} bytes; this is no data set of digits")
            content = stream.read(size + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"cannot read {path}: {error}") from error
    if len(content) != size:
        comparison = "more" if len(content) > size else "less"
        raise DataError(f"{path} holds {comparison} than its header says")
    return np.frombuffer(content, np.uint8).reshape(shape)
