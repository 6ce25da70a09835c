"""Notices of TensorFlow and LiteRT kept off the user's terminal."""

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def quiet() -> Iterator[None]:
    """Hold back what C++ code writes to descriptors 1 and 2 inside the block; give it back if the block fails.

    TensorFlow announces oneDNN, CUDA and its log's state on stderr when it is imported, before it
    can be told not to; switching oneDNN off would silence that notice, but more than double the
    training time.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    saved = [os.dup(descriptor) for descriptor in (1, 2)]
    with tempfile.TemporaryFile() as held:
        try:
            for descriptor in (1, 2):
                os.dup2(held.fileno(), descriptor)
            yield
        except BaseException:
            failed = True
            raise
        else:
            failed = False
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            for descriptor, original in zip((1, 2), saved, strict=True):
                os.dup2(original, descriptor)
                os.close(original)
            if failed:
                held.seek(0)
                os.write(2, held.read())
