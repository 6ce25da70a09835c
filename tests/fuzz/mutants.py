"""Damaged files: small whole ones of every kind that digitcli reads, and ways to spoil them."""

import gzip
import io
import json
import random
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from digitcli.weights_folder import open_weights

_TELLING = (0, 1, 127, 128, 254, 255)


def mutant(seeds: list[bytes], rng: random.Random) -> bytes:
    """Spoil one of the seeds: flip, cut, splice or repeat, once or a few times."""
    data = bytearray(rng.choice(seeds))
    for _ in range(rng.choice((1, 1, 2, 4, 8))):
        rng.choice((_flip, _flip, _flip, _number, _cut, _splice, _repeat))(data, seeds, rng)
    return _mended(bytes(data)) if rng.random() < 0.7 else bytes(data)


def _mended(data: bytes) -> bytes:
    """Set the checksums of a PNG right, or no damage within it would get past them.

    Anything else is left alone.
    """
    at, mended = 8, bytearray(data)
    while data[:4] == b"\x89PNG" and at + 12 <= len(data):
        end = at + 8 + int.from_bytes(data[at : at + 4], "big")
        if end + 4 > len(data):
            break
        mended[end : end + 4] = zlib.crc32(data[at + 4 : end]).to_bytes(4, "big")
        at = end + 4
    return bytes(mended)


def _at(data: bytearray, rng: random.Random) -> int:
    """Choose a place: in half of all cases near the beginning, where headers are."""
    return rng.randrange(min(len(data), 100) if rng.random() < 0.5 else len(data)) if data else 0


def _flip(data: bytearray, _seeds: list[bytes], rng: random.Random) -> None:
    if data:
        data[_at(data, rng)] = rng.choice((*_TELLING, rng.randrange(256)))


def _number(data: bytearray, _seeds: list[bytes], rng: random.Random) -> None:
    at, number = (
        _at(data, rng),
        rng.choice((0, 1, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF, rng.getrandbits(32))),
    )
    data[at : at + 4] = struct.pack(rng.choice("<>") + "I", number)


def _cut(data: bytearray, _seeds: list[bytes], rng: random.Random) -> None:
    at = _at(data, rng)
    del data[at : len(data) if rng.random() < 0.3 else at + rng.randrange(1, 64)]


def _splice(data: bytearray, seeds: list[bytes], rng: random.Random) -> None:
    other = rng.choice(seeds)
    start, at = rng.randrange(len(other)), _at(data, rng)
    piece = other[start : start + rng.randrange(1, 200)]
    data[at : at + rng.choice((0, len(piece)))] = piece


def _repeat(data: bytearray, _seeds: list[bytes], rng: random.Random) -> None:
    at = _at(data, rng)
    data[at:at] = data[at : at + rng.randrange(1, 64)] * rng.choice((1, 2, 50))


def _digit(rng: np.random.Generator) -> np.ndarray:
    """Return a seven on noisy paper, 44×36."""
    pixels = rng.integers(215, 240, (44, 36), np.uint8)
    pixels[8:12, 8:28] = pixels[8:36, 22:26] = 40
    return pixels


def pictures() -> dict[str, list[bytes]]:
    """Return small whole pictures by the name of their format, in many of its variants."""
    grey = Image.fromarray(_digit(np.random.default_rng(0)))
    rgb, deep = grey.convert("RGB"), np.asarray(grey).astype(np.uint16) * 257
    alpha = rgb.convert("RGBA")
    exif = Image.Exif()
    exif[0x0112] = 6
    variants: dict[str, list[tuple[Image.Image, dict[str, object]]]] = {
        "PNG": [(grey, {}), (alpha, {}), (grey.convert("1"), {}),
                (grey.convert("P"), {"transparency": 3}), (Image.fromarray(deep), {"exif": exif}),
                (rgb, {"save_all": True, "append_images": [rgb.rotate(90)]})],
        "JPEG": [(grey, {}), (rgb, {"progressive": True, "exif": exif}), (rgb.convert("CMYK"), {})],
        "MPO": [(rgb, {"save_all": True, "append_images": [rgb]})],
        "GIF": [(grey, {}), (grey, {"save_all": True, "append_images": [grey.rotate(90)]})],
        "BMP": [(grey, {}), (rgb, {}), (grey.convert("1"), {})],
        "PPM": [(grey, {}), (rgb, {}), (grey.convert("1"), {}), (Image.fromarray(deep), {})],
        "TIFF": [(grey, {}), (rgb, {"compression": "tiff_lzw"}), (rgb, {"compression": "jpeg"}),
                 (grey.convert("1"), {"compression": "group4"}),
                 (Image.fromarray(deep.astype(np.float32)), {}),
                 (alpha, {"compression": "tiff_adobe_deflate", "exif": exif}),
                 (grey, {"compression": "packbits", "save_all": True, "append_images": [grey]})],
        "WEBP": [(rgb, {"exif": exif}), (alpha, {"lossless": True}),
                 (rgb, {"save_all": True, "append_images": [rgb]})],
        "AVIF": [(rgb, {"exif": exif}), (alpha, {})],
    }  # fmt: skip
    whole = {
        kind: [_encoded(image, kind, options) for image, options in of]
        for kind, of in variants.items()
    }
    whole["PPM"].append(b"P2 # plain\n8 8 255\n" + b"9 200 " * 32)
    whole["BMP"].append(_run_length_bmp())
    try:
        import pillow_heif
    except ImportError:
        return whole
    heif = io.BytesIO()
    pillow_heif.from_pillow(rgb).save(heif, quality=50)
    return {**whole, "HEIF": [heif.getvalue()]}


def _encoded(image: Image.Image, kind: str, options: dict[str, object]) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def _run_length_bmp() -> bytes:
    rows = (b"\x08\x03\x08\x00" + b"\x00\x04\x01\x02\x03\x04" + b"\x00\x00") * 20 + b"\x00\x01"
    start = 14 + 40 + 1024
    header = struct.pack("<IiiHHIIiiII", 40, 20, 20, 1, 8, 1, len(rows), 0, 0, 256, 0)
    return (
        b"BM"
        + struct.pack("<IHHI", start + len(rows), 0, 0, start)
        + header
        + bytes(range(256)) * 4
        + rows
    )


def cards() -> list[bytes]:
    """Return the text of a card."""
    bundle = open_weights("lenet5")
    return [
        bundle.card.to_json().encode(),
        json.dumps({"schema": 1, "files": {}, "deep": [[[{}]]]}).encode(),
    ]


def models() -> list[bytes]:
    """Return a LiteRT model."""
    return [open_weights("lenet5").model()]


def keras_files() -> list[bytes]:
    """Return a Keras weights file."""
    return [open_weights("lenet5").keras_weights()]


def npz_files() -> list[bytes]:
    """Return data sets in Keras' layout, plain and deflated."""
    arrays = {"x_test": np.zeros((3, 28, 28), np.uint8), "y_test": np.array([1, 2, 3])}
    files = []
    for save in (np.savez, np.savez_compressed):
        file = io.BytesIO()
        save(file, **arrays)  # type: ignore[arg-type]
        files.append(file.getvalue())
    return files


def idx_files() -> list[bytes]:
    """Return a file of pictures in MNIST's form, plain and gzipped."""
    plain = bytes((0, 0, 8, 3)) + struct.pack(">3I", 3, 28, 28) + bytes(3 * 28 * 28)
    return [plain, gzip.compress(plain)]


def write_mutants(folder: Path, seeds: list[bytes], count: int, seed: int) -> list[Path]:
    """Write ``count`` mutants, each of which comes again from the same ``seed``."""
    rng = random.Random(seed)
    paths = [folder / f"{number:06d}" for number in range(count)]
    for path in paths:
        path.write_bytes(mutant(seeds, rng))
    return paths


Seeds = Callable[[], list[bytes]]
