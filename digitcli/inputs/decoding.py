"""From a file's bytes to an upright picture, whatever its format, depth, palette or alpha channel.

Nothing in the file is trusted: the content, not the name, decides the format, only formats meant
for pictures are tried, and the size is checked before a pixel is decoded.
"""

import io
import struct
import warnings
from collections.abc import Iterable
from contextlib import suppress

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFile, UnidentifiedImageError

from digitcli.errors import ImageError
from digitcli.inputs.decode_limits import (
    HeaderReader,
    check_decoding_cost,
    check_pixel_count,
    open_content,
    stated_pixels,
)
from digitcli.inputs.memory_budget import MemoryBudget
from digitcli.inputs.source import MAX_BYTES, MAX_PIXELS

# As Pillow names them; JPEG opens MPO too. The first six are loaded at once, the others when one
# of them is met.
FORMATS = ("PNG", "JPEG", "GIF", "BMP", "DIB", "PPM", "TIFF", "WEBP", "AVIF")
# Pixels; a larger image is reduced by a whole factor towards this, but never below it.
WORKING_SIDE = 480

_BAND = 250_000  # pixels that are converted at once

_UPRIGHT = {  # EXIF's orientation tag: how to turn the stored picture
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_ORIENTATION_TAG = 0x0112
# How files of these formats begin, so that a damaged one is called by its name.
_SIGNATURES = (
    (b"\x89PNG", "PNG"),
    (b"\xff\xd8\xff", "JPEG"),
    (b"GIF8", "GIF"),
    (b"BM", "BMP"),
    (b"II*\0", "TIFF"),
    (b"MM\0*", "TIFF"),
    (b"RIFF", "WEBP"),
)
_UNSUPPORTED = ("unsupported", "unknown", "not supported", "cannot handle", "unrecognized")
# Of deep samples so few are left out at either end, where a sensor has stuck pixels.
_STUCK, _STUCK_SHARE = 3, 1e-5
_HEVC_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"}


def decode(
    source: bytes | Image.Image,
    *,
    max_pixels: int = MAX_PIXELS,
    budget: MemoryBudget | None = None,
    can_raise_limit: bool = True,
) -> NDArray[np.uint8]:
    """Decode an image and turn it upright.

    Args:
        source: a file's content, or a PIL image, which is left as it is.
        max_pixels: a picture with more than this is refused before it is decoded.
        budget: shared with the other processes that decode, where there are some.
        can_raise_limit: whoever reads the errors can raise ``max_pixels``.

    Returns:
        uint8 of shape (height, width) where the picture is grey, else (height, width, 3) in RGB
        order. The first frame of an animation; alpha laid on white, or on black where white would
        hide the ink. A large picture comes reduced, its longer side between 480 and 960 pixels.

    Raises:
        ImageError: with one line, which does not name the file, where no picture can be had from
            it.

    """
    advice = f"make it smaller{', or raise --max-pixels' if can_raise_limit else ''}"
    try:
        if isinstance(source, Image.Image):
            check_pixel_count(source.width * source.height, max_pixels, advice)
            return _to_array(source.copy())
        _check_length(source)
        check_pixel_count(stated_pixels(source), max_pixels, advice)
        image = _open(source)
        pixels = image.width * image.height
        _draft(image)
        size = check_decoding_cost(image, pixels, source, max_pixels, advice)
        with (budget or MemoryBudget()).reserve(size):
            return _to_array(image)
    except ImageError:
        raise
    except UnidentifiedImageError:
        raise ImageError(_why_unidentified(source)) from None
    except Warning:  # whoever runs this has made errors of them; Pillow's are not about the image
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return decode(
                source, max_pixels=max_pixels, budget=budget, can_raise_limit=can_raise_limit
            )
    except MemoryError:
        raise ImageError("the picture does not fit into memory; make it smaller") from None
    except Exception as error:  # decoders raise whatever the damage led them to
        kind = image.format if "image" in locals() else _kind_of(source)
        if _is_unsupported(error):
            raise ImageError(f"an unsupported kind of {kind} ({_one_line(error)})") from error
        raise ImageError(f"the picture is damaged or cut short ({_one_line(error)})") from error


def _why_unidentified(source: bytes | Image.Image) -> str:
    """Say why Pillow knows no way to open a file: what it is, or that it is nothing known."""
    kind = _kind_of(source)
    if kind is None or not isinstance(source, bytes):
        known = [name for name in FORMATS if name != "DIB"]
        return f"not a picture in a known format ({', '.join(known)} or HEIF)"
    try:
        Image.OPEN[kind][0](open_content(source), "")
    except Exception as error:
        if _is_unsupported(error):
            return f"an unsupported kind of {kind} ({_one_line(error)}); save it as PNG"
        return f"the {kind} is damaged or cut short in its header ({_one_line(error)})"
    return f"the {kind} is damaged or cut short in its header"


def _kind_of(source: bytes | Image.Image) -> str | None:
    if not isinstance(source, bytes):
        return source.format
    return next((kind for start, kind in _SIGNATURES if source.startswith(start)), None)


def _is_unsupported(error: Exception) -> bool:
    """Tell from what a decoder says whether the file is whole, but of a kind it does not know."""
    said = str(error).lower()
    # a KeyError is of a table of what is known, such as ways to compress; Pillow may pass it on
    passed_on = error.args[0] if error.args else None
    by_table = isinstance(error, KeyError) or isinstance(passed_on, KeyError)
    return by_table or any(word in said for word in _UNSUPPORTED)


def _check_length(data: bytes) -> None:
    if not data:
        raise ImageError("the file is empty")
    if len(data) > MAX_BYTES:
        raise ImageError(f"larger than {MAX_BYTES >> 20} MiB")


def _open(data: bytes) -> ImageFile.ImageFile:
    if data[4:8] != b"ftyp":
        return _open_as_is(data)
    brands = {data[at : at + 4] for at in range(8, min(int.from_bytes(data[:4], "big"), 256), 4)}
    if brands & {b"avif", b"avis"} or not brands & (_HEVC_BRANDS | {b"mif1", b"msf1"}):
        return _open_as_is(data)
    try:
        from pillow_heif import HeifImageFile
    except ImportError:
        raise ImageError(
            "HEIC pictures need one more package: pip install pillow-heif"
        ) from None
    image: ImageFile.ImageFile = HeifImageFile(io.BytesIO(data))
    return image


def _open_as_is(data: bytes) -> ImageFile.ImageFile:
    """Open a file as ``Image.open`` does, but for its guard against large images.

    That one is a setting of the whole process; ours is an argument.

    Raises:
        UnidentifiedImageError: no format fits.

    """
    prefix = data[:16]
    Image.preinit()
    for kind in FORMATS:
        if kind not in Image.OPEN:
            Image.init()
        factory, accepts = Image.OPEN.get(kind, (None, None))
        if factory is None or (accepts is not None and accepts(prefix) is not True):
            continue
        # what Image.open takes for another format
        with suppress(SyntaxError, IndexError, TypeError, struct.error):
            content = open_content(data)
            image: ImageFile.ImageFile = factory(content, "")
            if isinstance(content, HeaderReader):
                content.end_header()
            return image
    raise UnidentifiedImageError


def holds_several(source: bytes | Image.Image) -> bool:
    """Tell whether what can be decoded is an animation or has several pages."""
    try:
        return bool(
            getattr(_open(source) if isinstance(source, bytes) else source, "is_animated", False)
        )
    except Exception:  # what comes after the first picture is damaged
        return False


def _draft(image: Image.Image) -> None:
    """Let libjpeg decode a large image at 1/2, 1/4 or 1/8, for a fraction of the work."""
    factor = _factor(image)
    if factor > 1 and image.format in ("JPEG", "MPO"):
        image.draft(None, (max(1, image.width // factor), max(1, image.height // factor)))


def _factor(image: Image.Image) -> int:
    return max(1, max(image.size) // WORKING_SIDE)


def _to_array(image: Image.Image) -> NDArray[np.uint8]:
    image.load()
    orientation = _orientation(
        image
    )  # after loading: Pillow turns a TIFF itself and then says so here
    image = _in_simple_mode_and_size(image)
    if orientation in _UPRIGHT:
        image = image.transpose(_UPRIGHT[orientation])
    pixels: NDArray[np.uint8] = np.asarray(image)
    if image.mode in ("LA", "RGBA"):
        return _without_alpha(pixels)
    return pixels


def _in_simple_mode_and_size(image: Image.Image) -> Image.Image:
    """Convert to mode L, LA, RGB or RGBA and reduce.

    In bands: the whole, converted, may be four times as large.
    """
    factor = _factor(image)
    rows = factor * max(1, _BAND // (image.width * factor))
    bands = [
        (0, top, image.width, min(top + rows, image.height)) for top in range(0, image.height, rows)
    ]
    extremes = (
        _extremes(image.crop(band) for band in bands) if image.mode[0] in "IF" else (0.0, 0.0)
    )
    parts = [_reduced(_in_simple_mode(image.crop(band), extremes), factor) for band in bands]
    return (
        parts[0]
        if len(parts) == 1
        else Image.fromarray(np.concatenate([np.asarray(part) for part in parts]))
    )


def _orientation(image: Image.Image) -> int:
    if image.format != "TIFF" and "exif" not in image.info:
        return 1
    try:
        return int(image.getexif().get(_ORIENTATION_TAG, 1))
    except Exception:  # damaged EXIF data costs the picture's orientation, not the picture
        return 1


def _in_simple_mode(image: Image.Image, extremes: tuple[float, float]) -> Image.Image:
    mode = image.mode
    if mode in ("L", "RGB", "LA", "RGBA") and "transparency" not in image.info:
        return image
    if mode == "1":
        return image.convert("L")
    if mode[0] in "IF":
        return Image.fromarray(_stretched(np.asarray(image), *extremes))
    if mode == "La":
        return image.convert("LA")
    if mode in ("PA", "RGBa") or "transparency" in image.info:
        return image.convert("RGBA")
    return image.convert("RGB")


def _extremes(bands: Iterable[Image.Image]) -> tuple[float, float]:
    """Find the least and the greatest finite sample, but for some that are stuck."""
    lowest: NDArray[np.float64] = np.empty(0)
    highest: NDArray[np.float64] = np.empty(0)
    count = 0
    for band in bands:
        values = np.asarray(band)
        finite = values[np.isfinite(values)].astype(np.float64)
        count += finite.size
        few = _STUCK + round(_STUCK_SHARE * count) + 1
        lowest = _smallest(np.concatenate([lowest, _smallest(finite, few)]), few)
        highest = -_smallest(-np.concatenate([highest, -_smallest(-finite, few)]), few)
    if not count:
        return np.inf, -np.inf
    stuck = min(_STUCK + round(_STUCK_SHARE * count), count // 100)
    return float(np.sort(lowest)[stuck]), float(np.sort(highest)[-1 - stuck])


def _smallest(values: NDArray[np.float64], count: int) -> NDArray[np.float64]:
    return np.partition(values, count)[:count] if count < values.size else values


def _stretched(values: NDArray[np.generic], low: float, high: float) -> NDArray[np.uint8]:
    """Bring samples deeper than 8 bits between 0, the darkest or no number, and 255."""
    if low >= high:
        return np.zeros(values.shape, np.uint8)
    with np.errstate(invalid="ignore"):  # a signalling not-a-number
        deep = np.nan_to_num(values.astype(np.float64), nan=low, posinf=high, neginf=low)
    deep = np.clip(deep, low, high)
    stretched: NDArray[np.uint8] = ((deep - low) * (255 / (high - low)) + 0.5).astype(np.uint8)
    return stretched


def _reduced(image: Image.Image, factor: int) -> Image.Image:
    if factor == 1:
        return image
    premultiplied = {"RGBA": "RGBa", "LA": "La"}.get(
        image.mode
    )  # what is transparent must not tint what is not
    if premultiplied is None:
        return image.reduce(factor)
    return image.convert(premultiplied).reduce(factor).convert(image.mode)


def _without_alpha(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    colour, alpha = pixels[..., :-1], pixels[..., -1:]
    if colour.shape[2] == 1:
        colour = colour[..., 0]
        alpha = alpha[..., 0]
    lowest, highest = int(alpha.min()), int(alpha.max())
    if (
        lowest == highest
    ):  # opaque, or equally transparent all over: the colours hold the whole picture
        return np.array(colour) if highest else np.full_like(colour, 255)
    opacity = alpha.astype(np.uint16)
    on_black = (colour * opacity + 127) // 255
    on_white = on_black + (255 - opacity)
    hidden = np.ptp(on_white) < 32 and np.ptp(on_black) > np.ptp(on_white)
    laid: NDArray[np.uint8] = (on_black if hidden else on_white).astype(np.uint8)
    return laid


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:120] or type(error).__name__


def fit_within(image: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """Reduce an image to ``side`` pixels on its longer side; a smaller one stays as it is."""
    scale = side / max(image.shape[:2])
    if scale >= 1:
        return image
    size = max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
