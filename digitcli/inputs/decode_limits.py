"""What decoding a picture will take, told from its header, and how much it may take.

A file of a few kilobytes can unfold into gigabytes, or keep a decoder busy for minutes. So before a
pixel is decoded, the memory it will take is estimated from the size, the format and the mode, and
the few formats whose decoders can take long over little are held to what they do in a second or
two. The figures are measured with Pillow 12 and 13.
"""

from PIL import ExifTags, Image, ImageFile, TiffImagePlugin

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

_RLE = (1, 2)  # BMP's compression of 8 and of 4 bits


def check_pixel_count(pixels: int, max_pixels: int) -> None:
    """Refuse a picture of too many pixels.

    Raises:
        ImageError: it has more than the cap.

    """
    if pixels > max_pixels:
        raise ImageError(
            f"more than the {max_pixels:,} pixels allowed; make it smaller, or raise classify's --max-pixels"
        )


def check_decoding_cost(
    image: ImageFile.ImageFile, pixels: int, data: bytes, max_pixels: int
) -> int:
    """Estimate how many bytes it takes to decode ``image``, which is opened from ``data`` but not yet loaded.

    Args:
        image: it may have been told to decode at a reduced size.
        pixels: of the picture as it is stored.
        data: the file's content.
        max_pixels: the cap on them, to which memory and time are in proportion.

    Raises:
        ImageError: it is more than a picture may take.

    """
    check_pixel_count(pixels, max_pixels)
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
            f"decoding it would take {size / 1e6:,.0f} MB, more than the {allowed / 1e6:,.0f} that a file of its size "
            "may take; make it smaller, or raise classify's --max-pixels"
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
    """Add to the picture one strip or tile of it, decoded; and where it is to be turned, the turned picture."""
    tags = image.tag_v2  # type: ignore[attr-defined]
    in_strip = image.width * min(tags.get(TiffImagePlugin.ROWSPERSTRIP, image.height), image.height)
    in_tile = tags.get(TiffImagePlugin.TILEWIDTH, 0) * tags.get(TiffImagePlugin.TILELENGTH, 0)
    sample_bits = tags.get(TiffImagePlugin.BITSPERSAMPLE, (1,))
    part = max(4, sum(sample_bits) / 8) * (in_tile or in_strip) / (image.width * image.height)
    turned = stored if tags.get(ExifTags.Base.Orientation, 1) != 1 else 0
    return float(stored + part + turned)


def _passes(image: ImageFile.ImageFile, data: bytes) -> int:
    """Count the scans of a JPEG from here on; the marker occurs nowhere else in compressed data."""
    if image.format not in ("JPEG", "MPO") or image.fp is None:
        return 1
    return 1 + data.count(b"\xff\xda", image.fp.tell())


def _jpeg_bytes(image: Image.Image, passes: int) -> float:
    """Give the bytes a pixel of the coefficients, which are all kept where they come in several passes."""
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
