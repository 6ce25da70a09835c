"""decode(): any picture, upright, as grey or RGB; anything else one clear line."""

import io
import struct
import sys
import zlib
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from digitcli.errors import ImageError
from digitcli.inputs.decoding import decode, holds_several


def encoded(image, kind="PNG", **options):
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def seven(ground=255, ink=0, size=(40, 30)):
    """A picture that looks different however it is turned."""
    pixels = np.full(size, ground, np.uint8)
    pixels[5:9, 5:25] = ink
    pixels[5:35, 21:25] = ink
    return pixels


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "BMP", "GIF", "PPM"])
def test_every_lossless_format_gives_its_pixels(kind):
    np.testing.assert_array_equal(
        decode(encoded(Image.fromarray(seven()), kind)).reshape(40, 30, -1)[..., 0], seven()
    )


@pytest.mark.parametrize("kind", ["JPEG", "WEBP", "AVIF"])
def test_every_lossy_format_gives_nearly_its_pixels(kind):
    grey = (
        decode(encoded(Image.fromarray(seven()), kind, quality=95)).reshape(40, 30, -1).mean(axis=2)
    )
    assert np.abs(grey - seven()).mean() < 4


def test_heif_where_its_package_is_installed():
    heif = pytest.importorskip("pillow_heif")
    file = io.BytesIO()
    heif.from_pillow(Image.fromarray(seven()).convert("RGB")).save(file, quality=95)
    assert np.abs(decode(file.getvalue()).mean(axis=2) - seven()).mean() < 4


def test_heif_without_its_package_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    data = struct.pack(">I", 24) + b"ftypheic" + b"\0\0\0\0" + b"mif1heic" + bytes(64)
    with pytest.raises(ImageError, match="pip install pillow-heif"):
        decode(data)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "WEBP"])
def test_exif_orientation_is_applied(kind, orientation):
    turns: dict[int, Callable[[NDArray[np.uint8]], NDArray[np.uint8]]] = {
        1: lambda a: a,
        2: np.fliplr,
        3: lambda a: np.rot90(a, 2),
        4: np.flipud,
        5: np.transpose,
        6: lambda a: np.rot90(a, 1),
        7: lambda a: np.rot90(a.T, 2),
        8: lambda a: np.rot90(a, -1),
    }
    turned = turns[orientation](seven())
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = encoded(Image.fromarray(np.ascontiguousarray(turned)), kind, exif=exif)
    assert np.abs(decode(data).reshape(40, 30, -1).mean(axis=2) - seven()).mean() < 8


def test_damaged_exif_costs_the_orientation_and_not_the_picture():
    data = encoded(Image.fromarray(seven()), exif=b"Exif\0\0II*\0\xff\xff\xff\xff")
    np.testing.assert_array_equal(decode(data), seven())


def with_alpha(colour, alpha):
    return encoded(Image.fromarray(np.dstack([colour] * 3 + [alpha])))


def test_alpha_is_laid_on_white():
    alpha = np.where(seven() == 0, 255, 0).astype(np.uint8)
    np.testing.assert_array_equal(decode(with_alpha(seven(), alpha))[..., 0], seven())


def test_ink_that_is_only_in_the_alpha_channel_is_seen():
    black = np.zeros((40, 30), np.uint8)
    np.testing.assert_array_equal(decode(with_alpha(black, 255 - seven()))[..., 0], seven())


def test_white_ink_on_a_transparent_ground_is_seen():
    white = np.full((40, 30), 255, np.uint8)
    np.testing.assert_array_equal(decode(with_alpha(white, 255 - seven()))[..., 0], 255 - seven())


def test_a_picture_half_transparent_all_over_keeps_its_contrast():
    np.testing.assert_array_equal(
        decode(with_alpha(seven(), np.full((40, 30), 90, np.uint8)))[..., 0], seven()
    )


def test_grey_with_alpha():
    data = encoded(Image.fromarray(np.dstack([np.zeros((40, 30), np.uint8), 255 - seven()])))
    np.testing.assert_array_equal(decode(data), seven())


def test_palette_with_a_transparent_entry():
    image = Image.fromarray((seven() == 0).astype(np.uint8))
    image.putpalette([9, 9, 9, 0, 0, 0])
    np.testing.assert_array_equal(decode(encoded(image, transparency=0))[..., 0], seven())


@pytest.mark.parametrize(
    "image",
    [
        Image.fromarray(seven()).convert("1"),
        Image.fromarray(seven()).convert("P"),
        Image.fromarray(seven().astype(np.uint16) * 257),
        Image.fromarray(seven().astype(np.uint16) * 4),
        Image.fromarray(seven().astype(np.int32) * 1000),
    ],
    ids=["1 bit", "palette", "16 bit", "10 bit in 16", "32 bit"],
)
def test_depths(image):
    np.testing.assert_array_equal(
        decode(encoded(image, "TIFF")).reshape(40, 30, -1)[..., 0], seven()
    )


def test_float_with_values_that_are_no_number():
    values = seven().astype(np.float32) / 255
    values[0, 0], values[0, 1], values[0, 2] = np.nan, np.inf, -np.inf
    got = decode(encoded(Image.fromarray(values), "TIFF"))
    np.testing.assert_array_equal(got[1:], seven()[1:])


def test_cmyk():
    got = decode(
        encoded(Image.fromarray(seven()).convert("RGB").convert("CMYK"), "JPEG", quality=95)
    )
    assert np.abs(got.mean(axis=2) - seven()).mean() < 4


def test_only_the_first_frame_of_an_animation():
    frames = [Image.fromarray(seven()), Image.fromarray(255 - seven())]
    data = encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])
    np.testing.assert_array_equal(decode(data).reshape(40, 30, -1)[..., 0], seven())


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_a_large_picture_comes_reduced(kind):
    large = np.kron(seven(), np.ones((80, 80), np.uint8))
    got = decode(encoded(Image.fromarray(large), kind))
    assert 480 <= max(got.shape) < 960
    assert got.shape[0] / got.shape[1] == pytest.approx(4 / 3, abs=0.01)


@pytest.mark.parametrize("side", [12_000, 60_000])
def test_too_many_pixels_are_refused_before_decoding(side):
    header = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    data = encoded(Image.fromarray(seven()))
    data = data[:16] + header + data[29:]
    data = data[:29] + struct.pack(">I", zlib.crc32(data[12:29])) + data[33:]
    with pytest.raises(ImageError, match="more than the 100,000,000 pixels"):
        decode(data)


def test_the_limit_can_be_set():
    with pytest.raises(ImageError, match="more than the 1,000 pixels allowed"):
        decode(encoded(Image.fromarray(seven())), max_pixels=1000)


@pytest.mark.parametrize(
    "data",
    [b"", b"hello", b"<svg></svg>", b"%PDF-1.4", b"\x89PNG\r\n\x1a\n", b"GIF89a", bytes(100)],
)
def test_what_is_no_picture_is_one_line(data):
    with pytest.raises(ImageError) as error:
        decode(data)
    assert "\n" not in str(error.value) and str(error.value)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF", "BMP", "GIF", "WEBP", "AVIF", "PPM"])
def test_a_truncated_picture_is_an_error(kind):
    noise = np.random.default_rng(0).integers(0, 255, (64, 64), np.uint8)
    data = encoded(Image.fromarray(noise), kind)
    with pytest.raises(ImageError) as error:
        decode(data[: len(data) * 2 // 3])
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF", "BMP", "GIF", "WEBP", "AVIF", "PPM"])
def test_whatever_the_damage_no_other_exception_gets_out(kind):
    whole = bytearray(encoded(Image.fromarray(seven()).convert("RGB"), kind))
    generator = np.random.default_rng(1)
    for _ in range(150):
        data = bytearray(whole)
        for at in generator.integers(0, min(len(data), 200), 4):
            data[at] = generator.integers(256)
        try:
            decode(bytes(data), max_pixels=10_000)
        except ImageError as error:
            assert "\n" not in str(error)


def test_what_libtiff_says_of_damage_does_not_reach_the_user(digitcli, tmp_path):
    data = bytearray(encoded(Image.fromarray(seven()), "TIFF", compression="tiff_lzw"))
    data[10:60] = b"\xff" * 50
    path = tmp_path / "damaged.tif"
    path.write_bytes(data)
    for paths in ([path], [path] * 3):
        done = digitcli("classify", *paths)
        assert done.returncode == 1
        lines = done.stderr.splitlines()
        assert len(lines) == len(paths)
        assert all(line.startswith(f"digitcli: {path}: the picture is damaged") for line in lines)


def test_a_signalling_not_a_number_is_no_warning():
    bits = np.full((8, 8), 0x3F800000, np.uint32)
    bits[0, :2] = 0x7F800001, 0
    assert decode(encoded(Image.fromarray(bits.view(np.float32)), "TIFF"))[0, :3].tolist() == [
        0,
        0,
        255,
    ]


def test_damage_after_the_first_picture_costs_nothing():
    data = encoded(Image.fromarray(seven()), "GIF").removesuffix(b";") + b"!\xf9\x02,"
    assert not holds_several(data)
    assert decode(data).shape[:2] == (40, 30)
