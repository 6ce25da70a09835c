"""TensorFlow for the commands that train and convert; the others do without."""

import os

from digitcli.errors import MissingLibraryError
from digitcli.process import settle_libraries


def load_tensorflow() -> None:
    """Import TensorFlow, and Keras as digitcli means it, whatever the user's settings of it are.

    Keras reads ~/.keras/keras.json, and makes it where there is none; under a file that cannot be
    a folder it finds nothing and makes nothing.

    Raises:
        MissingLibraryError: it is not installed.

    """
    os.environ["KERAS_BACKEND"] = "tensorflow"
    os.environ["KERAS_HOME"] = os.path.join(os.devnull, "keras")  # noqa: PTH118
    settle_libraries()
    try:
        import tensorflow as tf

        tf.config.list_logical_devices()  # looks for a GPU, and says what it misses
    except ModuleNotFoundError as error:
        if error.name != "tensorflow":
            raise
        raise MissingLibraryError(
            "this needs TensorFlow, which is not installed: pip install tensorflow"
        ) from error
