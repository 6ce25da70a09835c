"""From a file's bytes to an upright picture, whatever its format, depth, palette or alpha channel.

Nothing in the file is trusted: the content, not the name, decides the format, only formats meant for pictures are
tried, and the size is checked before a pixel is decoded.
"""

import io
import warnings
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from digitcli.errors import ImageError

# As Pillow names them; JPEG opens MPO too. The first five are loaded at once, the others when one of them is met.
FORMATS = ("PNG", "JPEG", "GIF", "BMP", "PPM", "TIFF", "WEBP", "AVIF")
MAX_PIXELS = 100_000_000
MAX_BYTES = 256 * 2**20
WORKING_SIDE = 480  # pixels; a larger picture is reduced by a whole factor towards this, but never below it

# Pillow's own guard, at the same moment as ours, warns at this many pixels and refuses at twice as many.
Image.MAX_IMAGE_PIXELS = max(Image.MAX_IMAGE_PIXELS or 0, MAX_PIXELS)
warnings.simplefilter("ignore", Image.DecompressionBombWarning)

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
_HEVC_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"}


def decode(source: Path | bytes | Image.Image, *, max_pixels: int = MAX_PIXELS) -> NDArray[np.uint8]:
    """Decode a picture and turn it upright.

    Args:
        source: a file, its content, or a PIL image, which is left as it is.
        max_pixels: a picture with more than this is refused before it is decoded.

    Returns:
        uint8 of shape (height, width) where the picture is grey, else (height, width, 3) in RGB order. The first
        frame of an animation; alpha laid on white, or on black where white would hide the ink. A large picture
        comes reduced, its longer side between 480 and 960 pixels.

    Raises:
        ImageError: with one line, which does not name the file, where no picture can be had from it.

    """
    try:
        image = source if isinstance(source, Image.Image) else _open(source)
        if image.width * image.height > max_pixels:
            raise Image.DecompressionBombError
        return _to_array(image.copy() if image is source else image)
    except ImageError:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise ImageError(f"more than the {max_pixels:,} pixels allowed; make the picture smaller") from None
    except UnidentifiedImageError:
        raise ImageError(f"not a picture in a known format ({', '.join(FORMATS)} or HEIF)") from None
    except MemoryError:
        raise ImageError("the picture does not fit into memory; make it smaller") from None
    except Exception as error:  # decoders raise whatever the damage led them to
        raise ImageError(f"the picture is damaged or cut short ({_one_line(error)})") from error


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except OSError as error:
        raise ImageError(f"cannot be read: {error.strerror or _one_line(error)}") from None
    except ValueError:  # a NUL in the name
        raise ImageError("cannot be read: not a valid file name") from None


def _open(source: Path | bytes) -> Image.Image:
    data = source if isinstance(source, bytes) else _read(source)
    if not data:
        raise ImageError("the file is empty")
    if len(data) > MAX_BYTES:
        raise ImageError(f"larger than {MAX_BYTES >> 20} MiB")
    if data[4:8] != b"ftyp":
        return Image.open(io.BytesIO(data), formats=FORMATS)
    brands = {data[at : at + 4] for at in range(8, min(int.from_bytes(data[:4], "big"), 256), 4)}
    if brands & {b"avif", b"avis"} or not brands & (_HEVC_BRANDS | {b"mif1", b"msf1"}):
        return Image.open(io.BytesIO(data), formats=FORMATS)
    try:
        from pillow_heif import HeifImageFile
    except ImportError:
        raise ImageError("HEIC pictures need one more package: pip install 'digitcli[heif]'") from None
    image: Image.Image = HeifImageFile(io.BytesIO(data))  # type: ignore[no-untyped-call]
    return image


def _to_array(image: Image.Image) -> NDArray[np.uint8]:
    factor = max(image.size) // WORKING_SIDE
    if factor > 1 and image.format in ("JPEG", "MPO"):
        # libjpeg decodes at 1/2, 1/4 or 1/8 for a fraction of the work
        image.draft(None, (image.width // factor, image.height // factor))
        factor = max(image.size) // WORKING_SIDE
    image.load()
    orientation = _orientation(image)  # after loading: Pillow turns a TIFF itself and then says so here
    image = _in_simple_mode(image)
    if factor > 1:
        image = _reduced(image, factor)
    if orientation in _UPRIGHT:
        image = image.transpose(_UPRIGHT[orientation])
    pixels: NDArray[np.uint8] = np.asarray(image)
    if image.mode in ("LA", "RGBA"):
        return _without_alpha(pixels)
    return pixels


def _orientation(image: Image.Image) -> int:
    if image.format != "TIFF" and "exif" not in image.info:
        return 1
    try:
        return int(image.getexif().get(_ORIENTATION_TAG, 1))
    except Exception:  # damaged EXIF data costs the picture's orientation, not the picture
        return 1


def _in_simple_mode(image: Image.Image) -> Image.Image:
    """Convert to mode L, LA, RGB or RGBA."""
    mode = image.mode
    if mode in ("L", "RGB", "LA", "RGBA") and "transparency" not in image.info:
        return image
    if mode == "1":
        return image.convert("L")
    if mode[0] in "IF":
        return Image.fromarray(_stretched(np.asarray(image)))
    if mode == "La":
        return image.convert("LA")
    if mode in ("PA", "RGBa") or "transparency" in image.info:
        return image.convert("RGBA")
    return image.convert("RGB")


def _stretched(values: NDArray[np.generic]) -> NDArray[np.uint8]:
    """Bring samples deeper than 8 bits between 0, the darkest, and 255, the brightest; not-a-number is darkest."""
    deep = values.astype(np.float64)
    finite = deep[np.isfinite(deep)]
    if not finite.size or finite.min() == finite.max():
        return np.zeros(deep.shape, np.uint8)
    low, high = finite.min(), finite.max()
    deep = np.nan_to_num(deep, nan=low, posinf=high, neginf=low)
    stretched: NDArray[np.uint8] = ((deep - low) * (255 / (high - low)) + 0.5).astype(np.uint8)
    return stretched


def _reduced(image: Image.Image, factor: int) -> Image.Image:
    premultiplied = {"RGBA": "RGBa", "LA": "La"}.get(image.mode)  # what is transparent must not tint what is not
    if premultiplied is None:
        return image.reduce(factor)
    return image.convert(premultiplied).reduce(factor).convert(image.mode)


def _without_alpha(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    colour, alpha = pixels[..., :-1], pixels[..., -1:]
    if colour.shape[2] == 1:
        colour = colour[..., 0]
        alpha = alpha[..., 0]
    lowest, highest = int(alpha.min()), int(alpha.max())
    if lowest == highest:  # opaque, or equally transparent all over: the colours hold the whole picture
        return np.array(colour) if highest else np.full_like(colour, 255)
    opacity = alpha.astype(np.uint16)
    on_black = (colour * opacity + 127) // 255
    on_white = on_black + (255 - opacity)
    hidden = np.ptp(on_white) < 32 and np.ptp(on_black) > np.ptp(on_white)
    laid: NDArray[np.uint8] = (on_black if hidden else on_white).astype(np.uint8)
    return laid


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:120] or type(error).__name__
