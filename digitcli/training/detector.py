"""Train the detector, from MNIST's training digits and generated paper alone.

``python -m digitcli.training.detector --output weights/detector`` makes the weights that digitcli
comes with.
"""

import argparse
import dataclasses
import time
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

    pictures: int = 200_000  # each is seen once
    batch_size: int = 16
    learning_rate: float = 2e-3  # at its highest; cosine decay to nothing
    warmup: float = 0.03  # part of the steps in which the learning rate rises from nothing
    weight_decay: float = 1e-4
    averaging: float = 0.999  # the weights kept are an exponential moving average
    seed: int = 4


def batch(
    digits: npt.NDArray[np.uint8], size: int, rng: np.random.Generator
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Make ``size`` composites: what the detector sees, and its two maps as they should be.

    They are float32 of shape (n, 128, 128, 4), and (n, 128, 128, 2) in [0, 1].
    """
    composites = [composite(digits, rng) for _ in range(size)]
    seen = np.stack([network_input(one.image) for one in composites])
    maps = np.stack([np.dstack([one.ink, one.characters]) for one in composites])
    return seen, maps.astype(np.float32) / np.float32(255)


def loss(maps: keras.KerasTensor, probability: keras.KerasTensor) -> keras.KerasTensor:
    """Compute for both maps the cross-entropy of each pixel plus 1 - Dice of each image.

    With the second a tiny digit counts like a large one.
    """
    ops = keras.ops
    entropy = ops.mean(keras.losses.binary_crossentropy(maps, probability), axis=(1, 2))
    both = ops.sum(maps * probability, axis=(1, 2))
    either = ops.sum(maps + probability, axis=(1, 2))
    dice = ops.mean((2 * both + 10) / (either + 10), axis=1)
    return 4 * entropy + 1 - dice


def train_detector(recipe: DetectorRecipe, digits: npt.NDArray[np.uint8]) -> keras.Model:
    """Train the detector on composites of ``digits`` (n, 28, 28)."""
    keras.utils.set_random_seed(recipe.seed)
    tf.config.experimental.enable_op_determinism()
    cv2.setNumThreads(1)
    steps = recipe.pictures // recipe.batch_size
    warmup = max(1, round(recipe.warmup * steps))
    model = detector.build()
    model.compile(
        optimizer=keras.optimizers.AdamW(
            keras.optimizers.schedules.CosineDecay(
                0.0, steps - warmup, warmup_target=recipe.learning_rate, warmup_steps=warmup
            ),
            weight_decay=recipe.weight_decay,
            global_clipnorm=1.0,
            use_ema=True,
            ema_momentum=recipe.averaging,
        ),
        loss=loss,
    )
    rng = np.random.default_rng(recipe.seed)
    losses = []
    with ThreadPoolExecutor(1) as drawer:  # the next composites are drawn during a step
        upcoming = drawer.submit(batch, digits, recipe.batch_size, rng)
        for step in range(1, steps + 1):
            current = upcoming.result()
            upcoming = drawer.submit(batch, digits, recipe.batch_size, rng)
            losses.append(float(model.train_on_batch(*current)))
            if step % 100 == 0 or step == steps:
                print(f"step {step} of {steps}: loss {np.mean(losses[-100:]):.4f}", flush=True)
    model.optimizer.finalize_variable_values(model.trainable_variables)
    trained = detector.build()  # without the optimiser, whose state would treble the weights file
    trained.set_weights(model.get_weights())
    return trained


def measure(
    model: keras.Model, digits: npt.NDArray[np.uint8], recipe: DetectorRecipe
) -> dict[str, float]:
    """Compare what the detector sees in 2,048 composites of other digits with what they show.

    Returns:
        ``ink_recall`` and ``ink_precision``: shares of the ink that is marked, and of the marks
        that are ink; ``counted_right``: of the images with digits those in which as many characters
        are found as there are; ``empty_left_alone``: of the images without, those in which none is.

    """
    rng = np.random.default_rng(recipe.seed + 1)
    found = marked = ink = 0
    right = {True: 0, False: 0}
    images = {True: 0, False: 0}
    for _ in range(2048 // recipe.batch_size):
        seen, maps = batch(digits, recipe.batch_size, rng)
        probability = model.predict_on_batch(seen)
        mark, true = probability > 0.5, maps > 0.5
        found += int((mark & true)[..., 0].sum())
        marked += int(mark[..., 0].sum())
        ink += int(true[..., 0].sum())
        for one, other in zip(probability, maps, strict=True):
            count = _count(other)
            images[count > 0] += 1
            right[count > 0] += _count(one) == count
    return {
        "composites": 2048,
        "ink_recall": round(found / ink, 4),
        "ink_precision": round(found / marked, 4),
        "counted_right": round(right[True] / images[True], 4),
        "empty_left_alone": round(right[False] / images[False], 4),
    }


def _count(maps: npt.NDArray[np.float32]) -> int:
    ink, characters = (np.ascontiguousarray(maps[..., at]) for at in range(2))
    found = find_characters(Sight(ink, characters))
    return 0 if found is None else found.count


def to_detector_tflite(model: keras.Model) -> bytes:
    """Give the detector as LiteRT runs it: float32, one picture at a time."""
    picture = keras.Input(model.input_shape[1:], batch_size=1)
    return to_tflite(keras.Model(picture, model(picture)))


def main() -> None:
    """Train by the recipe and write the weights folder."""
    parser = argparse.ArgumentParser(
        prog="python -m digitcli.training.detector", description=main.__doc__
    )
    parser.add_argument("--output", type=Path, required=True, help="the weights folder to write")
    parser.add_argument(
        "--pictures",
        type=int,
        default=DetectorRecipe().pictures,
        help="how many composites to learn from",
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
