import dataclasses
import time
from collections.abc import Mapping
from pathlib import Path

import keras
import numpy as np
import pytest

from digitcli.cli import train as command
from digitcli.datasets import mnist
from digitcli.datasets.labelled import NO_DIGIT, LabelledImages
from digitcli.networks import lenet5
from digitcli.training import fit as fit_module
from digitcli.training import run
from digitcli.training.augmentation import augment
from digitcli.training.calibration import fit_temperature
from digitcli.training.data import TrainingData, join
from digitcli.training.fit import keep_best, learning_rate
from digitcli.training.history import Epoch, Fitted, Score
from digitcli.training.recipe import Recipe
from digitcli.training.run import (
    Trained,
    calibrate,
    compare_own,
    count_errors,
    finish,
    is_right,
)
from digitcli.training.scoring import probabilities
from digitcli.training.trainable import TRAINABLES, build_network
from digitcli.weights_folder import open_weights

EPOCH = Epoch(
    number=1,
    training=Score(0.3, 0.9),
    validation=Score(0.2, 0.95),
    distorted=Score(0.25, 0.93),
    learning_rate=0.001,
    seconds=1.5,
    best=True,
)
FITTED = Fitted(history=[EPOCH], best=EPOCH)


@pytest.fixture
def network():
    keras.utils.set_random_seed(0)
    return lenet5.build()


def test_an_image_of_no_digit_is_right_where_the_network_is_unsure(network) -> None:
    some = mnist.load_splits().validation[:50]
    images = LabelledImages(some.images, np.full(50, NO_DIGIT))
    assert is_right(network, images, 1.0).all()
    assert not is_right(network, images, 0.0).any()
    assert is_right(network, some, 1.0).sum() == 50 - count_errors(network, some)


def test_what_a_warm_start_made_of_ones_own_images() -> None:
    right, before = np.array([1, 1, 1, 0, 1], bool), np.array([1, 0, 0, 1, 0], bool)
    assert compare_own(right, before) == {
        "own_test_errors_before": 3,
        "own_test_errors": 1,
        "own_test_better": 3,
        "own_test_worse": 1,
        "own_test_p": 0.625,
    }


@pytest.mark.parametrize(
    ("better", "worse", "p", "verdict"),
    [
        (1, 0, 1.0, "not clearly other than"),
        (9, 2, 0.065, "better than"),
        (2, 9, 0.065, "WORSE than"),
    ],
)
def test_better_is_not_claimed_for_one_image_of_a_hundred(
    capsys, better: int, worse: int, p: float, verdict: str
) -> None:
    metrics: dict[str, float] = {f"own_test_{name}": 0 for name in ("errors", "errors_before")}
    metrics |= {"own_test_better": better, "own_test_worse": worse, "own_test_p": p}
    command._compare(metrics, 100, None)
    assert f": {verdict} the weights it began with\n" in capsys.readouterr().out


def test_the_card_counts_each_validation_image_once(network) -> None:
    validation = mnist.load_splits().validation
    own = LabelledImages(validation.images[:5], (validation.labels[:5] + 1) % 10)
    rest = validation[5:205]
    data = TrainingData(rest, join(rest, own), rest, own_validation=own)
    assert len(data.balanced_validation()) == 400
    card = finish(network, Recipe(), None, data, FITTED).card
    assert card.metrics["validation_errors"] == count_errors(network, data.validation) <= 205


def own_images_with_other_labels() -> TrainingData:
    """A warm start's data, whose own validation images are all labelled wrongly."""
    some = mnist.load_splits().validation
    own = LabelledImages(some.images[:20], (some.labels[:20] + 1) % 10)
    rest = some[20:420]
    return TrainingData(rest, join(rest, own), rest, own_validation=own, facts={})


PLAIN = dataclasses.replace(Recipe(), augmentation=None)


def test_a_finished_network_is_calibrated() -> None:
    network = build_network("lenet5", open_weights("lenet5"))
    TRAINABLES[network.name].cool(network, 0.25)  # much too sure
    validation = mnist.load_splits().validation[:1000]
    data = TrainingData(validation, validation, validation)
    card = finish(network, PLAIN, None, data, FITTED).card
    assert card.metrics["temperature"] > 2
    logits = np.log(probabilities(network, validation.images))
    assert fit_temperature(logits, validation.labels) == pytest.approx(1, abs=0.01)


def test_ones_own_validation_images_weigh_half_in_the_temperature() -> None:
    data = own_images_with_other_labels()
    network = build_network("lenet5", open_weights("lenet5"))
    card = finish(network, PLAIN, None, data, FITTED).card
    assert card.metrics["temperature"] > 4  # 1.9 where they count once


def test_ones_own_validation_images_choose_the_epoch(monkeypatch) -> None:
    data = own_images_with_other_labels()
    chosen_by = []

    def fit(recipe, network, train, validation, *callbacks):
        chosen_by.append(validation)
        return FITTED

    monkeypatch.setattr(run, "fit", fit)
    monkeypatch.setattr(run, "assemble", lambda *args, **options: data)
    run.train(PLAIN)
    [validation] = chosen_by
    assert len(validation) == 800
    assert validation.digests().count(data.own_validation.digests()[0]) == 20


def test_the_copies_that_choose_the_epoch_do_not_fit_the_temperature(monkeypatch, network) -> None:
    drawn = []

    def augmented(images, how, rng):
        drawn.append(augment(images, how, rng))
        return drawn[-1]

    monkeypatch.setattr(run, "augment", augmented)
    monkeypatch.setattr(fit_module, "augment", augmented)
    validation = mnist.load_splits().validation[:100]
    keep_best(Recipe(), network, validation, validation, learning_rate(0.001, 1))
    calibrate(network, validation, Recipe())
    of_choice, of_temperature = drawn
    assert (of_choice != of_temperature).any(axis=(1, 2)).all()


def test_the_best_so_far_is_handed_out_once_a_minute_where_there_is_a_better_one(
    monkeypatch,
) -> None:
    clock = 1000.5
    monkeypatch.setattr(time, "monotonic", lambda: clock)
    network = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, use_bias=False)])
    network.set_weights([np.array([[7.0]])])
    card = open_weights("lenet5").card
    handed_out: list[Trained] = []

    def finished(fitted: Fitted) -> Trained:
        metrics = {"weight": float(network.get_weights()[0][0, 0])}
        return Trained(network, dataclasses.replace(card, metrics=metrics), fitted)

    checkpoints = run.Checkpoints(network, finished, handed_out.append)
    first, better = (
        Fitted(history=[], best=dataclasses.replace(EPOCH, number=number)) for number in (1, 2)
    )
    for seconds, fitted in ((59, first), (2, first), (61, first), (1, better), (10, better)):
        clock += seconds
        checkpoints.keep(fitted, [np.array([[float(fitted.best.number)]])])
    assert [trained.fitted.best.number for trained in handed_out] == [1, 2]
    assert [trained.card.metrics["weight"] for trained in handed_out] == [1, 2]
    clock += 40
    checkpoints.keep(first, [np.array([[1.0]])])
    assert len(handed_out) == 2  # a minute after the last has not passed
    assert network.get_weights()[0] == [[7.0]]


@pytest.mark.slow
def test_what_was_learned_is_listed_and_passed_on_from_round_to_round(digitcli, tmp_path) -> None:
    from PIL import Image

    some = mnist.load_splits().validation[:400]
    for row, (image, label) in enumerate(zip(some.images, some.labels, strict=True)):
        place = tmp_path / f"round{row % 2}" / str(label)
        place.mkdir(parents=True, exist_ok=True)
        Image.fromarray(255 - image).save(place / f"{row}.png")
    start: str | Path = "lenet5"
    learned: set[str] = set()
    for number in range(2):
        output = tmp_path / f"mine{number}"
        done = digitcli(
            *("train", "--data", tmp_path / f"round{number}", "--from", start),
            *("--epochs", "1", "--output", output),
        )
        assert (done.returncode, done.stderr) == (0, "")
        assert "images kept aside: " in done.stdout
        seen = set((output / "seen.txt").read_text().split())
        assert learned < seen
        start, learned = output, seen
    counted = digitcli("evaluate", tmp_path / "round0", "-w", output)
    assert f"was trained on {sum_of_own(tmp_path / 'mine0')} of these images" in counted.stdout


def sum_of_own(folder) -> int:
    from digitcli.weights_folder import open_weights

    data: Mapping[str, int] = open_weights(folder).card.data
    return data["own_train"] + data["own_validation"]
