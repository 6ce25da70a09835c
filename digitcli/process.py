"""Settings of the whole process, for processes that are digitcli's own: the command and workers."""

import logging
import warnings


def settle_libraries() -> None:
    """Let Pillow and OpenCV do as they should where images are read by several processes.

    OpenCV's own threads would only get in the way, and what Pillow has to say of damage would go to
    stderr, beside the one line that is said of it.
    """
    import cv2

    cv2.setNumThreads(1)
    warnings.simplefilter("ignore")
    logging.getLogger("PIL").addHandler(logging.NullHandler())
