"""TensorFlow for the commands that train and convert; the others do without."""

from digitcli.errors import MissingLibraryError


def load_tensorflow() -> None:
    """Import TensorFlow.

    Raises:
        MissingLibraryError: it is not installed.

    """
    try:
        import tensorflow as tf

        tf.config.list_logical_devices()  # looks for a GPU, and says what it misses
    except ModuleNotFoundError as error:
        if error.name != "tensorflow":
            raise
        raise MissingLibraryError(
            "this needs TensorFlow, which is not installed: pip install tensorflow"
        ) from error
