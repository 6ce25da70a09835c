"""What the network is trained on: batches of augmented images, endlessly shuffled."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from digitcli.datasets.labelled import NO_DIGIT, LabelledImages
from digitcli.inference.network import to_network_input
from digitcli.training.augmentation import augment
from digitcli.training.recipe import Recipe
from digitcli.training.streams import Stream, generator

Item = TypeVar("Item")

EXECUTIONS = 20  # calls of TensorFlow an epoch, about: progress and Ctrl-C come between them
STATISTICS = 4096  # images that the normalisation's statistics are computed from


@dataclass(frozen=True, slots=True)
class Steps:
    """The steps of an epoch, and how many of them TensorFlow takes in one call.

    Attributes:
        batch_size: images a step.
        per_execution: steps in one call.
        per_epoch: a multiple of it; the few images left over come in the next epoch.

    """

    batch_size: int
    per_execution: int
    per_epoch: int

    @classmethod
    def of(cls, recipe: Recipe, images: int) -> "Steps":
        """Return the steps for a number of images to train on."""
        batch_size = min(recipe.batch_size, images)
        steps = images // batch_size
        per_execution = max(1, steps // EXECUTIONS)
        return cls(batch_size, per_execution, steps // per_execution * per_execution)


def training_batches(train: LabelledImages, recipe: Recipe, batch_size: int) -> tf.data.Dataset:
    """Return the batches of all epochs: network input ``(b, 28, 28, 1)`` and targets ``(b, 10)``.

    Every image comes once an epoch, in a new order and augmented anew. They can be gone through
    once: the first copies are drawn from now on, the next while the network learns from these.
    """
    signature = (
        tf.TensorSpec((None, batch_size, 28, 28, 1), tf.uint8),
        tf.TensorSpec((None, batch_size, 10), tf.float32),
    )
    drawn = DrawAhead(augmented_copies(train, recipe, batch_size))
    copies = tf.data.Dataset.from_generator(lambda: drawn, output_signature=signature)
    batches = copies.flat_map(lambda *copy: tf.data.Dataset.from_tensor_slices(copy))
    return batches.map(lambda images, wanted: (tf.cast(images, tf.float32) / 255, wanted))


class DrawAhead(Iterator[Item]):
    """The items of an iterator; a thread draws the next one while the last is used.

    tf.data's own `prefetch` does nothing here: TensorFlow removes it after a stateful generator
    where it must be deterministic.
    """

    def __init__(self, items: Iterator[Item]) -> None:
        self._items = items
        self._worker = ThreadPoolExecutor(1)
        self._upcoming = self._worker.submit(next, items, None)

    def __next__(self) -> Item:
        """Wait for the next item, and have the one after it drawn."""
        item = self._upcoming.result()
        if item is None:
            raise StopIteration
        self._upcoming = self._worker.submit(next, self._items, None)
        return item


def augmented_copies(
    train: LabelledImages, recipe: Recipe, batch_size: int
) -> Iterator[tuple[NDArray[np.uint8], NDArray[np.float32]]]:
    """Yield for each epoch all images and targets, shuffled, augmented and cut into batches."""
    order_rng = generator(recipe.seed, Stream.ORDER)
    augmentation_rng = generator(recipe.seed, Stream.AUGMENTATION)
    steps = len(train) // batch_size
    for _ in range(recipe.epochs):
        order = order_rng.permutation(len(train))[: steps * batch_size]
        images = train.images[order]
        if recipe.augmentation:
            images = augment(images, recipe.augmentation, augmentation_rng)
        yield (
            images.reshape(steps, batch_size, 28, 28, 1),
            targets(train.labels[order], recipe.label_smoothing).reshape(steps, batch_size, 10),
        )


def targets(labels: NDArray[np.int64], smoothing: float) -> NDArray[np.float32]:
    """Return what the network's ten outputs should be, ``(n, 10)``; each row adds up to 1.

    A digit's row is one-hot, smoothed. The row of `NO_DIGIT` is flat: all ten answers alike.
    """
    one_hot = np.eye(10)[labels]
    flatness = np.where(labels == NO_DIGIT, 1.0, smoothing)[:, np.newaxis]
    return np.asarray(one_hot * (1 - flatness) + flatness / 10, np.float32)


def images_for_statistics(train: LabelledImages, recipe: Recipe) -> NDArray[np.float32]:
    """Return some thousand training images, augmented as in training, as network input."""
    rng = generator(recipe.seed, Stream.STATISTICS)
    images = train.images[rng.permutation(len(train))[:STATISTICS]]
    if recipe.augmentation:
        images = augment(images, recipe.augmentation, rng)
    return to_network_input(images)
