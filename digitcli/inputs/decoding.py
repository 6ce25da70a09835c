"""From a file's bytes to an upright image, whatever its format, depth, palette or alpha channel.

Nothing in the file is trusted: the content, not the name, decides the format, only image formats
are tried, and the size is checked before a pixel is decoded.
"""

import io
import struct
import warnings
from collections.abc import Iterable, Iterator
from contextlib import suppress

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageFile, UnidentifiedImageError

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

# By their names in Pillow; JPEG opens MPO too. `Image.preinit` loads the plugins of the first six.
FORMATS = ("PNG", "JPEG", "GIF", "BMP", "DIB", "PPM", "TIFF", "WEBP", "AVIF")
WORKING_SIDE = 480  # pixels; a larger image is reduced by a whole factor, but never below this

_BAND = 250_000  # pixels that are converted at once

# How to turn the stored image, by EXIF's orientation tag. ImageOps.exif_transpose would turn it at
# full size, before it is reduced, and raises on damaged EXIF data.
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
# The first bytes of files, so that the message about a damaged one names its format.
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
# Stuck pixels of a sensor: this number and this share of an image's deep samples are left out at
# either end of their range.
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
        source: a file's content, or a PIL image, which is not changed.
        max_pixels: an image with more is refused before it is decoded.
        budget: of memory, shared with other processes that decode.
        can_raise_limit: the reader of error messages can raise ``max_pixels``.

    Returns:
        uint8 of shape (height, width) for a grey image, else (height, width, 3) in RGB order: the
        first frame of an animation; on white where the image is transparent, or on black where
        white would hide the ink. The longer side of a large image is reduced to between 480 and
        960 pixels.

    Raises:
        ImageError: with one line that does not name the file.

    """
    advice = "make it smaller"
    if can_raise_limit:
        advice += ", or raise --max-pixels"
    image: Image.Image | None = None
    try:
        if isinstance(source, Image.Image):
            check_pixel_count(source.width * source.height, max_pixels, advice)
            return _to_array(source.copy())
        _check_length(source)
        check_pixel_count(stated_pixels(source), max_pixels, advice)
        image = _open(source)
        pixels = image.width * image.height
        _request_reduced_decoding(image)
        size = check_decoding_cost(image, pixels, source, max_pixels, advice)
        with (budget or MemoryBudget()).reserve(size):
            return _to_array(image)
    except ImageError:
        raise
    except UnidentifiedImageError:
        raise ImageError(_why_unidentified(source)) from None
    except Warning:  # the caller turns warnings into errors, but Pillow's do not say it is damaged
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return decode(
                source, max_pixels=max_pixels, budget=budget, can_raise_limit=can_raise_limit
            )
    except MemoryError:
        raise ImageError("the picture does not fit into memory; make it smaller") from None
    except Exception as error:  # decoders raise whatever the damage leads them to
        kind = _kind_of(source) if image is None else image.format
        if _is_unsupported(error):
            raise ImageError(f"an unsupported kind of {kind} ({_one_line(error)})") from error
        raise ImageError(f"the picture is damaged or cut short ({_one_line(error)})") from error


def _why_unidentified(source: bytes | Image.Image) -> str:
    """Return the reason why Pillow cannot open a file: its damage, or an unknown format."""
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
    """Return whether a decoder's error says that the file is whole, but of an unsupported kind."""
    message = str(error).lower()
    # Pillow looks up kinds, such as ways to compress, in tables; it may wrap the KeyError
    wrapped = error.args[0] if error.args else None
    is_lookup = isinstance(error, KeyError) or isinstance(wrapped, KeyError)
    return is_lookup or any(word in message for word in _UNSUPPORTED)


def _check_length(data: bytes) -> None:
    if not data:
        raise ImageError("the file is empty")
    if len(data) > MAX_BYTES:
        raise ImageError(f"larger than {MAX_BYTES >> 20} MiB")


def _open(data: bytes) -> ImageFile.ImageFile:
    if not _is_heic(data):
        return _open_by_pillow(data)
    try:
        from pillow_heif import HeifImageFile
    except ImportError:
        raise ImageError("HEIC pictures need one more package: pip install pillow-heif") from None
    image: ImageFile.ImageFile = HeifImageFile(io.BytesIO(data))
    return image


def _is_heic(data: bytes) -> bool:
    """Return whether a file is HEIF with HEVC inside, which Pillow has no plugin for."""
    if data[4:8] != b"ftyp":
        return False
    end = min(int.from_bytes(data[:4], "big"), 256)
    brands = {data[start : start + 4] for start in range(8, end, 4)}
    is_avif = bool(brands & {b"avif", b"avis"})
    return not is_avif and bool(brands & (_HEVC_BRANDS | {b"mif1", b"msf1"}))


def _open_by_pillow(data: bytes) -> ImageFile.ImageFile:
    """Open a file as ``Image.open`` does, but without its limit on the number of pixels.

    That limit is a setting of the whole process; ours is an argument.

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
        # the errors that let Image.open try the next format
        with suppress(SyntaxError, IndexError, TypeError, struct.error):
            content = open_content(data)
            image: ImageFile.ImageFile = factory(content, "")
            if isinstance(content, HeaderReader):
                content.end_header()
            return image
    raise UnidentifiedImageError


def holds_several(source: bytes | Image.Image) -> bool:
    """Return whether an image that can be decoded is an animation or has several pages."""
    try:
        image = _open(source) if isinstance(source, bytes) else source
        return bool(getattr(image, "is_animated", False))
    except Exception:  # the file is damaged after its first image
        return False


def _request_reduced_decoding(image: Image.Image) -> None:
    """Let libjpeg decode a large image at 1/2, 1/4 or 1/8, for a fraction of the work."""
    factor = _reduction_factor(image)
    if factor > 1 and image.format in ("JPEG", "MPO"):
        image.draft(None, (max(1, image.width // factor), max(1, image.height // factor)))


def _reduction_factor(image: Image.Image) -> int:
    return max(1, max(image.size) // WORKING_SIDE)


def _to_array(image: Image.Image) -> NDArray[np.uint8]:
    image.load()
    orientation = _orientation(image)  # after loading: Pillow turns a TIFF and resets its tag
    image = _simplify(image)
    if orientation in _UPRIGHT:
        image = image.transpose(_UPRIGHT[orientation])
    pixels: NDArray[np.uint8] = np.asarray(image)
    if image.mode in ("LA", "RGBA"):
        return _remove_alpha(pixels)
    return pixels


def _simplify(image: Image.Image) -> Image.Image:
    """Convert an image to mode L, LA, RGB or RGBA and reduce it.

    This is done in bands, as the whole image may be four times as large once it is converted.
    """
    factor = _reduction_factor(image)
    rows = factor * max(1, _BAND // (image.width * factor))
    limits = (0.0, 0.0)
    if _is_deep(image):
        limits = _find_limits(_bands(image, rows))
    parts = [_reduce(_convert(band, limits), factor) for band in _bands(image, rows)]
    if len(parts) == 1:
        return parts[0]
    return Image.fromarray(np.concatenate([np.asarray(part) for part in parts]))


def _bands(image: Image.Image, rows: int) -> Iterator[Image.Image]:
    """Yield an image in bands of at most so many rows; a small one is not copied."""
    if image.height <= rows:
        yield image
        return
    for top in range(0, image.height, rows):
        yield image.crop((0, top, image.width, min(top + rows, image.height)))


def _is_deep(image: Image.Image) -> bool:
    """Return whether an image has samples of more than 8 bits: modes I, I;16, F and the like."""
    return image.mode[0] in "IF"


def _orientation(image: Image.Image) -> int:
    if image.format != "TIFF" and "exif" not in image.info:
        return 1
    try:
        return int(image.getexif().get(ExifTags.Base.Orientation, 1))
    except Exception:  # with damaged EXIF data only the orientation is lost
        return 1


def _convert(image: Image.Image, limits: tuple[float, float]) -> Image.Image:
    """Convert to mode L, LA, RGB or RGBA; ``limits`` are those of deep samples."""
    mode = image.mode
    if mode in ("L", "RGB", "LA", "RGBA") and "transparency" not in image.info:
        return image
    if mode == "1":
        return image.convert("L")
    if _is_deep(image):
        low, high = limits
        return Image.fromarray(_stretch(np.asarray(image), low, high))
    if mode == "La":
        return image.convert("LA")
    if mode in ("PA", "RGBa") or "transparency" in image.info:
        return image.convert("RGBA")
    return image.convert("RGB")


def _find_limits(bands: Iterable[Image.Image]) -> tuple[float, float]:
    """Return the smallest and the largest finite sample, leaving out some that may be stuck."""
    lowest: NDArray[np.float64] = np.empty(0)
    highest: NDArray[np.float64] = np.empty(0)
    count = 0
    for band in bands:
        values = np.asarray(band)
        finite = values[np.isfinite(values)].astype(np.float64)
        count += finite.size
        kept = _STUCK + round(_STUCK_SHARE * count) + 1
        lowest = _smallest(np.concatenate([lowest, _smallest(finite, kept)]), kept)
        highest = _largest(np.concatenate([highest, _largest(finite, kept)]), kept)
    if not count:
        return np.inf, -np.inf
    stuck = min(_STUCK + round(_STUCK_SHARE * count), count // 100)
    return float(np.sort(lowest)[stuck]), float(np.sort(highest)[-1 - stuck])


def _smallest(values: NDArray[np.float64], count: int) -> NDArray[np.float64]:
    return np.partition(values, count)[:count] if count < values.size else values


def _largest(values: NDArray[np.float64], count: int) -> NDArray[np.float64]:
    return -_smallest(-values, count)


def _stretch(values: NDArray[np.generic], low: float, high: float) -> NDArray[np.uint8]:
    """Scale deep samples from [low, high] to [0, 255]; NaN becomes 0."""
    if low >= high:
        return np.zeros(values.shape, np.uint8)
    with np.errstate(invalid="ignore"):  # a signalling NaN
        deep = np.nan_to_num(values.astype(np.float64), nan=low, posinf=high, neginf=low)
    deep = np.clip(deep, low, high)
    stretched: NDArray[np.uint8] = ((deep - low) * (255 / (high - low)) + 0.5).astype(np.uint8)
    return stretched


def _reduce(image: Image.Image, factor: int) -> Image.Image:
    if factor == 1:
        return image
    # with premultiplied alpha, transparent pixels do not tint their neighbours
    premultiplied = {"RGBA": "RGBa", "LA": "La"}.get(image.mode)
    if premultiplied is None:
        return image.reduce(factor)
    return image.convert(premultiplied).reduce(factor).convert(image.mode)


def _remove_alpha(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Lay an image (height, width, 2 or 4) on white, or on black where white hides it."""
    colour, alpha = pixels[..., :-1], pixels[..., -1:]
    if colour.shape[2] == 1:
        colour = colour[..., 0]
        alpha = alpha[..., 0]
    lowest, highest = int(alpha.min()), int(alpha.max())
    if highest == 0:  # nothing but transparent
        return np.full_like(colour, 255)
    if lowest == highest:  # opaque, or equally transparent: the colours hold the whole image
        return np.array(colour)
    opacity = alpha.astype(np.uint16)
    on_black = (colour * opacity + 127) // 255
    on_white = on_black + (255 - opacity)
    white_hides = np.ptp(on_white) < 32 and np.ptp(on_black) > np.ptp(on_white)
    composed: NDArray[np.uint8] = (on_black if white_hides else on_white).astype(np.uint8)
    return composed


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:120] or type(error).__name__


def fit_within(image: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """Return an image reduced to ``side`` pixels on its longer side; a smaller one as it is."""
    scale = side / max(image.shape[:2])
    if scale >= 1:
        return image
    size = max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
