"""One training run from the data to a weights folder: the use case behind ``digitcli train``."""

import datetime
import importlib.metadata
import platform
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import keras
import tensorflow as tf

from digitcli import __version__
from digitcli.bundle import Card, write_bundle
from digitcli.datasets import mnist
from digitcli.networks import lenet5
from digitcli.training.convert import to_keras_weights, to_tflite
from digitcli.training.fit import Epoch, fit, score
from digitcli.training.recipe import Recipe

NETWORKS = {lenet5.NAME: lenet5.build}
MIN_CONFIDENCE = 0.5


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a run: the card as written, the history, and whether Ctrl-C cut it short."""

    card: Card
    history: list[Epoch]
    interrupted: bool


def train(
    recipe: Recipe,
    output: Path,
    *,
    replace: bool = False,
    report: Callable[[float, Epoch | None], None] = lambda progress, epoch: None,
) -> Outcome:
    """Train as ``recipe`` says and write the weights folder ``output``; the test images are looked at once, at the end.

    Raises:
        DataError: the data cannot be trained on.
        OutputError: the folder cannot be written, or exists and ``replace`` is false.
        KeyboardInterrupt: Ctrl-C before the first epoch ended; after it, the best epoch so far is written.

    """
    parts = mnist.load()
    keras.utils.set_random_seed(recipe.seed)
    tf.config.experimental.enable_op_determinism()
    network = NETWORKS[recipe.architecture]()
    fitted = fit(recipe, network, parts.train, parts.validation, report)
    loss, accuracy = score(network, parts.test)
    errors = round((1 - accuracy) * len(parts.test))
    card = Card(
        architecture=recipe.architecture,
        seed=recipe.seed,
        created=datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        min_confidence=MIN_CONFIDENCE,
        recipe=asdict(recipe),
        data={
            "name": "MNIST",
            "sha256": mnist.SHA256,
            "train": len(parts.train),
            "validation": len(parts.validation),
            "test": len(parts.test),
        },
        metrics={
            "epochs_done": len(fitted.history),
            "best_epoch": fitted.best.number,
            "validation_loss": fitted.best.validation_loss,
            "validation_errors": round((1 - fitted.best.validation_accuracy) * len(parts.validation)),
            "test_loss": loss,
            "test_errors": errors,
            "test_accuracy": accuracy,
        },
        versions={
            "digitcli": __version__,
            "python": platform.python_version(),
            **{name: importlib.metadata.version(name) for name in ("tensorflow", "keras", "numpy")},
        },
    )
    card = write_bundle(
        output,
        card,
        model=to_tflite(network),
        keras_weights=to_keras_weights(network),
        extras={"history.csv": history_csv(fitted.history).encode()},
        replace=replace,
    )
    return Outcome(card, fitted.history, fitted.interrupted)


def history_csv(history: list[Epoch]) -> str:
    """Give the history as CSV, one line an epoch."""
    lines = ["epoch,loss,accuracy,validation_loss,validation_accuracy,learning_rate,seconds"]
    lines += [
        f"{e.number},{e.loss:.6f},{e.accuracy:.6f},{e.validation_loss:.6f},{e.validation_accuracy:.6f},"
        f"{e.learning_rate:.3g},{e.seconds:.2f}"
        for e in history
    ]
    return "\n".join(lines) + "\n"
