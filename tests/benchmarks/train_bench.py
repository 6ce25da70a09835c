"""How good and how fast ``digitcli train --epochs 5`` is, against the article's script.

    python tests/benchmarks/train_bench.py [--runs 3]

runs whole processes in turn, import and data included, each of ours with another seed, and prints a
table in Markdown. The machine should have nothing else to do.
"""

import argparse
import re
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import mean

from processes import Run, machine, ratio

from digitcli.datasets import mnist

HERE = Path(__file__).parent


def main() -> None:
    """Train in turn and print the table."""
    ask = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    ask.add_argument("--runs", type=int, default=3, help="counted runs of each command (3)")
    runs = ask.parse_args().runs
    article: list[tuple[Run, float]] = []
    ours: list[tuple[Run, float]] = []
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(runs):
            article.append(trained(str(HERE / "keras_train.py"), str(mnist.PATH)))
            output = f"{folder}/{seed}"
            ours.append(
                trained(
                    "-m",
                    "digitcli",
                    "train",
                    "--epochs",
                    "5",
                    "--seed",
                    str(seed),
                    "--output",
                    output,
                )
            )
    print(machine())
    print("\n| run | article: accuracy | wall | ours: accuracy | wall |\n|---|---|---|---|---|")
    for number, ((theirs, their_accuracy), (our, our_accuracy)) in enumerate(
        zip(article, ours, strict=True)
    ):
        print(
            f"| {number} | {their_accuracy:.2%} | {theirs.wall:.1f} s "
            f"| {our_accuracy:.2%} | {our.wall:.1f} s |"
        )
    quotient = ratio([run for run, _ in ours], [run for run, _ in article], "wall")
    print(
        f"\nmean accuracy {mean(a for _, a in article):.2%} and {mean(a for _, a in ours):.2%}; "
        f"wall time, median of the ratios: {quotient:.2f}"
    )


def trained(*command: str) -> tuple[Run, float]:
    """Run a training script; give its times and the test accuracy that it printed."""
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    process = subprocess.run([sys.executable, *command], capture_output=True, text=True, check=True)
    wall, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    found = re.search(r"^test loss [\d.]+ +accuracy ([\d.]+)(%?)", process.stdout, re.MULTILINE)
    if not found:
        raise SystemExit(f"no test accuracy in the output of {' '.join(command)}")
    return Run(wall, cpu, 0.0, 0.0), float(found[1]) / (100 if found[2] else 1)


if __name__ == "__main__":
    main()
