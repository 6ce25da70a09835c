"""Feed the real command many damaged files; print what did not end as promised, and the costs.

    PYTHONPATH=. python tests/benchmarks/fuzz_bench.py [--pictures 20000] [--others 5000] [--seed 0]

Pictures go through ``digitcli classify`` in batches, cards, data sets and weights through what
reads them, in child processes. Exit status 1 where anything was not as promised; the mutants of
that batch are kept.
"""

import argparse
import resource
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from fuzz import mutants, outcomes

BATCH = 1000


def main() -> int:
    parser = argparse.ArgumentParser(
        description="Feed the real command a great number of damaged files; "
        "print what did not end as promised, and the worst costs."
    )
    parser.add_argument("--pictures", type=int, default=20_000)
    parser.add_argument("--others", type=int, default=5_000)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    wrong = 0
    formats = list(mutants.pictures().items())
    for start in range(0, asked.pictures, BATCH):
        kind, seeds = formats[start // BATCH % len(formats)]
        folder = Path(tempfile.mkdtemp(prefix="digitcli-fuzz-"))
        seed = asked.seed * 1_000_000 + start
        paths = mutants.write_mutants(folder, seeds, min(BATCH, asked.pictures - start), seed)
        began = time.monotonic()
        complaints = outcomes.classify_all(paths)
        print(
            f"{kind:5} seed {seed}: {len(paths)} mutants, "
            f"{time.monotonic() - began:.0f} s, {len(complaints)} wrong"
        )
        wrong += len(complaints)
        for complaint in complaints:
            print(f"    {complaint}")
        if not complaints:
            for path in paths:
                path.unlink()
            folder.rmdir()
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1000
    print(f"the largest process took {peak:.0f} MB")
    for kind in outcomes.KINDS:
        count = asked.others // (20 if kind == "tflite" else 1)  # a process for each
        complaints = outcomes.use_all(kind, count, asked.seed)
        print(f"{kind:6} {count} mutants, {len(complaints)} wrong")
        wrong += len(complaints)
        for complaint in complaints:
            print(f"    {complaint}")
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
