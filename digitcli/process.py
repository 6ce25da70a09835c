"""Settings of the whole process, for processes that are digitcli's own: the command and workers."""

import logging
import warnings


def settle_libraries() -> None:
    """Set OpenCV to one thread, and silence warnings and Pillow's log.

    Several processes read images: OpenCV's own threads would only compete. A damaged image is
    reported by digitcli in one line; Pillow's own warnings would appear beside it on stderr.
    """
    import cv2

    cv2.setNumThreads(1)
    warnings.simplefilter("ignore")
    logging.getLogger("PIL").addHandler(logging.NullHandler())
