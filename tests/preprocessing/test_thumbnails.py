from pathlib import Path

from PIL import Image

from digitcli.inputs.source import MAX_PIXELS, Source
from digitcli.parallel.processes import Isolation
from digitcli.preprocessing.thumbnails import read_thumbnails


def thumbnails(*paths: Path, max_pixels: int = MAX_PIXELS):
    sources = [Source(str(path)) for path in paths]
    return read_thumbnails(sources, 50, max_pixels=max_pixels, isolation=Isolation())


def test_they_are_small_and_upright_and_come_in_order(tmp_path: Path) -> None:
    turned = Image.Exif()
    turned[0x0112] = 6  # turned by a quarter
    Image.new("RGB", (400, 200), (200, 10, 10)).save(tmp_path / "a.jpg", exif=turned)
    Image.new("L", (30, 20), 7).save(tmp_path / "b.png")
    first, second = thumbnails(tmp_path / "a.jpg", tmp_path / "b.png")
    assert first.shape == (50, 25, 3)
    assert (second.shape, second[0, 0]) == ((20, 30), 7)


def test_what_cannot_be_read_or_is_too_large_is_none(tmp_path: Path) -> None:
    Image.new("L", (300, 300), 7).save(tmp_path / "large.png")
    (tmp_path / "broken.png").write_bytes(b"no picture")
    paths = (tmp_path / "large.png", tmp_path / "broken.png", tmp_path / "gone.png")
    assert thumbnails(*paths, max_pixels=1000) == [None, None, None]
