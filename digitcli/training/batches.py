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

EXECUTIONS = 20  # calls of TensorFlow an epoch, about; progress and Ctrl-C wait for the next
STATISTICS = 4096  # images that the normalisation's statistics are computed from


@dataclass(frozen=True, slots=True)
class Steps:
    """The steps of an epoch, and how many of them TensorFlow takes in one call.

    Attributes:
        batch_size: number of images in a step.
        per_execution: number of steps in a call.
        per_epoch: number of steps, a multiple of ``per_execution``; the few images left over come
            in the next epoch.

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

    Every image comes once an epoch, in a new order and augmented anew. The batches can be iterated
    over once: the first epoch is augmented from now on, each further one during the one before it.
    """
    signature = (
        tf.TensorSpec((None, batch_size, 28, 28, 1), tf.uint8),
        tf.TensorSpec((None, batch_size, 10), tf.float32),
    )
    epochs = DrawAhead(augmented_epochs(train, recipe, batch_size))
    dataset = tf.data.Dataset.from_generator(lambda: epochs, output_signature=signature)
    batches = dataset.flat_map(lambda *epoch: tf.data.Dataset.from_tensor_slices(epoch))
    return batches.map(lambda images, target: (tf.cast(images, tf.float32) / 255, target))


class DrawAhead(Iterator[Item]):
    """The items of an iterator; a thread makes the next one while the last is used.

    tf.data's own `prefetch` does nothing here: TensorFlow removes it after a stateful generator
    where it must be deterministic.
    """

    def __init__(self, items: Iterator[Item]) -> None:
        self._items = items
        self._worker = ThreadPoolExecutor(1)
        self._upcoming = self._worker.submit(next, items, None)

    def __next__(self) -> Item:
        """Return the next item, and start making the one after it."""
        item = self._upcoming.result()
        if item is None:
            raise StopIteration
        self._upcoming = self._worker.submit(next, self._items, None)
        return item


def augmented_epochs(
    train: LabelledImages, recipe: Recipe, batch_size: int
) -> Iterator[tuple[NDArray[np.uint8], NDArray[np.float32]]]:
    """Yield for each epoch its images and targets, shuffled, augmented and cut into batches."""
    order_rng = generator(recipe.seed, Stream.ORDER)
    augmentation_rng = generator(recipe.seed, Stream.AUGMENTATION)
    steps = len(train) // batch_size
    for _ in range(recipe.epochs):
        order = order_rng.permutation(len(train))[: steps * batch_size]
        images = train.images[order]
        if recipe.augmentation:
            images = augment(images, recipe.augmentation, augmentation_rng)
        targets = compute_targets(train.labels[order], recipe.label_smoothing)
        yield (
            images.reshape(steps, batch_size, 28, 28, 1),
            targets.reshape(steps, batch_size, 10),
        )


def compute_targets(labels: NDArray[np.int64], smoothing: float) -> NDArray[np.float32]:
    """Return the target probabilities, ``(n, 10)``; each row adds up to 1.

    The row of a digit is one-hot, smoothed; that of `NO_DIGIT` is flat.
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
