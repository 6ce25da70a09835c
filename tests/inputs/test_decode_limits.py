"""What decoding will take is told from the header; what is too much is not even begun."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image, TiffImagePlugin

from digitcli.errors import ImageError
from digitcli.inputs.decoding import decode


def encoded(image, kind, **options):
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def flat(mode, megapixels):
    return Image.new(mode, (1000, round(1000 * megapixels)))


def png(width, height, depth, colour):
    """The head of a PNG; whoever decodes it fails with another message than whoever refuses to."""
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    data = b"IDAT" + zlib.compress(b"")
    chunks = (
        struct.pack(">I", len(c) - 4) + c + struct.pack(">I", zlib.crc32(c)) for c in (header, data)
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


# At a cap of a million pixels a small file may take 2 MB; of every kind there is one picture below
# that and one above.
@pytest.mark.parametrize(
    ("kind", "mode", "below", "above", "options"),
    [
        ("PNG", "L", 1.0, None, {}),
        ("PNG", "RGB", 0.45, 0.55, {}),
        ("PNG", "RGBA", 0.45, 0.55, {}),
        ("PNG", "I;16", 0.9, None, {}),
        ("GIF", "P", 0.9, None, {}),
        ("WEBP", "RGB", 0.11, 0.14, {}),
        ("AVIF", "RGB", 0.13, 0.16, {}),
        ("TIFF", "F", 0.45, 0.55, {"compression": "tiff_adobe_deflate"}),
        ("JPEG", "RGB", 0.9, None, {}),
        ("JPEG", "RGB", 0.25, 0.33, {"progressive": True, "subsampling": 0}),
        ("JPEG", "RGB", 0.45, 0.55, {"progressive": True, "subsampling": 2}),
    ],
)
def test_the_cap_is_on_what_decoding_takes(kind, mode, below, above, options):
    decode(encoded(flat(mode, below), kind, **options), max_pixels=1_000_000)
    if above is not None:
        with pytest.raises(
            ImageError, match=r"decoding it would take \d MB, more than the 2 .*--max-pixels"
        ):
            decode(encoded(flat(mode, above), kind, **options), max_pixels=1_000_000)


def test_what_is_too_much_is_known_before_it_is_decoded():
    with pytest.raises(ImageError, match="would take 398 MB, more than the 200"):
        decode(png(10_000, 9_950, 8, 6))
    with pytest.raises(ImageError, match="damaged or cut short"):
        decode(png(5_000, 9_950, 8, 6))


def test_a_large_file_may_take_more_than_a_small_one():
    data = encoded(flat("RGB", 0.9), "PNG")
    with pytest.raises(ImageError, match="would take"):
        decode(data, max_pixels=1_000_000)
    decode(data + bytes(1_000_000), max_pixels=1_000_000)


def test_a_tiff_that_is_one_strip_counts_it_twice(monkeypatch):
    image = flat("RGB", 0.4)
    decode(encoded(image, "TIFF", compression="tiff_lzw"), max_pixels=1_000_000)
    monkeypatch.setattr(TiffImagePlugin, "STRIP_SIZE", 1 << 30)
    with pytest.raises(ImageError, match="would take 3 MB"):
        decode(encoded(image, "TIFF", compression="tiff_lzw"), max_pixels=1_000_000)


def test_a_jpeg_of_many_passes_is_refused():
    data = encoded(flat("L", 0.5), "JPEG", progressive=True)
    end = data.rindex(b"\xff\xda")
    decode(data, max_pixels=1_000_000)
    with pytest.raises(ImageError, match=r"stored in 1\d\d passes"):
        decode(data[:end] + data[end:-2] * 100, max_pixels=1_000_000)


@pytest.mark.parametrize(
    "data",
    [
        b"P2 700 700 255\n" + b"#\n" * 490_000,  # took 6 s
        b"P2 4000 3000 255\n" + b"0 " * 12_000_000,
        b"BM" + struct.pack("<IHHI", 0, 0, 0, 1078)
        + struct.pack("<IiiHHIIiiII", 40, 9000, 9000, 1, 8, 1, *[0] * 5)
        + bytes(1024) + b"\x01\x07" * 9_000_000,
    ],
    ids=["comments", "plain", "run-length"],
)  # fmt: skip
def test_formats_that_are_slow_to_decode_are_so_only_in_small(data):
    with pytest.raises(ImageError, match="too long for this slow format"):
        decode(data)


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "LA", "P", "1", "I;16", "F", "CMYK"])
def test_bands_change_nothing(mode, monkeypatch):
    noise = np.random.default_rng(0).integers(0, 256, (1500, 1100), np.uint8)
    image = (
        Image.fromarray(noise.astype(np.uint16) * 200)
        if mode == "I;16"
        else Image.fromarray(noise).convert(mode)
    )
    data = encoded(image, "TIFF" if mode in ("F", "CMYK") else "PNG")
    whole = decode(data)
    monkeypatch.setattr("digitcli.inputs.decoding._BAND", 20_000)
    np.testing.assert_array_equal(decode(data), whole)


@pytest.mark.parametrize("size", [(30_000, 1), (1, 30_000), (30_000, 2), (1, 1), (2, 1)])
def test_absurd_shapes_are_pictures(size):
    decode(encoded(Image.new("RGB", size), "PNG"))
