"""What a damaged file may end in, and whether it did."""

import contextlib
import os
import random
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from fuzz import mutants

from digitcli.datasets.load import load_split
from digitcli.errors import DataError
from digitcli.inference.model_probe import survives
from digitcli.weights_folder import ModelCard

SECONDS = 600
NOTE = "holds several pictures"  # of --verbose
# Caught, but a decoder crashed or we have not foreseen it.
OUR_MISTAKES = ("failed while it was read", "was ended")


def classify_all(paths: list[Path], *options: str) -> list[str]:
    """Run classify over files and return all that is not as promised.

    Promised are a record each, one line an error, and nothing else.
    """
    listing = b"".join(os.fsencode(path) + b"\0" for path in paths)
    done = subprocess.run(
        [sys.executable, "-m", "digitcli", "classify", "-0", "--files-from", "-", *options],
        input=listing,
        capture_output=True,
        timeout=SECONDS,
    )
    complaints = [
        line for line in done.stderr.decode(errors="replace").splitlines() if NOTE not in line
    ]
    records = [line.split("\t") for line in done.stdout.decode(errors="replace").splitlines()]
    wrong = [line for line in complaints if not line.startswith("digitcli: /")]
    wrong += [line for line in complaints if any(mistake in line for mistake in OUR_MISTAKES)]
    if [record[0] for record in records] != list(map(str, paths)):
        wrong.append(f"{len(records)} records of {len(paths)} files")
    failed = sum(record[3] == "error" for record in records)
    if (done.returncode, len(complaints)) != (int(failed > 0), failed):
        wrong.append(
            f"status {done.returncode}, {failed} records of errors, "
            f"{len(complaints)} lines on stderr"
        )
    return wrong


def card(data: bytes) -> None:
    """Use a card as ``info`` does, or refuse it."""
    from digitcli.output.model_card import card_facts

    with contextlib.suppress(ValueError):
        read = ModelCard.from_json(data.decode())
        read.to_json().encode()
        card_facts(read)


def npz(data: bytes) -> None:
    """Read a data set in Keras' layout, or refuse it."""
    with tempfile.NamedTemporaryFile() as file:
        file.write(data)
        file.flush()
        with contextlib.suppress(DataError):
            load_split(Path(file.name), "test")


def idx(data: bytes) -> None:
    """Read a data set in MNIST's form, or refuse it."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        packed = ".gz" if data[:1] == b"\x1f" else ""
        (folder / f"t10k-images-idx3-ubyte{packed}").write_bytes(data)
        (folder / "t10k-labels-idx1-ubyte").write_bytes(bytes((0, 0, 8, 1, 0, 0, 0, 3, 1, 2, 3)))
        with contextlib.suppress(DataError):
            load_split(folder, "test")


def keras_file(data: bytes) -> None:
    """Check a Keras weights file, or refuse it."""
    from digitcli.architectures import ARCHITECTURES
    from digitcli.networks.serialization import check_keras_weights

    with contextlib.suppress(ValueError):
        check_keras_weights(data, [(layer.parameters,) for layer in ARCHITECTURES["lenet5"]])


def model(data: bytes) -> None:
    """Try a network; whatever it does to the process that tries it, it ends here."""
    survives(data)


KINDS: dict[str, tuple[mutants.Seeds, Callable[[bytes], None]]] = {
    "card": (mutants.cards, card),
    "npz": (mutants.npz_files, npz),
    "idx": (mutants.idx_files, idx),
    "h5": (mutants.keras_files, keras_file),
    "tflite": (mutants.models, model),
}


def use_all(kind: str, count: int, seed: int) -> list[str]:
    """Use mutants of one kind and return what is not as promised.

    They are used in a process of its own, which they may crash.
    """
    seeds, use = KINDS[kind]
    whole, rng, wrong = seeds(), random.Random(seed), []
    while count > 0:
        batch = min(count, 100)
        pid = os.fork()
        if pid == 0:
            code = 1
            with contextlib.suppress(BaseException):
                signal.alarm(SECONDS)
                for _ in range(batch):
                    use(mutants.mutant(whole, rng))
                code = 0
            os._exit(code)
        _, status = os.waitpid(pid, 0)
        if status:
            wrong.append(
                f"{kind}: status {status} in the {batch} mutants "
                f"before the last {count - batch} of seed {seed}"
            )
        for _ in range(batch):
            mutants.mutant(whole, rng)
        count -= batch
    return wrong
