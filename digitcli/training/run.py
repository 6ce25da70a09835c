"""One training run from the data to a weights folder: the use case behind ``digitcli train``."""

import datetime
import importlib.metadata
import platform
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import cv2
import keras
import numpy as np
import tensorflow as tf

from digitcli import __version__
from digitcli.datasets.labelled import LabelledImages
from digitcli.networks.serialization import load_bundle, to_keras_weights, to_tflite
from digitcli.output import plots
from digitcli.training.augmentation import augment
from digitcli.training.calibration import choose_threshold, fit_temperature
from digitcli.training.data import Parts, assemble
from digitcli.training.fit import Epoch, fit, probabilities, score
from digitcli.training.recipe import Recipe
from digitcli.training.trainable import TWINS
from digitcli.weights_folder import CURVES, HISTORY, ModelCard, open_weights, write_weights

REFUSED = 0.005  # the default threshold refuses this share of the validation images

_COLUMNS = {  # of history.csv, after the epoch's number
    "loss": ".6f",
    "accuracy": ".6f",
    "validation_loss": ".6f",
    "validation_accuracy": ".6f",
    "distorted_loss": ".6f",
    "distorted_accuracy": ".6f",
    "learning_rate": ".3g",
    "seconds": ".2f",
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a run: the card as written, the history, and whether Ctrl-C cut it short."""

    card: ModelCard
    history: list[Epoch]
    interrupted: bool


def train(
    recipe: Recipe,
    output: Path,
    *,
    data: Path | None = None,
    start: str | Path | None = None,
    replace: bool = False,
    begin: Callable[[Parts], None] = lambda parts: None,
    report: Callable[[float, Epoch | None], None] = lambda progress, epoch: None,
) -> Outcome:
    """Train as ``recipe`` says and write the weights folder ``output``; the test images are looked at once, at the end.

    ``data`` is one's own data set in place of MNIST; with ``start``, a weights folder to begin
    with, it is mixed into MNIST. ``begin`` is called with the data before the first epoch,
    ``report`` as by `fit`.

    Raises:
        DataError: the data cannot be trained on.
        WeightsError: ``start`` cannot be used.
        OutputError: the folder cannot be written, or exists and ``replace`` is false.
        KeyboardInterrupt: Ctrl-C before the first epoch ended; after it, the best epoch so far is
            written.
    """
    keras.utils.set_random_seed(recipe.seed)
    tf.config.experimental.enable_op_determinism()
    network = TWINS[recipe.architecture].network()
    if start is not None:
        load_bundle(network, open_weights(start))
    parts = assemble(recipe, data, warm=start is not None)
    begin(parts)
    own_before = _errors(network, parts.own_test) if parts.own_test else None
    fitted = fit(recipe, network, parts.train, parts.validation, report)
    temperature = calibrate(network, parts, recipe)
    sure = probabilities(network, parts.validation.images).max(axis=1)
    loss, accuracy = score(network, parts.test)
    metrics: dict[str, float | None] = {
        "epochs_done": len(fitted.history),
        "best_epoch": fitted.best.number,
        "validation_loss": fitted.best.validation_loss,
        "validation_errors": round((1 - fitted.best.validation_accuracy) * len(parts.validation)),
        "test_loss": loss,
        "test_errors": round((1 - accuracy) * len(parts.test)),
        "test_accuracy": accuracy,
        "temperature": temperature,
    }
    if parts.own_test:
        metrics |= {
            "own_test_errors_before": own_before,
            "own_test_errors": _errors(network, parts.own_test),
        }
    card = ModelCard(
        architecture=recipe.architecture,
        seed=recipe.seed,
        created=datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        min_confidence=choose_threshold(sure, REFUSED),
        recipe={**asdict(recipe), **({"start": str(start)} if start else {})},
        data=parts.facts,
        metrics=metrics,
        versions={
            "digitcli": __version__,
            "python": platform.python_version(),
            **{name: importlib.metadata.version(name) for name in ("tensorflow", "keras", "numpy")},
            "opencv": cv2.__version__,
        },
    )
    history = history_csv(fitted.history)
    card = write_weights(
        output,
        card,
        model=to_tflite(network),
        keras_weights=to_keras_weights(network),
        extras={
            HISTORY: history.encode(),
            CURVES: plots.rendered(plots.training_curves(history), "svg"),
        },
        replace=replace,
    )
    return Outcome(card, fitted.history, fitted.interrupted)


def calibrate(network: keras.Sequential, parts: Parts, recipe: Recipe) -> float:
    """Fit a temperature on the validation pictures, as they are and distorted as in training; make it part of it all.

    Without distortion in training there is none here either.
    """
    pictures, labels = parts.validation.images, parts.validation.labels
    if recipe.augmentation:
        distorted = augment(pictures, recipe.augmentation, np.random.default_rng(recipe.seed))
        pictures, labels = np.concatenate([pictures, distorted]), np.concatenate([labels, labels])
    chances = probabilities(network, pictures)
    temperature = fit_temperature(np.log(np.maximum(chances, 1e-30)), labels)
    TWINS[network.name].cool(network, temperature)
    return temperature


def _errors(network: keras.Sequential, pictures: LabelledImages) -> int:
    return round((1 - score(network, pictures)[1]) * len(pictures))


def history_csv(history: list[Epoch]) -> str:
    """Give the history as CSV, one line an epoch."""
    rows = [["epoch", *_COLUMNS]]
    rows += [
        [str(epoch.number), *(format(getattr(epoch, n), how) for n, how in _COLUMNS.items())]
        for epoch in history
    ]
    return "".join(",".join(row) + "\n" for row in rows)
