"""Limits of the memory and the time that it takes to open and decode an image.

A file of a few bytes can unfold into gigabytes, or keep a decoder busy for minutes. So before a
pixel is decoded, the memory needed is estimated from the size, the format and the mode; and formats
whose decoders are slow are limited to what these do in a second or two. Opening has limits of its
own, as Pillow reads headers step by step, and fills the first frame of some animations while it
opens them. The figures were measured with Pillow 12 and 13.
"""

import io
import re
import sys

from PIL import ExifTags, Image, ImageFile

from digitcli.errors import ImageError

# Memory in bytes for each pixel of the cap: at the default cap 500 MB, and 200 MB for a file too
# small to be a photo of that size.
_BYTES_A_PIXEL, _BYTES_A_PIXEL_IF_SMALL = 5, 2
_SMALL_FILE = 1_000_000  # bytes

# Memory in bytes a pixel of decoders for which it does not follow from the mode. libwebp composes
# two canvases; libavif and libheif decode into planes of up to 16 bits a sample; and the images of
# all three are copied twice on their way to Pillow.
_DECODERS = {"WEBP": 16.0, "AVIF": 14.0, "HEIF": 10.0}
_MAX_SLOW_BYTES = 8_000_000  # for decoders written in Python: 0.1 s a megabyte
_MAX_COMMENTS = 1000  # in a plain PPM; 12 µs each
_MAX_PASSES = 20  # over all pixels of the cap, 40 ms each; a progressive JPEG usually has ten
_MAX_DENSE_BYTES = 50_000_000  # of AV1 or HEVC: 15 MB/s

_MAX_STEPS = 300_000  # of reading a header, 0.5 µs each
_MAX_BLOCKS = 10_000  # before the first frame of a GIF; a comment takes one for 255 bytes
_MAX_MARKERS = 10_000  # in a JPEG after its first scan
# The end of a scan of a JPEG: any marker but a stuffed zero, a fill byte or a restart.
_MARKER = re.compile(rb"\xff([^\x00\xff\xd0-\xd7])")
_SCAN, _END_OF_IMAGE = 0xDA, 0xD9

_RLE = (1, 2)  # values of BMP's compression field: run lengths of 8 and of 4 bits


class HeaderReader(io.BytesIO):
    """A file's content whose header can be read in a limited number of steps."""

    def __init__(self, content: bytes) -> None:
        """Begin to count the steps."""
        super().__init__(content)
        self._steps = 0

    def end_header(self) -> None:
        """Stop counting, as some decoders read pixels byte by byte."""
        self._steps = -sys.maxsize

    def read(self, size: int | None = -1, /) -> bytes:
        """Read as files do.

        Raises:
            ImageError: the header takes too many steps.

        """
        self._steps += 1
        if self._steps > _MAX_STEPS:
            raise ImageError("its header never ends; save it anew")
        return super().read(size)


def open_content(data: bytes) -> io.BytesIO:
    """Return a stream of a file's content for a decoder, whose opening it bounds in time."""
    # a short file ends before the steps do
    return io.BytesIO(data) if len(data) < _MAX_STEPS else HeaderReader(data)


def stated_pixels(data: bytes) -> int:
    """Return the number of pixels in the header of a PNG or GIF; 0 for other formats.

    Pillow fills animations of these two while it opens them.

    Raises:
        ImageError: too many comments precede the first frame of a GIF.

    """
    if data.startswith(b"\x89PNG"):
        return int.from_bytes(data[16:20], "big") * int.from_bytes(data[20:24], "big")
    return _gif_pixels(data) if data.startswith(b"GIF8") else 0


def _gif_pixels(data: bytes) -> int:
    """Return the number of pixels of a GIF, whose canvas its first frame may enlarge."""
    width, height = _little_endian(data, 6), _little_endian(data, 8)
    start = _skip_gif_extensions(data, _end_of_gif_header(data))
    is_frame = data[start : start + 1] == b","
    if is_frame:
        left, top = _little_endian(data, start + 1), _little_endian(data, start + 3)
        width = max(width, left + _little_endian(data, start + 5))
        height = max(height, top + _little_endian(data, start + 7))
    return width * height


def _end_of_gif_header(data: bytes) -> int:
    """Return where a GIF's header ends, with the colour table of all frames."""
    flags = data[10] if len(data) > 10 else 0
    has_colour_table = flags & 0x80
    colours = 2 << (flags & 7)
    return 13 + (3 * colours if has_colour_table else 0)


def _skip_gif_extensions(data: bytes, start: int) -> int:
    """Return where a GIF's extensions end: each is two bytes, and blocks up to an empty one."""
    position = start
    blocks = 0
    while data[position : position + 1] == b"!":
        position += 2
        size = -1
        while size != 0:
            size = data[position] if position < len(data) else 0
            position += 1 + size
            blocks += 1
            if blocks > _MAX_BLOCKS:
                raise ImageError("its first frame lies behind too many comments; save it anew")
    return position


def _little_endian(data: bytes, position: int) -> int:
    """Return an unsigned number of 16 bits."""
    return int.from_bytes(data[position : position + 2], "little")


def check_pixel_count(pixels: int, max_pixels: int, advice: str) -> None:
    """Refuse an image of too many pixels.

    Raises:
        ImageError: it has more than ``max_pixels``; ``advice`` ends the message.

    """
    if pixels > max_pixels:
        raise ImageError(f"more than the {max_pixels:,} pixels allowed; {advice}")


def check_decoding_cost(
    image: ImageFile.ImageFile, pixels: int, data: bytes, max_pixels: int, advice: str
) -> int:
    """Return the estimated memory, in bytes, that it takes to decode an image.

    Args:
        image: opened but not yet loaded; it may be set to decode at a reduced size.
        pixels: number of pixels as the image is stored.
        data: the file's content.
        max_pixels: the cap on them; limits of memory and time are proportional to it.
        advice: what to do about an image that is too large.

    Raises:
        ImageError: it takes more memory or time than an image may take.

    """
    check_pixel_count(pixels, max_pixels, advice)
    passes = _count_passes(image, data)
    if passes * pixels > _MAX_PASSES * max_pixels:
        raise ImageError(
            f"the picture is stored in {passes} passes; save it as a plain JPEG or as PNG"
        )
    if _is_slow(image, data):
        raise ImageError("too long for this slow format; save it as PNG")
    decoded = image.width * image.height * _bytes_a_pixel(image)
    coefficients = pixels * _coefficient_bytes_a_pixel(image, passes)
    size = len(data) + int(decoded + coefficients)
    is_small = len(data) < _SMALL_FILE
    allowed = max_pixels * (_BYTES_A_PIXEL_IF_SMALL if is_small else _BYTES_A_PIXEL)
    if size > allowed:
        raise ImageError(
            f"decoding it would take {size / 1e6:,.0f} MB, more than the {allowed / 1e6:,.0f} that "
            f"a file of its size may take; {advice}"
        )
    return size


def _bytes_a_pixel(image: Image.Image) -> float:
    known = _DECODERS.get(image.format or "")
    if known:
        return known
    stored = _stored_bytes_a_pixel(image.mode)
    if image.format == "TIFF":
        return _tiff_bytes_a_pixel(image, stored)
    if image.format in ("BMP", "PPM"):
        return stored + 2
    return stored


def _stored_bytes_a_pixel(mode: str) -> int:
    """Return the size of a pixel in Pillow's memory."""
    if mode in ("1", "L", "P"):
        return 1
    return 2 if mode.startswith("I;16") else 4


def _tiff_bytes_a_pixel(image: Image.Image, stored: int) -> float:
    """Add a decoded strip or tile, and a second image where the first is turned."""
    from PIL import TiffImagePlugin  # takes time to import, which other formats need not spend

    tags = image.tag_v2  # type: ignore[attr-defined]
    rows = min(tags.get(TiffImagePlugin.ROWSPERSTRIP, image.height), image.height)
    in_strip = image.width * rows
    in_tile = tags.get(TiffImagePlugin.TILEWIDTH, 0) * tags.get(TiffImagePlugin.TILELENGTH, 0)
    sample_bits = tags.get(TiffImagePlugin.BITSPERSAMPLE, (1,))
    part = max(4, sum(sample_bits) / 8) * (in_tile or in_strip) / (image.width * image.height)
    is_turned = tags.get(ExifTags.Base.Orientation, 1) != 1
    return float(stored + part + (stored if is_turned else 0))


def _count_passes(image: ImageFile.ImageFile, data: bytes) -> int:
    """Count the scans of a JPEG to its end; phones keep videos and further images after it."""
    if image.format not in ("JPEG", "MPO") or image.fp is None:
        return 1
    passes = 1
    position = image.fp.tell()
    for _ in range(_MAX_MARKERS):
        marker = _MARKER.search(data, position)
        if marker is None:
            return passes
        kind = marker[1][0]
        if kind == _END_OF_IMAGE:
            return passes
        if kind == _SCAN:
            passes += 1
        length = int.from_bytes(data[marker.end() : marker.end() + 2], "big")
        position = marker.end() + length
    raise ImageError("its scans never end; save it as a plain JPEG or as PNG")


def _coefficient_bytes_a_pixel(image: Image.Image, passes: int) -> float:
    """Return the memory of a JPEG's coefficients, which is kept where there are several passes.

    A coefficient takes two bytes; how many there are follows from the subsampling of the channels.
    """
    if passes == 1 and "progressive" not in image.info:
        return 0
    layers = image.layer  # type: ignore[attr-defined]
    sampling = [(across, down) for _, across, down, _ in layers]
    most = max(across for across, _ in sampling) * max(down for _, down in sampling)
    coefficients = sum(across * down for across, down in sampling) / max(most, 1)
    return float(2 * coefficients)


def _is_slow(image: Image.Image, data: bytes) -> bool:
    if image.format in ("AVIF", "HEIF"):
        return len(data) > _MAX_DENSE_BYTES
    if image.format == "PPM" and data[1:2] in b"123":
        return len(data) > _MAX_SLOW_BYTES or data.count(b"#") > _MAX_COMMENTS
    is_run_length = image.format == "BMP" and image.info.get("compression") in _RLE
    return is_run_length and len(data) > _MAX_SLOW_BYTES
