"""HTML pages that need no other file: no script, no request, images and plots inside."""

import base64
from pathlib import Path

import cv2
import numpy as np
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from numpy.typing import NDArray

_EXACT = 10_000  # pixels; below it, PNG is small, and each pixel counts

_TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).with_name("templates")),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def page(template: str, **content: object) -> bytes:
    """Fill in a template of this package; text in ``content`` is escaped."""
    return _TEMPLATES.get_template(template).render(**content).encode()


def picture_uri(image: NDArray[np.uint8]) -> str:
    """Return an image as a data URI: a large one as JPEG, a small one as PNG.

    Its shape is (h, w), or (h, w, 3) for RGB.
    """
    kind = "jpeg" if image.shape[0] * image.shape[1] > _EXACT else "png"
    content = cv2.imencode(f".{kind}", image[..., ::-1] if image.ndim == 3 else image)[1].tobytes()
    return f"data:image/{kind};base64,{base64.b64encode(content).decode()}"
