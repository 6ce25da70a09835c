"""Classify files made to be costly, each in a process of its own; print what they took.

    PYTHONPATH=. python tests/benchmarks/hostile_bench.py

One file may take 5 s of CPU and 600 MB at the default caps, one below 1 MB 2 s and 300 MB. All of
them in one batch may take no more than one above the same batch of harmless files. What took more
is marked, and the exit status is 1.
"""

import contextlib
import io
import multiprocessing
import os
import struct
import subprocess
import sys
import tempfile
import time
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

MB = 1_000_000
PADDING = bytes(MB)  # after the picture: a file this large may take more
SAMPLE = Path(__file__).parents[1] / "samples" / "7-red-marker.png"


def files() -> Iterator[tuple[str, bytes]]:
    """Yield names and contents.

    Of each kind the largest that is let through, and larger ones that must be refused.
    """
    for mode, small, large in (
        ("L", 9_990, 9_990),
        ("RGB", 4_900, 9_900),
        ("RGBA", 4_900, 9_900),
        ("I;16", 9_900, 9_999),
    ):
        yield f"{mode}.png", png(small, mode)
        yield f"{mode}-padded.png", png(large, mode) + PADDING
    yield "16-bit-rgba.png", png(4_900, "RGBA", 16)
    yield "16-bit-rgba-padded.png", png(9_900, "RGBA", 16) + PADDING
    kinds: list[tuple[str, str, int, int, dict[str, object]]] = [
        ("webp", "RGB", 1_240, 3_100, {}),
        ("webp", "RGBA", 1_240, 3_100, {"lossless": True}),
        ("avif", "RGB", 1_400, 3_500, {"speed": 10, "subsampling": "4:4:4"}),
        ("jpg", "RGB", 9_990, 9_990, {}),
        ("jpg", "RGB", 3_200, 8_000, {"progressive": True, "subsampling": 0}),
        ("gif", "P", 9_990, 9_990, {}),
        ("tif", "F", 4_900, 9_900, {"compression": "tiff_adobe_deflate"}),
        ("tif", "RGBA", 4_900, 9_900, {"compression": "tiff_lzw"}),
        ("tif", "1", 9_990, 9_990, {"compression": "group4"}),
    ]
    for suffix, mode, small, large, options in kinds:
        name = f"{mode}-{'-'.join(map(str, options.values()))}".replace(":", "")
        yield f"{name}.{suffix}", encoded(Image.new(mode, (10_000, small)), suffix, options)
        yield (
            f"{name}-padded.{suffix}",
            encoded(Image.new(mode, (10_000, large)), suffix, options) + PADDING,
        )
        yield f"{name}-huge.{suffix}", encoded(Image.new(mode, (10_000, 9_990)), suffix, options)
    noise = np.random.default_rng(0).integers(0, 256, (3_000, 4_000, 3), np.uint8)
    yield (
        "noise.avif",
        encoded(
            Image.fromarray(noise), "avif", {"speed": 10, "quality": 100, "subsampling": "4:4:4"}
        ),
    )
    yield "noise.png", encoded(Image.fromarray(noise), "png", {})
    passes = encoded(Image.new("RGB", (4_000, 3_000)), "jpg", {"progressive": True})
    last = passes.rindex(b"\xff\xda")
    yield "passes-150.jpg", passes[:last] + passes[last:-2] * 140
    yield "passes-2000.jpg", passes[:last] + passes[last:-2] * 2_000
    yield "comments.pgm", b"P2 700 700 255\n" + b"#\n" * 490_000
    yield "plain.pgm", b"P2 1990 1990 255\n" + b"0 " * 1990**2
    yield "plain-large.pgm", b"P2 10000 9999 255\n" + b"0 " * 99_990_000
    yield "runs.bmp", run_length_bmp(b"\xff\x07" * 39 + b"\x37\x07", 6_000)
    yield "runs-dense.bmp", run_length_bmp(b"\x01\x07" * 10_000, 390)
    yield "thin.png", encoded(Image.new("RGB", (30_000, 1)), "png", {})
    yield "tall.png", encoded(Image.new("RGB", (1, 30_000)), "png", {})
    frames = [Image.new("L", (60, 60), shade) for shade in range(250)] * 12
    yield "frames.gif", encoded(frames[0], "gif", {"save_all": True, "append_images": frames})
    yield "frames.tif", encoded(frames[0], "tif", {"save_all": True, "append_images": frames})


def encoded(image: Image.Image, suffix: str, options: dict[str, object]) -> bytes:
    file = io.BytesIO()
    image.save(file, Image.registered_extensions()[f".{suffix}"], **options)
    return file.getvalue()


def png(height: int, mode: str, depth: int = 8) -> bytes:
    """Return an empty PNG, 10,000 pixels wide, without the memory for its pixels."""
    colour, samples = {"L": (0, 1), "I;16": (0, 2), "RGB": (2, 3), "RGBA": (6, 4)}[mode]
    packer = zlib.compressobj(9)
    rows = (
        b"".join(packer.compress(bytes(1 + 10_000 * samples * depth // 8)) for _ in range(height))
        + packer.flush()
    )
    header = struct.pack(
        ">IIBBBBB", 10_000, height, 16 if mode == "I;16" else depth, colour, 0, 0, 0
    )
    chunks = ((b"IHDR", header), (b"IDAT", rows), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )


def run_length_bmp(row: bytes, height: int) -> bytes:
    rows = (row + b"\0\0") * height + b"\0\1"
    header = struct.pack("<IiiHHIIiiII", 40, 10_000, height, 1, 8, 1, len(rows), 0, 0, 256, 0)
    return b"BM" + struct.pack("<IHHI", 1078 + len(rows), 0, 0, 1078) + header + bytes(1024) + rows


def classify(*args: str | Path) -> tuple[float, float, str]:
    """Return seconds of CPU, the largest process' memory in MB, and the last line on stderr."""
    process = subprocess.Popen(
        [sys.executable, "-m", "digitcli", "classify", *map(str, args)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    said = process.stderr.read().splitlines()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in (0, 1):
        said.append(f"ENDED WITH {process.returncode}")
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024 / MB, said[-1] if said else ""


def batch_peak(folder: Path) -> float:
    """Return the peak memory in MB of classify and its two workers together, reading a folder."""
    process = subprocess.Popen(
        [sys.executable, "-m", "digitcli", "classify", "--jobs", "2", folder],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    peak = 0.0
    while process.poll() is None:
        peak = max(peak, sum(map(proportional, [process.pid, *children(process.pid)])))
        time.sleep(0.01)
    return peak


def children(pid: int) -> list[int]:
    found = []
    for file in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            found += [int(child) for child in file.read_text().split()]
    return found


def proportional(pid: int) -> float:
    """Return a process' memory in MB, what it shares with others divided among them."""
    with contextlib.suppress(OSError, StopIteration):
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        return int(next(line for line in lines if line.startswith("Pss:")).split()[1]) * 1024 / MB
    return 0.0


def make(hostile: Path, harmless: Path) -> None:
    hostile.mkdir()
    harmless.mkdir()
    for name, content in files():
        (hostile / name).write_bytes(content)
        (harmless / name).write_bytes(SAMPLE.read_bytes())


def main() -> int:
    too_much = 0
    with tempfile.TemporaryDirectory() as place:
        hostile, harmless = Path(place) / "hostile", Path(place) / "harmless"
        # in another process: Linux counts as a child's memory what its parent had when it was
        # forked off
        maker = multiprocessing.Process(target=make, args=(hostile, harmless))
        maker.start()
        maker.join()
        for path in sorted(hostile.iterdir()):
            seconds, memory, said = classify(path)
            size = path.stat().st_size
            small = size < MB
            bad = (
                seconds > (2 if small else 5) or memory > (300 if small else 600) or "ENDED" in said
            )
            too_much += bad
            verdict = "TOO MUCH" if bad else ""
            print(
                f"{path.name:38} {size / MB:7.2f} MB {seconds:5.2f} s {memory:4.0f} MB  "
                f"{verdict} {said[-90:]}"
            )
        ordinary, peak = batch_peak(harmless), batch_peak(hostile)
        print(f"as one batch: {peak:.0f} MB; as many harmless files: {ordinary:.0f} MB")
        too_much += peak > ordinary + 600
    return int(too_much > 0)


if __name__ == "__main__":
    sys.exit(main())
