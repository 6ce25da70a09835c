"""Pages of HTML that need nothing but themselves: no script, no request, pictures and plots inside."""

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
    """Fill in a template of this package; text in ``content`` is shown as text, whatever it holds."""
    return _TEMPLATES.get_template(template).render(**content).encode()


def picture_uri(image: NDArray[np.uint8]) -> str:
    """Give a picture of shape (h, w) or (h, w, 3), RGB, as a data URI: a large one compressed as a photo is."""
    kind = "jpeg" if image.shape[0] * image.shape[1] > _EXACT else "png"
    content = cv2.imencode(f".{kind}", image[..., ::-1] if image.ndim == 3 else image)[1].tobytes()
    return f"data:image/{kind};base64,{base64.b64encode(content).decode()}"
