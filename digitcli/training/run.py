"""A training run, from the data to a network that is ready to be written."""

import datetime
import importlib.metadata
import platform
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from digitcli._version import __version__
from digitcli.datasets.labelled import NO_DIGIT, LabelledImages
from digitcli.evaluation.comparison import exact_mcnemar
from digitcli.training.augmentation import augment
from digitcli.training.calibration import choose_threshold, fit_temperature
from digitcli.training.callbacks import Weights
from digitcli.training.data import TrainingData, assemble
from digitcli.training.fit import fit
from digitcli.training.history import Epoch, Fitted
from digitcli.training.recipe import Recipe
from digitcli.training.scoring import probabilities, score
from digitcli.training.streams import Stream, generator
from digitcli.training.trainable import TRAINABLES, build_network
from digitcli.weights_folder import ModelCard, open_weights

CHECKPOINT_SECONDS = 60
REFUSED = 0.005  # share of the validation images that the default threshold refuses


@dataclass(frozen=True, slots=True)
class Trained:
    """The result of a run; at a checkpoint, the result so far.

    Attributes:
        network: with the weights of the best epoch, calibrated.
        card: without the files' SHA-256; at a checkpoint without test figures.
        fitted: the history, and how the run ended.
        seen: the SHA-256 of all the user's images that the network was trained on, in this run and
            in those that it was started from.

    """

    network: keras.Sequential
    card: ModelCard
    fitted: Fitted
    seen: frozenset[str] = frozenset()


def train(
    recipe: Recipe,
    *,
    data: Path | None = None,
    start: str | Path | None = None,
    on_data: Callable[[TrainingData], None] = lambda data: None,
    on_progress: Callable[[float, Epoch | None], None] = lambda progress, epoch: None,
    on_checkpoint: Callable[[Trained], None] = lambda trained: None,
) -> Trained:
    """Train a network by a recipe; use the test images once, at the end.

    Args:
        recipe: all that decides the run, except the data.
        data: the user's data set, in place of MNIST.
        start: a weights folder to begin with; ``data`` is then mixed into MNIST.
        on_data: is called with the data before the first epoch.
        on_progress: is called as `fit` calls ``report``.
        on_checkpoint: is called with the result so far, at most once a minute, where it is better
            than the last.

    Raises:
        DataError: the data cannot be trained on.
        WeightsError: ``start`` cannot be used.
        KeyboardInterrupt: the user stopped the run before the first epoch was completed. Later, the
            best epoch so far is the result.

    """
    keras.utils.set_random_seed(recipe.seed)
    tf.config.experimental.enable_op_determinism()
    start_weights = open_weights(start) if start else None
    network = build_network(recipe.architecture, start_weights)
    seen = (start_weights.seen() if start_weights else None) or frozenset()
    training_data = assemble(recipe, data, warm=start is not None, seen=seen)
    on_data(training_data)
    own_test = training_data.own_test
    right_before = None
    if start_weights is not None and own_test is not None and len(own_test):
        right_before = is_right(network, own_test, start_weights.card.min_confidence)

    def finish_run(fitted: Fitted) -> Trained:
        trained = finish(network, recipe, start, training_data, fitted)
        return replace(trained, seen=training_data.seen | seen)

    checkpoints = Checkpoints(network, finish_run, on_checkpoint)
    fitted = fit(
        recipe,
        network,
        training_data.train,
        training_data.balanced_validation(),
        on_progress,
        checkpoints.keep,
    )
    trained = finish_run(fitted)
    metrics = {**trained.card.metrics, **measure(network, training_data)}
    if right_before is not None and own_test is not None:
        right = is_right(network, own_test, trained.card.min_confidence)
        metrics |= compare_own(right, right_before)
    return replace(trained, card=replace(trained.card, metrics=metrics))


class Checkpoints:
    """Results so far, passed on now and then during the training."""

    def __init__(
        self,
        network: keras.Sequential,
        finish_run: Callable[[Fitted], Trained],
        on_checkpoint: Callable[[Trained], None],
    ) -> None:
        """Start the clock."""
        self._network = network
        self._finish_run = finish_run
        self._on_checkpoint = on_checkpoint
        self._due = time.monotonic() + CHECKPOINT_SECONDS
        self._kept: Epoch | None = None

    def keep(self, fitted: Fitted, weights: Weights) -> None:
        """Pass on the result so far where it is due and better than the last."""
        if time.monotonic() < self._due or fitted.best is self._kept:
            return
        current = self._network.get_weights()
        self._network.set_weights(weights)
        self._on_checkpoint(self._finish_run(fitted))
        self._network.set_weights(current)
        self._kept = fitted.best
        self._due = time.monotonic() + CHECKPOINT_SECONDS


def finish(
    network: keras.Sequential,
    recipe: Recipe,
    start: str | Path | None,
    data: TrainingData,
    fitted: Fitted,
) -> Trained:
    """Calibrate a network that has the weights of the best epoch, and fill in its card."""
    validation = data.balanced_validation()
    temperature = calibrate(network, validation, recipe)
    card = ModelCard(
        architecture=recipe.architecture,
        seed=recipe.seed,
        created=now(),
        min_confidence=threshold_for(network, validation),
        recipe={**asdict(recipe), **({"start": str(start)} if start else {})},
        data=data.facts,
        metrics={
            "epochs_done": len(fitted.history),
            "best_epoch": fitted.best.number,
            "validation_loss": fitted.best.validation.loss,
            "validation_errors": count_errors(network, data.validation),
            "temperature": temperature,
        },
        versions=versions_in_use(),
    )
    return Trained(network, card, fitted)


def measure(network: keras.Sequential, data: TrainingData) -> dict[str, Any]:
    """Measure the network on the test images."""
    loss, accuracy = score(network, data.test)
    return {
        "test_loss": loss,
        "test_errors": round((1 - accuracy) * len(data.test)),
        "test_accuracy": accuracy,
    }


def threshold_for(network: keras.Sequential, validation: LabelledImages) -> float:
    """Return the default confidence below which an answer is unsure, from validation images."""
    return choose_threshold(probabilities(network, validation.images).max(axis=1), REFUSED)


def calibrate(network: keras.Sequential, validation: LabelledImages, recipe: Recipe) -> float:
    """Fit a temperature on the validation images, fold it into the network, and return it.

    The images are used as they are and, where the recipe has augmentation, distorted as well.
    """
    images, labels = validation.images, validation.labels
    if recipe.augmentation:
        distorted = augment(images, recipe.augmentation, generator(recipe.seed, Stream.TEMPERATURE))
        images, labels = np.concatenate([images, distorted]), np.concatenate([labels, labels])
    logarithms = np.log(np.maximum(probabilities(network, images), 1e-30))
    temperature = fit_temperature(logarithms, labels)
    TRAINABLES[network.name].cool(network, temperature)
    return temperature


def count_errors(network: keras.Sequential, images: LabelledImages) -> int:
    """Count the images whose likeliest digit is not their label."""
    return round((1 - score(network, images)[1]) * len(images))


def is_right(
    network: keras.Sequential, images: LabelledImages, min_confidence: float
) -> NDArray[np.bool_]:
    """Return for each image whether the likeliest digit is its label.

    An image that shows no digit is right where the confidence is below ``min_confidence``.
    """
    predicted = probabilities(network, images.images)
    is_refused = predicted.max(axis=1) < min_confidence
    is_label = predicted.argmax(axis=1) == images.labels
    return np.asarray(np.where(images.labels == NO_DIGIT, is_refused, is_label))


def compare_own(right: NDArray[np.bool_], right_before: NDArray[np.bool_]) -> dict[str, Any]:
    """Compare the user's held-out images before and after a warm start, for the card."""
    better = int((right & ~right_before).sum())
    worse = int((right_before & ~right).sum())
    return {
        "own_test_errors_before": int((~right_before).sum()),
        "own_test_errors": int((~right).sum()),
        "own_test_better": better,
        "own_test_worse": worse,
        "own_test_p": exact_mcnemar(better, worse),
    }


def now() -> str:
    """Return the time in UTC in the format of a card."""
    return datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds")


def versions_in_use() -> dict[str, str]:
    """Return the versions that decide the result of a training run."""
    return {
        "digitcli": __version__,
        "python": platform.python_version(),
        **{name: importlib.metadata.version(name) for name in ("tensorflow", "keras", "numpy")},
        "opencv": cv2.__version__,
    }
