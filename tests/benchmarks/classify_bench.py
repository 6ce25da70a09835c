"""How fast ``digitcli classify`` is, against what a reader of the article would write with Keras.

    python tests/benchmarks/classify_bench.py [--runs 5]

makes its own pictures and network in a temporary folder (400 MB), runs whole processes in turn and
prints a table in Markdown. It takes a quarter of an hour; the machine should have nothing else to
do.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

import numpy as np
from PIL import Image
from processes import Run, in_turn, machine, measure, ratio

from digitcli.datasets import mnist

HERE = Path(__file__).parent
PYTHON = sys.executable
DIGITCLI = (PYTHON, "-m", "digitcli")
CLASSIFY = (*DIGITCLI, "classify", "--format", "tsv")
MANY = 10_000
VERY_MANY = 100_000
PHOTOS = 1_000


def main() -> None:
    """Make the files, measure, print the table."""
    ask = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    ask.add_argument("--runs", type=int, default=5, help="counted runs of each command (5)")
    runs = ask.parse_args().runs
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        digits, many_digits, photos = (folder / kind for kind in ("digits", "many", "photos"))
        network = folder / "lenet5.keras"
        images = mnist.load_splits().train.images
        write_digits(digits, images, MANY)
        write_digits(many_digits, images, VERY_MANY)
        write_photos(photos, images)
        subprocess.run((*DIGITCLI, "export", "--output", network), check=True)
        one = digits / "000000.png"

        rows = []
        ours, theirs = in_turn(
            (*CLASSIFY, one), (PYTHON, HERE / "keras_one.py", network, one), runs=runs
        )
        [helped] = in_turn((*DIGITCLI, "--help"), runs=runs)
        watched = [measure((*CLASSIFY, one), memory=True) for _ in range(runs)]
        cpu = ratio(ours, theirs, "cpu")
        rows += [
            (
                "one 28×28 PNG, CPU time",
                f"{mid(ours, 'cpu'):.2f} s",
                "≤ 0.25 s",
                mid(ours, "cpu") <= 0.25,
            ),
            (
                "the same, peak memory",
                f"{mid(watched, 'memory'):.0f} MB",
                "≤ 100 MB",
                mid(watched, "memory") <= 100,
            ),
            (
                "CPU time of the Keras script for it",
                against(cpu, theirs, "cpu"),
                "≥ 10 times",
                cpu <= 0.1,
            ),
            (
                "`--help`, CPU time",
                f"{mid(helped, 'cpu'):.2f} s",
                "≤ 0.15 s",
                mid(helped, "cpu") <= 0.15,
            ),
        ]
        ours, theirs = in_turn(
            (*CLASSIFY, digits), (PYTHON, HERE / "keras_folder.py", network, digits), runs=runs
        )
        wall, rate = ratio(ours, theirs, "wall"), MANY / mid(ours, "wall")
        rows += [
            (
                f"{MANY:,} 28×28 PNG, start included",
                f"{rate:,.0f} a second",
                "≥ 8,000 a second",
                rate >= 8000,
            ),
            (
                "time of the Keras script for them, in batches",
                against(wall, theirs, "wall"),
                "≥ 3 times",
                wall <= 1 / 3,
            ),
        ]
        few = [measure((*CLASSIFY, digits), memory=True) for _ in range(runs)]
        many = [measure((*CLASSIFY, many_digits), memory=True) for _ in range(max(2, runs // 2))]
        growth, most = mid(many, "memory") / mid(few, "memory"), max(run.memory for run in many)
        first = mid(many, "first")
        rows += [
            (
                f"{VERY_MANY:,} files, peak memory of all processes",
                f"{most:.0f} MB",
                "≤ 250 MB",
                most <= 250,
            ),
            (
                f"the same against {MANY:,} files",
                f"{growth:.2f} times",
                "≤ 1.2 times",
                growth <= 1.2,
            ),
            ("the same, first record after start", f"{first:.2f} s", "≤ 0.5 s", first <= 0.5),
        ]
        two, single = in_turn(
            (*CLASSIFY, "-j", "2", photos), (*CLASSIFY, "-j", "1", photos), runs=max(2, runs // 2)
        )
        gain = ratio(single, two, "wall")
        what = f"{PHOTOS:,} photos of 12 megapixels, `-j 2` against `-j 1`"
        rows.append(
            (
                what,
                f"{gain:.2f} times, {PHOTOS / mid(two, 'wall'):.0f} a second",
                "≥ 1.7 times",
                gain >= 1.7,
            )
        )

    print(f"{machine()}; medians of {runs} runs in turn\n")
    print("| what | measured | must be | |\n|---|---|---|---|")
    for what, measured, bound, holds in rows:
        print(f"| {what} | {measured} | {bound} | {'holds' if holds else '**falls short**'} |")


def mid(runs: list[Run], kind: str) -> float:
    middle: float = median(getattr(run, kind) for run in runs)
    return middle


def against(share: float, theirs: list[Run], kind: str) -> str:
    return f"{mid(theirs, kind):.2f} s, {1 / share:.1f} times as much"


def write_digits(folder: Path, images: np.ndarray, count: int) -> None:
    """Write training digits of MNIST as PNG files."""
    folder.mkdir()
    for row in range(count):
        Image.fromarray(images[row % len(images)]).save(folder / f"{row:06d}.png", compress_level=1)


def write_photos(folder: Path, images: np.ndarray) -> None:
    """Write JPEG files as a phone would: a pen's digit on grainy paper.

    There are 20 of them, under 50 names each.
    """
    folder.mkdir()
    chance = np.random.default_rng(7)
    for number in range(20):
        digit = Image.fromarray(images[number]).resize((1500, 1500), Image.Resampling.BICUBIC)
        ink = np.pad(np.asarray(digit, np.float32) / 255, ((700, 800), (1200, 1300)))
        light = (
            np.linspace(150, 220, 4000, dtype=np.float32)
            + np.linspace(20, -20, 3000, dtype=np.float32)[:, None]
        )
        grain = chance.normal(0, 4, ink.shape).astype(np.float32)
        grey = (light + grain) * (1 - 0.75 * ink)
        colour = (
            np.stack([grey, grey * 0.97, grey * 0.9 + 12 * ink], axis=-1)
            .clip(0, 255)
            .astype(np.uint8)
        )
        first = folder / f"{number:02d}-00.jpg"
        Image.fromarray(colour).save(first, quality=85)
        for copy in range(1, PHOTOS // 20):
            os.link(first, folder / f"{number:02d}-{copy:02d}.jpg")


if __name__ == "__main__":
    main()
