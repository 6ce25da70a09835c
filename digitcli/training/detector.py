"""Train the detector on generated images with MNIST's training digits.

``python -m digitcli.training.detector --output weights/detector`` makes the bundled weights.
"""

import argparse
import dataclasses
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import cv2
import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from digitcli import weights_folder
from digitcli.datasets import mnist
from digitcli.networks import detector
from digitcli.networks.serialization import to_keras_weights, to_tflite
from digitcli.preprocessing.characters import find_characters
from digitcli.preprocessing.detection import Sight, network_input
from digitcli.synthesis.scenes import composite
from digitcli.training.run import now, versions_in_use


@dataclass(frozen=True, slots=True)
class DetectorRecipe:
    """All that decides the detector's training."""

    pictures: int = 200_000  # number of composites, each of which is trained on once
    batch_size: int = 16
    learning_rate: float = 2e-3  # the peak; cosine decay to 0
    warmup: float = 0.03  # share of the steps in which the learning rate rises from 0
    weight_decay: float = 1e-4
    averaging: float = 0.999  # momentum of the exponential average of the weights, which is kept
    seed: int = 4


_MEASURED = 2048  # composites that the trained detector is measured on
_SMOOTHING = 10  # pixels added to Dice's counts, so that an image without ink has a gradient too


def make_batch(
    digits: npt.NDArray[np.uint8], size: int, rng: np.random.Generator
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Make a batch of composites.

    Returns:
        The detector's input, float32 (size, 128, 128, 4), and its targets, the maps of ink and of
        the middles of digits, float32 (size, 128, 128, 2) in [0, 1].

    """
    composites = [composite(digits, rng) for _ in range(size)]
    inputs = np.stack([network_input(each.image) for each in composites])
    targets = np.stack([np.dstack([each.ink, each.characters]) for each in composites])
    return inputs, targets.astype(np.float32) / np.float32(255)


def loss(targets: keras.KerasTensor, probabilities: keras.KerasTensor) -> keras.KerasTensor:
    """Return the loss of each image: 4 times the mean cross-entropy of its pixels, plus 1 - Dice.

    Dice's coefficient, the mean of both maps, lets a tiny digit count as much as a large one.
    """
    ops = keras.ops
    entropy = ops.mean(keras.losses.binary_crossentropy(targets, probabilities), axis=(1, 2))
    both = ops.sum(targets * probabilities, axis=(1, 2))
    total = ops.sum(targets + probabilities, axis=(1, 2))
    dice = ops.mean((2 * both + _SMOOTHING) / (total + _SMOOTHING), axis=1)
    return 4 * entropy + 1 - dice


def train_detector(recipe: DetectorRecipe, digits: npt.NDArray[np.uint8]) -> keras.Model:
    """Train the detector on composites of ``digits`` (n, 28, 28)."""
    keras.utils.set_random_seed(recipe.seed)
    tf.config.experimental.enable_op_determinism()
    cv2.setNumThreads(1)
    steps = recipe.pictures // recipe.batch_size
    warmup = max(1, round(recipe.warmup * steps))
    rates = keras.optimizers.schedules.CosineDecay(
        initial_learning_rate=0.0,
        decay_steps=steps - warmup,
        warmup_target=recipe.learning_rate,
        warmup_steps=warmup,
    )
    optimizer = keras.optimizers.AdamW(
        rates,
        weight_decay=recipe.weight_decay,
        global_clipnorm=1.0,
        use_ema=True,
        ema_momentum=recipe.averaging,
    )
    model = detector.build()
    model.compile(optimizer=optimizer, loss=loss)
    rng = np.random.default_rng(recipe.seed)
    losses = []
    with ThreadPoolExecutor(1) as drawer:  # the next composites are drawn during a step
        upcoming = drawer.submit(make_batch, digits, recipe.batch_size, rng)
        for step in range(1, steps + 1):
            inputs, targets = upcoming.result()
            upcoming = drawer.submit(make_batch, digits, recipe.batch_size, rng)
            losses.append(float(model.train_on_batch(inputs, targets)))
            if step % 100 == 0 or step == steps:
                print(f"step {step} of {steps}: loss {np.mean(losses[-100:]):.4f}", flush=True)
    model.optimizer.finalize_variable_values(model.trainable_variables)
    # a model without the optimizer, whose state would treble the weights file
    trained = detector.build()
    trained.set_weights(model.get_weights())
    return trained


def measure(
    model: keras.Model, digits: npt.NDArray[np.uint8], recipe: DetectorRecipe
) -> dict[str, float]:
    """Measure the detector on 2,048 composites of other digits.

    Returns:
        ``ink_recall``: the share of the ink's pixels that are found.
        ``ink_precision``: the share of the pixels found that are ink.
        ``counted_right``: of the images with digits, the share in which as many characters are
        found as there are.
        ``empty_left_alone``: of the images without, the share in which none is found.

    """
    rng = np.random.default_rng(recipe.seed + 1)
    true_positives = found_pixels = ink_pixels = 0
    images = Counter[bool]()  # by whether they show a digit
    counted_right = Counter[bool]()
    for _ in range(_MEASURED // recipe.batch_size):
        inputs, targets = make_batch(digits, recipe.batch_size, rng)
        probabilities = model.predict_on_batch(inputs)
        found = probabilities[..., 0] > 0.5
        ink = targets[..., 0] > 0.5
        true_positives += int((found & ink).sum())
        found_pixels += int(found.sum())
        ink_pixels += int(ink.sum())
        for probability, target in zip(probabilities, targets, strict=True):
            count = _count_characters(target)
            shows_digit = count > 0
            images[shows_digit] += 1
            counted_right[shows_digit] += _count_characters(probability) == count
    return {
        "composites": _MEASURED,
        "ink_recall": round(true_positives / ink_pixels, 4),
        "ink_precision": round(true_positives / found_pixels, 4),
        "counted_right": round(counted_right[True] / images[True], 4),
        "empty_left_alone": round(counted_right[False] / images[False], 4),
    }


def _count_characters(maps: npt.NDArray[np.float32]) -> int:
    """Count the characters that the maps (128, 128, 2) show."""
    ink, characters = (np.ascontiguousarray(each) for each in np.moveaxis(maps, -1, 0))
    found = find_characters(Sight(ink, characters))
    return 0 if found is None else found.count


def to_detector_tflite(model: keras.Model) -> bytes:
    """Return the detector as a LiteRT model that takes one float32 image at a time."""
    image = keras.Input(model.input_shape[1:], batch_size=1)
    return to_tflite(keras.Model(image, model(image)))


def main() -> None:
    """Train the detector and write its weights folder."""
    parser = argparse.ArgumentParser(
        prog="python -m digitcli.training.detector", description=main.__doc__
    )
    parser.add_argument("--output", type=Path, required=True, help="the weights folder to write")
    parser.add_argument(
        "--pictures",
        type=int,
        default=DetectorRecipe().pictures,
        help="number of composites to train on",
    )
    parser.add_argument("--force", action="store_true", help="replace an existing folder")
    options = parser.parse_args()
    recipe = DetectorRecipe(pictures=options.pictures)
    splits = mnist.load_splits()
    start = time.process_time()
    model = train_detector(recipe, splits.train.images)
    card = weights_folder.ModelCard(
        architecture="detector",
        seed=recipe.seed,
        created=now(),
        min_confidence=0.5,
        recipe=dataclasses.asdict(recipe),
        data={
            "name": "MNIST on generated paper",
            "sha256": mnist.SHA256,
            "train": len(splits.train),
        },
        metrics={
            **measure(model, splits.validation.images, recipe),
            "cpu_seconds": round(time.process_time() - start),
        },
        versions=versions_in_use(),
    )
    card = weights_folder.write_weights(
        options.output,
        card,
        model=to_detector_tflite(model),
        keras_weights=to_keras_weights(model),
        replace=options.force,
    )
    print(card.to_json())


if __name__ == "__main__":
    main()
