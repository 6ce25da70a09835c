"""Train the detector, from MNIST's training digits and generated paper alone.

``python -m digitcli.training.detector --output weights/detector`` makes the weights that digitcli
comes with.
"""

import argparse
import dataclasses
import time
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
from digitcli.preprocessing.detection import network_input
from digitcli.synthesis.scenes import composite
from digitcli.training.run import now, versions_in_use


@dataclass(frozen=True, slots=True)
class DetectorRecipe:
    """All that decides the detector's training."""

    pictures: int = 64_000  # each is seen once
    batch_size: int = 16
    learning_rate: float = 2e-3  # at its highest; cosine decay to nothing
    warmup: float = 0.03  # part of the steps in which the learning rate rises from nothing
    weight_decay: float = 1e-4
    averaging: float = 0.999  # the weights kept are an exponential moving average
    seed: int = 4


def batch(
    digits: npt.NDArray[np.uint8], size: int, rng: np.random.Generator
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Make ``size`` composites: what the detector sees, and the ink.

    They are float32 of shape (n, 128, 128, 2), and (n, 128, 128, 1) in [0, 1].
    """
    pairs = [composite(digits, rng) for _ in range(size)]
    seen = np.stack([network_input(picture) for picture, _ in pairs])
    ink = np.stack([ink for _, ink in pairs])[..., None].astype(np.float32) / np.float32(255)
    return seen, ink


def loss(ink: tf.Tensor, probability: tf.Tensor) -> tf.Tensor:
    """Compute the cross-entropy of each pixel plus 1 - Dice of each image.

    With the second a tiny digit counts like a large one.
    """
    entropy = tf.reduce_mean(keras.losses.binary_crossentropy(ink, probability), axis=(1, 2))
    both = tf.reduce_sum(ink * probability, axis=(1, 2, 3))
    either = tf.reduce_sum(ink + probability, axis=(1, 2, 3))
    return 4 * entropy + 1 - (2 * both + 10) / (either + 10)


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
    for step in range(1, steps + 1):
        losses.append(float(model.train_on_batch(*batch(digits, recipe.batch_size, rng))))
        if step % 100 == 0 or step == steps:
            print(f"step {step} of {steps}: loss {np.mean(losses[-100:]):.4f}", flush=True)
    model.optimizer.finalize_variable_values(model.trainable_variables)
    trained = detector.build()  # without the optimiser, whose state would treble the weights file
    trained.set_weights(model.get_weights())
    return trained


def measure(
    model: keras.Model, digits: npt.NDArray[np.uint8], recipe: DetectorRecipe
) -> dict[str, float]:
    """Compare the detector's marks, above 0.5, with the ink of 1,024 composites of other digits."""
    rng = np.random.default_rng(recipe.seed + 1)
    found = marked = ink = 0
    for _ in range(1024 // recipe.batch_size):
        seen, truth = batch(digits, recipe.batch_size, rng)
        mark, true = model.predict_on_batch(seen) > 0.5, truth > 0.5
        found, marked, ink = (
            found + int((mark & true).sum()),
            marked + int(mark.sum()),
            ink + int(true.sum()),
        )
    return {
        "composites": 1024,
        "ink_recall": round(found / ink, 4),
        "ink_precision": round(found / marked, 4),
    }


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
