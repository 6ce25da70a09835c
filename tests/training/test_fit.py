import dataclasses

import keras
import numpy as np
import pytest

from digitcli.errors import DataError
from digitcli.networks import lenet5
from digitcli.training.fit import fit, one_cycle, score
from digitcli.training.recipe import Recipe

SHORT = dataclasses.replace(Recipe(), epochs=3, batch_size=40)


def trained(few, recipe=SHORT, report=lambda progress, epoch: None):
    keras.utils.set_random_seed(recipe.seed)
    network = lenet5.build()
    return network, fit(recipe, network, *few, report)


@pytest.fixture(scope="module")
def run(few):
    """A short training: the network, what came of it, and all that was reported on the way."""
    reports = []
    network, fitted = trained(few, report=lambda progress, epoch: reports.append((progress, epoch)))
    return network, fitted, reports


def test_the_same_seed_gives_the_same_bits(few, run):
    again, fitted = trained(few)
    for ours, theirs in zip(again.get_weights(), run[0].get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert fitted.best.validation_loss == run[1].best.validation_loss


def test_it_learns_from_a_few_hundred_pictures(few, run):
    assert score(run[0], few[1])[1] > 0.6


def test_patience_ends_a_run_and_the_weights_of_the_best_epoch_are_kept(few):
    restless = dataclasses.replace(SHORT, epochs=40, learning_rate=0.3, patience=2)
    network, fitted = trained(few, restless)
    assert len(fitted.history) == fitted.best.number + 2 < 40
    assert loss(fitted.best) == min(map(loss, fitted.history)) < loss(fitted.history[-1])
    assert score(network, few[1])[0] == pytest.approx(fitted.best.validation_loss, rel=1e-5)


def loss(epoch):
    return epoch.validation_loss + epoch.distorted_loss


def test_progress_grows_to_one_and_every_epoch_is_reported(run):
    _, _, reports = run
    assert [progress for progress, _ in reports] == sorted(progress for progress, _ in reports)
    assert reports[-1][0] == 1
    assert [epoch.number for _, epoch in reports if epoch] == list(range(1, SHORT.epochs + 1))


def test_an_interrupt_keeps_the_best_so_far(few):
    def interrupt(progress, epoch):
        if progress > 0.6:
            raise KeyboardInterrupt

    network, fitted = trained(few, report=interrupt)
    assert fitted.interrupted
    assert len(fitted.history) == 1
    assert score(network, few[1])[0] == pytest.approx(fitted.best.validation_loss, rel=1e-5)


def test_an_interrupt_before_the_first_epoch_is_over_leaves_nothing_to_keep(few):
    def interrupt(progress, epoch):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        trained(few, report=interrupt)


def test_a_loss_that_is_no_number_is_an_error(few):
    with pytest.raises(DataError, match="no number in epoch 1"):
        trained(few, dataclasses.replace(SHORT, weight_decay=float("inf")))


def test_the_learning_rate_rises_for_a_quarter_and_falls_to_nothing():
    rates = one_cycle(0.01, 400)
    assert rates.argmax() in range(95, 105)
    assert rates.max() == pytest.approx(0.01, rel=0.02)
    assert (np.diff(rates[105:]) < 0).all()
    assert rates[-1] < 1e-6
