"""Keras' layout of a data set: an .npz with x_train, y_train, x_test and y_test."""

import math
import zipfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from digitcli.datasets.labelled import LabelledImages, Split, check_arrays
from digitcli.errors import DataError

# Twenty times MNIST; a larger array is taken for a decompression bomb.
MAX_ARRAY_BYTES = 1 << 30


def read_npz(path: Path, split: Split) -> LabelledImages:
    """Read one split of an .npz file.

    Raises:
        DataError: it is damaged, lacks the split, or holds anything but 28×28 8-bit images and
            labels 0 to 9.

    """
    try:
        with zipfile.ZipFile(path) as archive:
            images = _read_array(archive, f"x_{split}.npy", path)
            labels = _read_array(archive, f"y_{split}.npy", path)
    except DataError:
        raise
    except Exception as error:
        # zipfile, the decompressors and NumPy raise whatever the damage leads them to
        raise DataError(f"{path} cannot be read as .npz: {error}") from error
    return check_arrays(images, labels, str(path))


def _read_array(archive: zipfile.ZipFile, name: str, path: Path) -> NDArray[np.generic]:
    """Read one array; its header must agree with the size in the archive.

    `np.load` would allocate the memory that the header claims.
    """
    try:
        entry = archive.getinfo(name)
    except KeyError as error:
        raise DataError(
            f"{path} holds no {name.removesuffix('.npy')}, which Keras' layout has"
        ) from error
    if entry.file_size > MAX_ARRAY_BYTES:
        raise DataError(
            f"{path}: {name} is larger than {MAX_ARRAY_BYTES >> 30} GiB; "
            "this is no data set of digits"
        )
    with archive.open(entry) as stream:
        version = np.lib.format.read_magic(stream)
        read_header = (
            np.lib.format.read_array_header_1_0
            if version == (1, 0)
            else np.lib.format.read_array_header_2_0
        )
        shape, fortran, dtype = read_header(stream)
        if dtype.hasobject:
            raise DataError(f"{path}: {name} holds Python objects, which are never loaded")
        size = math.prod(shape) * dtype.itemsize
        if size > entry.file_size:
            raise DataError(f"{path}: {name} claims more than it holds")
        content = stream.read(size)
    if len(content) != size:
        raise DataError(f"{path}: {name} is cut short")
    array = np.frombuffer(content, dtype).reshape(shape, order="F" if fortran else "C")
    return array
