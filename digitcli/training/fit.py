"""Training: the loop, the learning rate's way, averaged weights, the best of the epochs kept."""

import math
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from digitcli.datasets.labelled import LabelledImages
from digitcli.errors import DataError
from digitcli.inference.network import to_network_input
from digitcli.training.augmentation import augment
from digitcli.training.recipe import Recipe
from digitcli.training.trainable import TRAINABLES, Trainable

Pictures = NDArray[np.uint8]
Labels = NDArray[np.int64]

_SECTIONS = (
    20  # an epoch is trained in so many calls: between them come progress, averaging and Ctrl-C
)
_WARM_UP = 0.25
_STATISTICS = 4096  # pictures that the normalisation's statistics are taken from


@dataclass(frozen=True, slots=True)
class Epoch:
    """One line of the history. Losses are mean cross-entropies in nats, accuracies in [0, 1].

    ``loss`` is against the smoothed labels, over all that is trained on; ``accuracy`` is that of
    the digits in it. ``distorted_loss`` and ``distorted_accuracy`` are those on copies of the
    validation pictures, distorted as the training pictures are. The best epoch has the lowest loss
    over both: in the count of wrong answers late epochs differ by chance more than by merit.
    """

    number: int
    loss: float
    accuracy: float
    validation_loss: float
    validation_accuracy: float
    learning_rate: float
    seconds: float
    distorted_loss: float
    distorted_accuracy: float
    best: bool  # so far


@dataclass(frozen=True, slots=True)
class Fitted:
    """What a training came to.

    Attributes:
        history: all epochs that ended.
        best: the one whose weights are kept.
        interrupted: somebody ended it before its time.
        diverged: the epoch in which the loss was no number any more, if there was one.

    """

    history: list[Epoch]
    best: Epoch
    interrupted: bool = False
    diverged: int | None = None


Weights = list[NDArray[np.float32]]


def fit(
    recipe: Recipe,
    network: keras.Sequential,
    train: LabelledImages,
    validation: LabelledImages,
    report: Callable[[float, Epoch | None], None] = lambda progress, epoch: None,
    keep: Callable[[Fitted, Weights], None] = lambda fitted, weights: None,
) -> Fitted:
    """Train ``network`` in place; it ends up with the weights of the best epoch.

    Args:
        recipe: of the run.
        network: to begin with.
        train: images to train on; their labels may be `NO_DIGIT`.
        validation: images to choose the best epoch by.
        report: is called several times an epoch with the progress in [0, 1], and with the epoch's
            numbers at its end. It may raise KeyboardInterrupt.
        keep: is called at the end of each epoch with what the training would come to if it ended
            here, and the weights of the best epoch.

    Raises:
        DataError: the loss is no number in the first epoch.
        KeyboardInterrupt: of ``report``, before the first epoch ended; after it, it ends the
            training at the best so far.

    """
    pictures, labels = train.images, train.labels
    rng = np.random.default_rng(recipe.seed)
    kind = TRAINABLES[network.name]
    trained = kind.build_trained(network, recipe)
    steps = max(
        1, len(pictures) // recipe.batch_size
    )  # an epoch: its last few pictures come in another one
    rates = one_cycle(recipe.learning_rate, recipe.epochs * steps)
    step = _Step(trained, kind, recipe)
    average = _Average(trained, recipe.averaged_epochs * _SECTIONS)
    distorted = validation
    if recipe.augmentation:
        distorted = LabelledImages(
            augment(validation.images, recipe.augmentation, rng), validation.labels
        )
    history: list[Epoch] = []
    best: Epoch | None = None
    best_weights = network.get_weights()
    interrupted = False
    diverged: int | None = None

    def prepare() -> tuple[Pictures, Labels]:
        order = rng.permutation(len(pictures))
        chosen = pictures[order]
        return augment(chosen, recipe.augmentation, rng) if recipe.augmentation else chosen, labels[
            order
        ]

    with ThreadPoolExecutor(1) as worker:
        ready = worker.submit(prepare)
        try:
            for number in range(1, recipe.epochs + 1):
                started = time.monotonic()
                inputs, truth = ready.result()
                if number < recipe.epochs:
                    ready = worker.submit(prepare)
                loss = right = digits = 0.0
                for section in np.array_split(np.arange(steps), min(_SECTIONS, steps)):
                    batches = slice(
                        section[0] * recipe.batch_size, (section[-1] + 1) * recipe.batch_size
                    )
                    done = (number - 1) * steps + section
                    part_loss, part_right = step(inputs[batches], truth[batches], rates[done])
                    loss, right = loss + part_loss, right + part_right
                    digits += np.count_nonzero(truth[batches] >= 0)
                    average.update()
                    report((done[-1] + 1) / len(rates), None)
                if not math.isfinite(loss):
                    diverged = number
                    break
                with average.in_place():
                    kind.fold(trained, network, to_network_input(inputs[:_STATISTICS]))
                validation_loss, validation_accuracy = score(network, validation)
                distorted_loss, distorted_accuracy = score(network, distorted)
                if not math.isfinite(validation_loss + distorted_loss):
                    diverged = number
                    break
                better = (
                    best is None
                    or validation_loss + distorted_loss
                    <= best.validation_loss + best.distorted_loss
                )
                seen = min(len(inputs), steps * recipe.batch_size)
                epoch = Epoch(
                    number,
                    loss / seen,
                    right / digits,
                    validation_loss,
                    validation_accuracy,
                    float(rates[number * steps - 1]),
                    time.monotonic() - started,
                    distorted_loss,
                    distorted_accuracy,
                    better,
                )
                history.append(epoch)
                if best is None or better:
                    best, best_weights = epoch, network.get_weights()
                report(number / recipe.epochs, epoch)
                keep(Fitted(list(history), best), best_weights)
                if recipe.patience and number - best.number >= recipe.patience:
                    break
        except KeyboardInterrupt:
            if best is None:
                raise
            interrupted = True
    if best is None:
        raise DataError(f"the loss is no number in epoch {diverged}; try a lower --learning-rate")
    network.set_weights(best_weights)
    return Fitted(history, best, interrupted, diverged)


class _Step:
    """Some steps of AdamW on the trained network, as one TensorFlow graph."""

    def __init__(self, trained: keras.Model, kind: Trainable, recipe: Recipe) -> None:
        self._trained = trained
        self._losses = kind.losses
        self._recipe = recipe
        self._optimizer = keras.optimizers.AdamW(weight_decay=recipe.weight_decay)
        self._optimizer.build(trained.trainable_variables)
        shapes = ((None, 28, 28), tf.uint8), ((None,), tf.int64), ((None,), tf.float32)
        self._run = tf.function(
            self._steps, input_signature=[tf.TensorSpec(*shape) for shape in shapes]
        )

    def __call__(
        self, pictures: Pictures, labels: Labels, rates: NDArray[np.float32]
    ) -> tuple[float, float]:
        """Train on as many batches as there are rates; return the losses' sum and count right."""
        loss, right = self._run(tf.constant(pictures), tf.constant(labels), tf.constant(rates))
        return float(loss), float(right)

    def _steps(
        self, pictures: tf.Tensor, labels: tf.Tensor, rates: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        size, smoothing = self._recipe.batch_size, self._recipe.label_smoothing
        variables = self._trained.trainable_variables
        total_loss = total_right = tf.zeros(())
        for index in tf.range(tf.size(rates)):
            batch = slice(index * size, (index + 1) * size)
            inputs = tf.cast(pictures[batch], tf.float32)[..., tf.newaxis] / 255
            truth = labels[batch]
            even = tf.where(truth < 0, 1.0, smoothing)[
                :, tf.newaxis
            ]  # no digit: all ten answers alike
            targets = tf.one_hot(truth, 10) * (1 - even) + even / 10
            with tf.GradientTape() as tape:
                scores = self._trained(inputs, training=True)
                losses = self._losses(targets, scores)
                loss = tf.reduce_mean(losses)
            self._optimizer.learning_rate.assign(rates[index])
            self._optimizer.apply(tape.gradient(loss, variables), variables)
            total_loss += tf.reduce_sum(losses)
            total_right += tf.reduce_sum(tf.cast(tf.argmax(scores, axis=1) == truth, tf.float32))
        return total_loss, total_right


class _Average:
    """Exponential average of the trained weights.

    It begins as a plain average, so that short runs have one too.
    """

    def __init__(self, trained: keras.Model, over: float) -> None:
        self._variables = trained.trainable_variables
        self._values = [variable.numpy() for variable in self._variables]
        self._over = over
        self._updates = 0

    def update(self) -> None:
        """Take in the weights as they are."""
        self._updates += 1
        share = max(1 / self._updates, 1 / self._over)
        for value, variable in zip(self._values, self._variables, strict=True):
            value += share * (variable.numpy() - value)

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """Inside the block the network has the averaged weights."""
        own = [variable.numpy() for variable in self._variables]
        for variable, value in zip(self._variables, self._values, strict=True):
            variable.assign(value)
        yield
        for variable, value in zip(self._variables, own, strict=True):
            variable.assign(value)


def one_cycle(highest: float, steps: int) -> NDArray[np.float32]:
    """Return the learning rates of all steps: up linearly, then down to zero along a cosine.

    After Smith and Topin, "Super-Convergence: Very Fast Training of Neural Networks Using Large
    Learning Rates", 2018.
    """
    at = (np.arange(steps) + 0.5) / steps
    up = 0.04 + 0.96 * at / _WARM_UP
    down = (1 + np.cos(np.pi * np.clip((at - _WARM_UP) / (1 - _WARM_UP), 0, 1))) / 2
    return (highest * np.where(at < _WARM_UP, up, down)).astype(np.float32)


def score(network: keras.Sequential, data: LabelledImages) -> tuple[float, float]:
    """Give the mean cross-entropy in nats, and the accuracy in [0, 1], of the network's answers."""
    labels = data.labels
    chances = probabilities(network, data.images)
    likely = np.maximum(chances[np.arange(len(labels)), labels], 1e-12)
    return float(-np.log(likely).mean()), float((chances.argmax(axis=1) == labels).mean())


def probabilities(network: keras.Sequential, pictures: Pictures) -> NDArray[np.float32]:
    """Give the probability of each digit, float32 ``(n, 10)``."""
    answers = [
        network(to_network_input(pictures[i : i + 2000])).numpy()
        for i in range(0, len(pictures), 2000)
    ]
    return np.concatenate(answers)
