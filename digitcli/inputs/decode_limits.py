"""What opening and decoding an image will take, and how much it may take.

A file of a few bytes can unfold into gigabytes, or keep a decoder busy for minutes. So before a
pixel is decoded, the memory it will take is estimated from the size, the format and the mode, and
the few formats whose decoders can take long over little are held to what they do in a second or
two. Opening has limits of its own, as Pillow reads headers step by step, and fills the first frame
of some animations while it opens them. The figures are measured with Pillow 12 and 13.
"""

import io
import re
import sys

from PIL import ExifTags, Image, ImageFile

from digitcli.errors import ImageError

# Bytes for each pixel of the cap: 500 MB at the default; and 200 MB for a file so small that it
# hardly is a photo.
_BYTES_A_PIXEL, _BYTES_A_PIXEL_IF_SMALL = 5, 2
_SMALL_FILE = 1_000_000

# Bytes a pixel that decoders take where that does not follow from the mode. libwebp composes two
# canvases; libavif and libheif decode into planes of up to 16 bits a sample; and all three are
# copied twice on the way to Pillow.
_DECODERS = {"WEBP": 16.0, "AVIF": 14.0, "HEIF": 10.0}
_SLOW_BYTES = 8_000_000  # for decoders written in Python: 0.1 s a megabyte
_MOST_COMMENTS = 1000  # in a plain PPM; 12 µs each
_MOST_PASSES = 20  # over all pixels of the cap, 40 ms each; a progressive JPEG usually has ten
_DENSE_BYTES = 50_000_000  # of AV1 or HEVC: 15 MB/s

_MOST_STEPS = 300_000  # of reading a header, 0.5 µs each
_MOST_BLOCKS = 10_000  # before the first frame of a GIF; comments come in blocks of 255 bytes
_MOST_MARKERS = 10_000  # in a JPEG behind its first scan
# What ends a scan of a JPEG: any marker but a stuffed zero, a fill byte or a restart.
_MARKER = re.compile(rb"\xff([^\x00\xff\xd0-\xd7])")
_SCAN, _END_OF_IMAGE = 0xDA, 0xD9

_RLE = (1, 2)  # BMP's compression of 8 and of 4 bits


class HeaderReader(io.BytesIO):
    """A file's content whose header can be read in so many steps and no more."""

    def __init__(self, content: bytes) -> None:
        """Begin to count."""
        super().__init__(content)
        self._steps = 0

    def end_header(self) -> None:
        """Count no more: some decoders read byte by byte."""
        self._steps = -sys.maxsize

    def read(self, size: int | None = -1, /) -> bytes:
        """Read, as files do.

        Raises:
            ImageError: it is read too often.

        """
        self._steps += 1
        if self._steps > _MOST_STEPS:
            raise ImageError("its header never ends; save it anew")
        return super().read(size)


def open_content(data: bytes) -> io.BytesIO:
    """Give a decoder the content of a file, so that opening it takes a bounded time."""
    return io.BytesIO(data) if len(data) < _MOST_STEPS else HeaderReader(data)


def stated_pixels(data: bytes) -> int:
    """Count the pixels that the header of a PNG or GIF states; 0 where it is neither.

    These two are filled while they are opened where they are animations.

    Raises:
        ImageError: the first frame of a GIF lies behind too much else.

    """
    if data.startswith(b"\x89PNG"):
        return int.from_bytes(data[16:20], "big") * int.from_bytes(data[20:24], "big")
    return _gif_pixels(data) if data.startswith(b"GIF8") else 0


def _gif_pixels(data: bytes) -> int:
    """Find the size of a GIF, which its first frame may enlarge."""
    width, height = _little(data, 6), _little(data, 8)
    packed = data[10] if len(data) > 10 else 0
    at = 13 + (3 << (packed & 7) + 1 if packed & 0x80 else 0)  # behind the colours of all frames
    blocks = 0
    while data[at : at + 1] == b"!":  # an extension: its kind, and blocks until an empty one
        at += 2
        while size := data[at] if at < len(data) else 0:
            at += 1 + size
            blocks += 1
            if blocks > _MOST_BLOCKS:
                raise ImageError("its first frame lies behind too many comments; save it anew")
        at += 1
        blocks += 1
        if blocks > _MOST_BLOCKS:
            raise ImageError("its first frame lies behind too many comments; save it anew")
    if data[at : at + 1] == b",":
        width = max(width, _little(data, at + 1) + _little(data, at + 5))
        height = max(height, _little(data, at + 3) + _little(data, at + 7))
    return width * height


def _little(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 2], "little")


def check_pixel_count(pixels: int, max_pixels: int, advice: str) -> None:
    """Refuse an image of too many pixels; ``advice`` says what to do about it.

    Raises:
        ImageError: it has more than the cap.

    """
    if pixels > max_pixels:
        raise ImageError(f"more than the {max_pixels:,} pixels allowed; {advice}")


def check_decoding_cost(
    image: ImageFile.ImageFile, pixels: int, data: bytes, max_pixels: int, advice: str
) -> int:
    """Estimate how many bytes it takes to decode an image, which is opened but not yet loaded.

    Args:
        image: it may have been told to decode at a reduced size.
        pixels: of the picture as it is stored.
        data: the file's content.
        max_pixels: the cap on them, to which memory and time are in proportion.
        advice: what to do about an image that is too large.

    Raises:
        ImageError: it is more than a picture may take.

    """
    check_pixel_count(pixels, max_pixels, advice)
    passes = _passes(image, data)
    if passes * pixels > _MOST_PASSES * max_pixels:
        raise ImageError(
            f"the picture is stored in {passes} passes; save it as a plain JPEG or as PNG"
        )
    if _is_slow(image, data):
        raise ImageError("too long for this slow format; save it as PNG")
    size = len(data) + int(
        image.width * image.height * _bytes_a_pixel(image) + pixels * _jpeg_bytes(image, passes)
    )
    allowed = max_pixels * (_BYTES_A_PIXEL_IF_SMALL if len(data) < _SMALL_FILE else _BYTES_A_PIXEL)
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
    stored = 1 if image.mode in ("1", "L", "P") else 2 if image.mode.startswith("I;16") else 4
    if image.format == "TIFF":
        return _tiff_bytes(image, stored)
    if image.format in ("BMP", "PPM"):
        return stored + 2
    return stored


def _tiff_bytes(image: Image.Image, stored: int) -> float:
    """Add one strip or tile, decoded, and the turned image where it is to be turned."""
    from PIL import TiffImagePlugin  # here, so that other formats do not pay for it

    tags = image.tag_v2  # type: ignore[attr-defined]
    in_strip = image.width * min(tags.get(TiffImagePlugin.ROWSPERSTRIP, image.height), image.height)
    in_tile = tags.get(TiffImagePlugin.TILEWIDTH, 0) * tags.get(TiffImagePlugin.TILELENGTH, 0)
    sample_bits = tags.get(TiffImagePlugin.BITSPERSAMPLE, (1,))
    part = max(4, sum(sample_bits) / 8) * (in_tile or in_strip) / (image.width * image.height)
    turned = stored if tags.get(ExifTags.Base.Orientation, 1) != 1 else 0
    return float(stored + part + turned)


def _passes(image: ImageFile.ImageFile, data: bytes) -> int:
    """Count the scans of a JPEG to its end, behind which phones keep videos and further images."""
    if image.format not in ("JPEG", "MPO") or image.fp is None:
        return 1
    passes, at = 1, image.fp.tell()
    for _ in range(_MOST_MARKERS):
        marker = _MARKER.search(data, at)
        if marker is None or marker[1][0] == _END_OF_IMAGE:
            return passes
        passes += marker[1][0] == _SCAN
        at = marker.end() + int.from_bytes(data[marker.end() : marker.end() + 2], "big")
    raise ImageError("its scans never end; save it as a plain JPEG or as PNG")


def _jpeg_bytes(image: Image.Image, passes: int) -> float:
    """Return the bytes a pixel of the coefficients, all kept where they come in several passes."""
    if passes == 1 and "progressive" not in image.info:
        return 0
    layers = image.layer  # type: ignore[attr-defined]
    sampling = [(across, down) for _, across, down, _ in layers]
    most = max(across for across, _ in sampling) * max(down for _, down in sampling)
    return float(2 * sum(across * down for across, down in sampling) / max(most, 1))


def _is_slow(image: Image.Image, data: bytes) -> bool:
    if image.format in ("AVIF", "HEIF"):
        return len(data) > _DENSE_BYTES
    if image.format == "PPM" and data[1:2] in b"123":
        return len(data) > _SLOW_BYTES or data.count(b"#") > _MOST_COMMENTS
    return (
        image.format == "BMP" and image.info.get("compression") in _RLE and len(data) > _SLOW_BYTES
    )
