"""A network as files: LiteRT's flatbuffer, and the weights as Keras writes them.

A stranger's .weights.h5 is checked before Keras reads it. HDF5 files can link to other files, claim
any size and hold filters that unpack a few bytes into gigabytes. Keras writes plain arrays; only
these are accepted, and no more of them than the network has.
"""

import io
import tempfile
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np
import tensorflow as tf

_MAX_OBJECTS = 200  # groups and arrays in a file; a network here has some dozens


def to_tflite(network: keras.Model) -> bytes:
    """Return the network as a LiteRT model with the same input and output."""
    return bytes(tf.lite.TFLiteConverter.from_keras_model(network).convert())


def to_keras_weights(network: keras.Model) -> bytes:
    """Return the network's weights as the content of a Keras ``.weights.h5`` file."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.weights.h5"
        network.save_weights(path)
        return path.read_bytes()


def load_keras_weights(network: keras.Model, content: bytes) -> None:
    """Set the network's weights from the content of a ``.weights.h5`` file, trusting nothing in it.

    Raises:
        ValueError: they are not weights of this network.

    """
    try:
        check_keras_weights(content, [tuple(weight.shape) for weight in network.weights])
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "model.weights.h5"
            path.write_bytes(content)
            network.load_weights(path)
    except Exception as error:  # Keras and HDF5 raise whatever the damage leads them to
        raise ValueError(f"they are not weights of {network.name}: {error}") from error


def check_keras_weights(content: bytes, shapes: list[tuple[int, ...]]) -> None:
    """Refuse a file that holds anything but arrays of these shapes.

    Args:
        content: of the file.
        shapes: of the network's weights, in any order.

    Raises:
        ValueError: with what is wrong.

    """
    found: list[tuple[int, ...]] = []
    try:
        with h5py.File(io.BytesIO(content), "r") as file:
            _collect_shapes(file, found, [])
    except Exception as error:  # HDF5 raises whatever the damage leads it to
        raise ValueError(f"no file of weights: {error}") from error
    if sorted(found) != sorted(shapes):
        raise ValueError("its arrays are not those of the network")


def _collect_shapes(group: Any, found: list[tuple[int, ...]], seen: list[str]) -> None:
    for name in group:
        seen.append(name)
        if len(seen) > _MAX_OBJECTS:  # also of groups that contain themselves
            raise ValueError("it holds too many objects")
        if not isinstance(group.get(name, getlink=True), h5py.HardLink):
            raise ValueError(f"its {name!r} is a link, perhaps to another file")
        entry = group[name]
        if isinstance(entry, h5py.Group):
            _collect_shapes(entry, found, seen)
            continue
        if not isinstance(entry, h5py.Dataset) or entry.dtype != np.float32:
            raise ValueError(f"its {name!r} is no array of 32-bit floats")
        # Keras stores weights in the file itself and without filters
        if entry.external or entry.is_virtual or entry.id.get_create_plist().get_nfilters():
            raise ValueError(f"its {name!r} is stored elsewhere or packed")
        found.append(entry.shape)
