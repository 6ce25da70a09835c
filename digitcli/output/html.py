"""HTML pages that need no other file: no scripts, no requests, images and plots inside."""

import base64
from pathlib import Path

import cv2
import numpy as np
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from numpy.typing import NDArray

_MAX_PNG_PIXELS = 10_000  # a small image is exact; a large one would be a large PNG

_TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).with_name("templates")),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def page(template: str, **content: object) -> bytes:
    """Return a template of this package filled in with ``content``, whose text is escaped."""
    return _TEMPLATES.get_template(template).render(**content).encode()


def image_uri(image: NDArray[np.uint8]) -> str:
    """Return an image as a data URI: a large one as JPEG, a small one as PNG.

    Its shape is (h, w), or (h, w, 3) for RGB.
    """
    height, width = image.shape[:2]
    kind = "jpeg" if height * width > _MAX_PNG_PIXELS else "png"
    bgr_or_grey = image[..., ::-1] if image.ndim == 3 else image
    _, content = cv2.imencode(f".{kind}", bgr_or_grey)
    return f"data:image/{kind};base64,{base64.b64encode(content.tobytes()).decode()}"
