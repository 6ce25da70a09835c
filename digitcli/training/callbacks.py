"""Keras callbacks of a training run, beyond those that Keras comes with."""

import math
import time
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras.optimizers.schedules import LearningRateSchedule
from numpy.typing import NDArray

from digitcli.datasets.labelled import LabelledImages
from digitcli.training.history import Epoch, Fitted, Score
from digitcli.training.scoring import calibrated_scores

Weights = list[NDArray[np.float32]]

CHOICE_LOSS = "choice_loss"  # in Keras' logs


class WarmUpAverage(keras.callbacks.Callback):
    """Begin Keras' exponential average of the weights as a plain average.

    With a high momentum from the start, the random weights that the run begins with would make up
    most of the average until its time is over, in short runs to their end.
    """

    def __init__(self, momentum: float, steps_per_execution: int) -> None:
        super().__init__()
        self._momentum = momentum
        self._steps_per_execution = steps_per_execution
        self._done = 0

    def on_train_batch_begin(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Set the momentum of the steps to come."""
        plain = self._done / (self._done + self._steps_per_execution)
        self.model.optimizer.ema_momentum.assign(min(self._momentum, plain))
        self._done += self._steps_per_execution


class KeepBest(keras.callbacks.Callback):
    """Score the network at the end of each epoch and keep the weights of the best.

    The network is scored as it would be used: with averaged weights, so this callback must come
    after `SwapEMAWeights`; folded; and calibrated. Training stops where a loss is not finite.
    """

    def __init__(
        self,
        network: keras.Sequential,
        fold: Callable[[keras.Model], None],
        validation: LabelledImages,
        distorted: LabelledImages,
        rates: LearningRateSchedule,
    ) -> None:
        super().__init__()
        self.history: list[Epoch] = []
        self.best: Epoch | None = None
        self.weights: Weights = network.get_weights()
        self.diverged: int | None = None
        self._network = network
        self._fold = fold
        self._validation = validation
        self._distorted = distorted
        self._rates = rates
        self._started = 0.0

    def fitted(self, *, interrupted: bool = False) -> Fitted | None:
        """Return the result so far; None before the first epoch is completed."""
        if self.best is None:
            return None
        return Fitted(
            history=list(self.history),
            best=self.best,
            interrupted=interrupted,
            diverged=self.diverged,
        )

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Start the clock."""
        self._started = time.monotonic()

    def on_epoch_end(self, epoch: int, logs: dict[str, Any]) -> None:
        """Score the network, and add the loss that the epoch is chosen by to Keras' logs."""
        number = epoch + 1
        self._fold(self.model)
        sets = [self._validation]
        if self._distorted is not self._validation:
            sets.append(self._distorted)
        scores = calibrated_scores(self._network, *sets)
        validation, distorted = scores[0], scores[-1]
        choice_loss = validation.loss + distorted.loss
        logs[CHOICE_LOSS] = choice_loss
        if not math.isfinite(logs["loss"] + choice_loss):
            self.diverged = number
            self.model.stop_training = True
            return
        last_step = self.model.optimizer.iterations - 1
        better = self.best is None or choice_loss < self.best.choice_loss
        scored = Epoch(
            number=number,
            training=Score(logs["loss"], logs["accuracy"]),
            validation=validation,
            distorted=distorted,
            learning_rate=float(self._rates(last_step)),  # the optimizer has the next step's
            seconds=time.monotonic() - self._started,
            best=better,
        )
        self.history.append(scored)
        if better:
            self.best = scored
            self.weights = self._network.get_weights()


class Progress(keras.callbacks.Callback):
    """Report the progress several times an epoch, and the scores at its end."""

    def __init__(
        self,
        report: Callable[[float, Epoch | None], None],
        keep: Callable[[Fitted, Weights], None],
        kept: KeepBest,
    ) -> None:
        super().__init__()
        self._report = report
        self._keep = keep
        self._kept = kept
        self._epoch = 0

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Note the number of the epoch."""
        self._epoch = epoch

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Report the progress."""
        progress_in_epoch = (batch + 1) / self.params["steps"]
        self._report((self._epoch + progress_in_epoch) / self.params["epochs"], None)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Report the scores of the epoch, and pass on the best weights so far."""
        fitted = self._kept.fitted()
        if fitted is None or fitted.diverged:
            return
        self._report((epoch + 1) / self.params["epochs"], fitted.history[-1])
        self._keep(fitted, self._kept.weights)
