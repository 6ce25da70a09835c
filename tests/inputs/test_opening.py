"""Opening a file takes a bounded time and memory; what is wrong is called by its name."""

import io
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image
from reading import read_content

from digitcli.datasets import mnist
from digitcli.errors import ImageError
from digitcli.inputs.decoding import decode

DIGIT = mnist.load_splits().validation.images[3]
LARGE = np.kron(255 - DIGIT, np.ones((12, 12), np.uint8))


def encoded(pixels: np.ndarray, kind: str, **options: object) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, kind, **options)
    return file.getvalue()


JPEG = encoded(np.stack([LARGE] * 3, axis=-1), "JPEG", progressive=True)
GIF = encoded(DIGIT, "GIF")
GIF_COLOURS_END = 13 + 3 * 2 ** ((GIF[10] & 7) + 1)


def chunk(kind: bytes, content: bytes) -> bytes:
    checksum = struct.pack(">I", zlib.crc32(kind + content))
    return struct.pack(">I", len(content)) + kind + content + checksum


def huge_png(width: int, height: int) -> bytes:
    """An animation whose first frame is to be disposed of to the background."""
    frame = struct.pack(">IIIIIHHBB", 0, width, height, 0, 0, 1, 1, 1, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0))
        + chunk(b"acTL", struct.pack(">II", 2, 0))
        + chunk(b"fcTL", frame)
        + chunk(b"IDAT", zlib.compress(b"0"))
        + chunk(b"IEND", b"")
    )


HOSTILE = {
    "huge first frame": b"GIF89a"
    + struct.pack("<HHBBB", 1, 1, 0x80, 0, 0)
    + bytes(6)
    + b"!\xf9\x04\x08\0\0\0\0"
    + b","
    + struct.pack("<HHHHB", 0, 0, 65535, 65535, 0)
    + b"\x02\x02\x44\x01\0;",
    "huge animation": huge_png(60_000, 60_000),
    "fill bytes": b"\xff\xd8" + b"\xff" * 20_000_000 + JPEG[2:],
    "no markers": b"\xff\xd8\xff\xe0\0\2" + bytes(20_000_000) + JPEG[2:],
    "empty markers": b"\xff\xd8" + b"\xff\xef\0\2" * 5_000_000 + JPEG[2:],
    "scans": JPEG[:-2] + b"\xff\xda\0\2" * 5_000_000,
    "segments behind a scan": JPEG[:-2] + b"\xff\xfe\0\2" * 5_000_000,
    "comment of small blocks": GIF[:GIF_COLOURS_END]
    + b"!\xfe"
    + b"\1a" * 10_000_000
    + b"\0"
    + GIF[GIF_COLOURS_END:],
    "comments": GIF[:GIF_COLOURS_END] + b"!\xfe\1a\0" * 4_000_000 + GIF[GIF_COLOURS_END:],
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_what_never_ends_or_is_huge_is_refused_in_time_and_memory(
    kind: str, tmp_path: Path
) -> None:
    path = tmp_path / "hostile"
    path.write_bytes(HOSTILE[kind])
    code = (
        "import sys, resource, pathlib\n"
        "from digitcli.inputs.decoding import decode\n"
        "from digitcli.errors import ImageError\n"
        "content = pathlib.Path(sys.argv[1]).read_bytes()\n"
        "before = resource.getrusage(resource.RUSAGE_SELF)\n"
        "try: decode(content)\n"
        "except ImageError as error: print(error)\n"
        "after = resource.getrusage(resource.RUSAGE_SELF)\n"
        "print(after.ru_maxrss - before.ru_maxrss)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, path], capture_output=True, text=True, timeout=60
    )
    reason, kilobytes = done.stdout.splitlines()
    assert (
        "pixels allowed" in reason
        or "never end" in reason
        or "passes" in reason
        or ("too many comments" in reason)
    )
    assert int(kilobytes) < 150_000


def test_a_decoder_may_read_byte_by_byte() -> None:
    width = height = 1000
    header = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 8, 1, 0, 0, 0, 256, 0)
    colours = b"".join(bytes((grey, grey, grey, 0)) for grey in range(256))
    runs = (b"\1\x07" * width + b"\0\0") * height + b"\0\1"
    start = struct.pack("<IHHI", 0, 0, 0, 14 + len(header) + len(colours))
    image = decode(b"BM" + start + header + colours + runs)
    assert image.shape == (500, 500)
    assert (image == 7).all()


def test_a_motion_photo_is_read() -> None:
    video = b"\0\0\0\x18ftypmp42" + b"\xff\xda\1\2" * 5000
    np.testing.assert_array_equal(decode(JPEG + video), decode(JPEG))


@pytest.mark.parametrize("size", [(2000, 3), (960, 1), (3, 2000), (1, 960)])
def test_thin_jpegs_are_images(size: tuple[int, int]) -> None:
    image = decode(encoded(np.full(size[::-1], 255, np.uint8), "JPEG"))
    assert max(image.shape) >= 480


@pytest.mark.parametrize("shape", [(1, 1), (4, 1), (1, 4), (2, 2), (6, 6), (1, 3000), (3000, 1)])
@pytest.mark.parametrize("as_is", [False, True])
def test_what_has_no_room_for_a_digit_is_too_small_and_no_error(
    shape: tuple[int, int], as_is: bool
) -> None:
    reading = read_content(encoded(np.full(shape, 255, np.uint8), "PNG"), as_is=as_is)
    assert reading.canvas.shape == (28, 28)
    assert as_is or (not reading.ink.found and reading.ink.small)


def test_a_digit_of_few_pixels_is_too_small_and_dust_is_no_ink() -> None:
    page = np.full((20, 20), 255, np.uint8)
    page[8:13, 9:12] = 0
    assert read_content(encoded(page, "PNG")).ink.small
    dust = np.full((300, 300), 255, np.uint8)
    dust[100:105, 100:103] = 0
    ink = read_content(encoded(dust, "PNG")).ink
    assert not ink.found
    assert not ink.small


def test_a_pixel_that_is_stuck_does_not_hide_the_others() -> None:
    deep = np.kron(DIGIT.astype(np.uint16) * 8, np.ones((8, 8), np.uint16))
    expected = decode(encoded(deep, "TIFF"))
    stuck = deep.copy()
    stuck[3, 3], stuck[200, 7] = 65535, 65535
    seen = decode(encoded(stuck, "TIFF"))
    assert np.abs(seen.astype(int) - expected)[10:190, 10:190].max() <= 1


@pytest.mark.parametrize("bands", [20_000, 250_000])
def test_few_deep_samples_keep_their_extremes(bands: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("digitcli.inputs.decoding._BAND", bands)
    deep = np.array([[0, 1000], [500, 250]], np.uint16)
    assert decode(encoded(deep, "TIFF")).tolist() == [[0, 255], [128, 64]]


def test_a_bitmap_without_its_file_header_is_read() -> None:
    np.testing.assert_array_equal(decode(encoded(DIGIT, "DIB")), DIGIT)


TIFF = encoded(DIGIT, "TIFF")
BMP = bytearray(encoded(np.stack([DIGIT] * 3, axis=-1), "BMP"))
BMP[28] = 2  # bits a pixel


def with_tag(tag: int, before: int, after: int) -> bytes:
    old = struct.pack("<HHIHH", tag, 3, 1, before, 0)
    assert old in TIFF
    return TIFF.replace(old, struct.pack("<HHIHH", tag, 3, 1, after, 0))


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (with_tag(259, 1, 34661), "an unsupported kind of TIFF (34661); save it as PNG"),
        (with_tag(262, 1, 32803), "an unsupported kind of TIFF (unknown pixel mode); save it"),
        (bytes(BMP), "an unsupported kind of BMP (Unsupported BMP pixel depth (2))"),
        (b"hello world", "not a picture in a known format (PNG, JPEG, GIF, BMP, PPM, TIFF"),
        (b"%PDF-1.7", "not a picture in a known format"),
        (JPEG[:20], "the JPEG is damaged or cut short in its header"),
        (GIF[:20], "the GIF is damaged or cut short in its header"),
        (bytes(BMP[:20]), "the picture is damaged or cut short"),
        (encoded(DIGIT, "PNG")[:20], "the picture is damaged or cut short"),
        (encoded(DIGIT, "WEBP")[:20], "the picture is damaged or cut short"),
    ],
)
def test_what_is_wrong_is_called_by_its_name(content: bytes, reason: str) -> None:
    with pytest.raises(ImageError) as error:
        decode(content)
    assert str(error.value).startswith(reason)


def test_who_cannot_raise_the_limit_is_not_told_to() -> None:
    content = cv2.imencode(".png", LARGE)[1].tobytes()
    with pytest.raises(ImageError, match=r"allowed; make it smaller, or raise --max-pixels$"):
        decode(content, max_pixels=100)
    with pytest.raises(ImageError, match=r"allowed; make it smaller$"):
        decode(content, max_pixels=100, can_raise_limit=False)
