"""What ``digitcli evaluate`` costs on class folders, against ``classify`` on the same images.

    python tests/benchmarks/evaluate_bench.py [--runs 9]

writes MNIST's 10,000 test images as PNG files and runs whole processes in turn.
"""

import argparse
import sys
import tempfile
from pathlib import Path

from PIL import Image
from processes import in_turn, machine, ratio

from digitcli.datasets import mnist

DIGITCLI = (sys.executable, "-m", "digitcli")
AT_MOST = 1.15


def main() -> None:
    """Write the files, measure, print the ratios."""
    ask = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    ask.add_argument("--runs", type=int, default=9, help="counted runs of each command (9)")
    runs = ask.parse_args().runs
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_class_folders(folder)
        evaluated, classified = in_turn(
            (*DIGITCLI, "evaluate", folder), (*DIGITCLI, "classify", "-r", folder), runs=runs
        )
    print(f"{machine()}; medians of {runs} runs in turn")
    for kind in ("wall", "cpu"):
        share = ratio(evaluated, classified, kind)
        verdict = "holds" if share <= AT_MOST else "falls short"
        print(f"evaluate against classify, {kind}: {share:.2f} (at most {AT_MOST}: {verdict})")


def write_class_folders(folder: Path) -> None:
    """Write MNIST's test images into the folders 0 … 9."""
    test = mnist.load_test()
    for digit in range(10):
        (folder / str(digit)).mkdir()
    for row, (image, label) in enumerate(zip(test.images, test.labels, strict=True)):
        Image.fromarray(image).save(folder / str(label) / f"{row:05d}.png")


if __name__ == "__main__":
    main()
