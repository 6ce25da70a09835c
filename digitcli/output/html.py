"""Pages of HTML that need nothing but themselves: no script, no request, pictures and plots inside."""

import base64
from pathlib import Path

import cv2
import numpy as np
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from numpy.typing import NDArray

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


def picture_uri(image: NDArray[np.uint8], largest: int = 0) -> str:
    """Give a picture of shape (h, w) or (h, w, 3), RGB, as a data URI.

    With ``largest`` the longer side is reduced to so many pixels, and the picture compressed as a photo is.
    """
    if image.ndim == 3:
        image = image[..., ::-1]
    if not largest:
        return _uri("png", image)
    scale = largest / max(image.shape[:2])
    if scale < 1:
        size = max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale))
        image = cv2.resize(image, size, interpolation=cv2.INTER_AREA).astype(np.uint8)
    return _uri("jpeg", image)


def _uri(kind: str, image: NDArray[np.uint8]) -> str:
    content = cv2.imencode(f".{kind}", image)[1].tobytes()
    return f"data:image/{kind};base64,{base64.b64encode(content).decode()}"
