"""Training with Keras' ``compile`` and ``fit``.

Beyond the article, the images are augmented anew in each epoch (`batches`), the learning rate rises
and falls, the weights are averaged, a model with batch normalisation is trained in place of the
network and folded into it (`trainable`), and the best epoch is kept (`callbacks`).
"""

from collections.abc import Callable

import keras
from keras.optimizers.schedules import CosineDecay, LearningRateSchedule

from digitcli.datasets.labelled import LabelledImages
from digitcli.errors import DataError
from digitcli.training.augmentation import augment
from digitcli.training.batches import Steps, images_for_statistics, training_batches
from digitcli.training.callbacks import CHOICE_LOSS, KeepBest, Progress, WarmUpAverage, Weights
from digitcli.training.history import Epoch, Fitted
from digitcli.training.recipe import Recipe
from digitcli.training.streams import Stream, generator
from digitcli.training.trainable import TRAINABLES

WARM_UP = 0.25  # share of the steps in which the learning rate rises
FIRST_RATE = 0.04  # of the peak learning rate


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
        recipe: all that decides the training.
        network: with the weights to begin with.
        train: images to train on; their labels may be `NO_DIGIT`.
        validation: images to choose the best epoch by.
        report: is called several times an epoch with the progress in [0, 1] and None, and at the
            end of the epoch with the epoch. It may raise KeyboardInterrupt.
        keep: is called at the end of each epoch with the result so far and the weights of the best
            epoch.

    Raises:
        DataError: the loss is not finite in the first epoch.
        KeyboardInterrupt: ``report`` raised it before the first epoch was completed. Later, it only
            ends the training, and the best epoch so far is the result.

    """
    steps = Steps.of(recipe, len(train))
    batches = training_batches(train, recipe, steps.batch_size)
    rates = learning_rate(recipe.learning_rate, recipe.epochs * steps.per_epoch)
    model = compile_trainable(recipe, network, steps, rates)
    best = keep_best(recipe, network, train, validation, rates)
    interrupted = False
    try:
        model.fit(
            batches,
            epochs=recipe.epochs,
            steps_per_epoch=steps.per_epoch,
            callbacks=[
                WarmUpAverage(momentum(recipe, steps), steps.per_execution),
                keras.callbacks.SwapEMAWeights(swap_on_epoch=True),
                best,
                Progress(report, keep, best),
                *stop_early(recipe),
            ],
            shuffle=False,  # the batches are shuffled already
            verbose=0,
        )
    except KeyboardInterrupt:
        if best.fitted() is None:
            raise
        interrupted = True
    fitted = best.fitted(interrupted=interrupted)
    if fitted is None:
        raise DataError(
            f"the loss is no number in epoch {best.diverged}; try a lower --learning-rate"
        )
    network.set_weights(best.weights)
    return fitted


def compile_trainable(
    recipe: Recipe, network: keras.Sequential, steps: Steps, rates: LearningRateSchedule
) -> keras.Model:
    """Build and compile the model that is trained in place of the network."""
    trainable = TRAINABLES[network.name]
    model = trainable.build_trained(network, recipe)
    optimizer = keras.optimizers.AdamW(rates, weight_decay=recipe.weight_decay, use_ema=True)
    optimizer.ema_momentum = keras.Variable(0.0)  # set by WarmUpAverage
    optimizer.build(model.trainable_variables)  # or TensorFlow traces the first step twice, 1.1 s
    model.compile(
        optimizer,
        loss=trainable.losses,
        metrics=[DigitAccuracy("accuracy")],
        steps_per_execution=steps.per_execution,
        jit_compile=False,  # no gain: a call of 29 steps takes 158 ms without it and 162 ms with it
    )
    return model


def learning_rate(peak: float, steps: int) -> LearningRateSchedule:
    """Return the learning rates of all steps: up linearly, then down to zero along a cosine.

    After Smith and Topin, "Super-Convergence: Very Fast Training of Neural Networks Using Large
    Learning Rates", 2018.
    """
    return CosineDecay(
        FIRST_RATE * peak,
        decay_steps=(1 - WARM_UP) * steps,
        warmup_target=peak,
        warmup_steps=WARM_UP * steps,
    )


def momentum(recipe: Recipe, steps: Steps) -> float:
    """Return the momentum with which weights are averaged over about ``averaged_epochs``."""
    return 1 - 1 / max(1.0, recipe.averaged_epochs * steps.per_epoch)


class DigitAccuracy(keras.metrics.CategoricalAccuracy):
    """The accuracy over the digits; negatives, whose targets are flat, do not count."""

    def update_state(
        self, y_true: keras.KerasTensor, y_pred: keras.KerasTensor, sample_weight: None = None
    ) -> None:
        """Count a batch."""
        is_digit = keras.ops.max(y_true, axis=-1) > 0.5
        super().update_state(y_true, y_pred, sample_weight=is_digit)


def keep_best(
    recipe: Recipe,
    network: keras.Sequential,
    train: LabelledImages,
    validation: LabelledImages,
    rates: LearningRateSchedule,
) -> KeepBest:
    """Build the callback that scores each epoch on validation images, as they are and distorted."""
    statistics = images_for_statistics(train, recipe)
    distorted = validation
    if recipe.augmentation:
        rng = generator(recipe.seed, Stream.CHOICE)
        copies = augment(validation.images, recipe.augmentation, rng)
        distorted = LabelledImages(copies, validation.labels)
    fold = TRAINABLES[network.name].fold
    return KeepBest(
        network, lambda model: fold(model, network, statistics), validation, distorted, rates
    )


def stop_early(recipe: Recipe) -> list[keras.callbacks.Callback]:
    """Return the callback that ends the training after ``patience`` epochs without a better one."""
    if recipe.patience is None:
        return []
    return [keras.callbacks.EarlyStopping(CHOICE_LOSS, patience=recipe.patience, mode="min")]
