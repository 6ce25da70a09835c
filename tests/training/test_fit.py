import dataclasses

import keras
import numpy as np
import pytest

from digitcli.datasets.labelled import NO_DIGIT, LabelledImages
from digitcli.errors import DataError
from digitcli.networks import lenet5
from digitcli.training.data import join
from digitcli.training.fit import fit, learning_rate
from digitcli.training.recipe import Recipe
from digitcli.training.scoring import calibrated_scores, probabilities, score

SHORT = dataclasses.replace(Recipe(), epochs=3, batch_size=40)


def trained(few, recipe=SHORT, report=lambda progress, epoch: None):
    keras.utils.set_random_seed(recipe.seed)
    network = lenet5.build()
    train, validation = few
    return network, fit(recipe, network, train, validation, report)


@pytest.fixture(scope="module")
def run(few):
    """A short training: the network, what came of it, and all that was reported on the way."""
    reports = []
    network, fitted = trained(few, report=lambda progress, epoch: reports.append((progress, epoch)))
    return network, fitted, reports


def test_a_network_that_is_too_sure_is_scored_as_it_would_be_once_calibrated(few, run):
    network = lenet5.build()
    network.set_weights(run[0].get_weights())
    before = calibrated_scores(network, few[1])[0]
    output = network.layers[-1]
    output.set_weights([4 * weight for weight in output.get_weights()])
    assert score(network, few[1]).loss > 1.5 * before.loss
    assert calibrated_scores(network, few[1])[0].loss == pytest.approx(before.loss, rel=0.02)


def test_the_same_seed_gives_the_same_bits(few, run):
    again, fitted = trained(few)
    for ours, theirs in zip(again.get_weights(), run[0].get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert fitted.best.validation == run[1].best.validation


def test_it_learns_from_a_few_hundred_pictures(few, run):
    assert score(run[0], few[1])[1] > 0.6


def test_patience_ends_a_run_and_the_weights_of_the_best_epoch_are_kept(few):
    restless = dataclasses.replace(SHORT, epochs=40, learning_rate=3.0, patience=2)
    network, fitted = trained(few, restless)
    assert len(fitted.history) == fitted.best.number + 2 < 40
    losses = [epoch.choice_loss for epoch in fitted.history]
    assert fitted.best.choice_loss == min(losses) < losses[-1]
    assert score(network, few[1]).accuracy == fitted.best.validation.accuracy


def test_the_choice_is_also_by_distorted_images_which_are_harder(run):
    for epoch in run[1].history:
        assert epoch.distorted.loss > 1.05 * epoch.validation.loss


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
    assert score(network, few[1]).accuracy == fitted.best.validation.accuracy


def test_an_interrupt_before_the_first_epoch_is_over_leaves_nothing_to_keep(few):
    def interrupt(progress, epoch):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        trained(few, report=interrupt)


def test_a_loss_that_is_no_number_is_an_error(few):
    with pytest.raises(DataError, match="no number in epoch 1"):
        trained(few, dataclasses.replace(SHORT, weight_decay=float("inf")))


def test_the_learning_rate_rises_for_a_quarter_and_falls_to_nothing():
    schedule = learning_rate(0.01, 400)
    rates = np.array([float(schedule(step)) for step in range(401)])
    assert rates.argmax() == 100
    assert rates.max() == pytest.approx(0.01)
    assert (np.diff(rates[100:]) < 0).all()
    assert rates[-1] < 1e-6


def test_the_history_has_the_learning_rate_of_each_epochs_last_step(few, run):
    steps = len(few[0]) // SHORT.batch_size
    schedule = learning_rate(SHORT.learning_rate, SHORT.epochs * steps)
    rates = [epoch.learning_rate for epoch in run[1].history]
    assert rates == pytest.approx([float(schedule(n * steps - 1)) for n in (1, 2, 3)])
    assert rates[-1] > 0


UNAVERAGED = dataclasses.replace(SHORT, averaged_epochs=0.0, learning_rate=0.1)
AVERAGED = dataclasses.replace(UNAVERAGED, averaged_epochs=1.0)


@pytest.fixture(scope="module")
def averaged_and_not(few):
    return trained(few, AVERAGED)[1].history, trained(few, UNAVERAGED)[1].history


def test_while_steps_are_large_the_averaged_weights_are_better(averaged_and_not):
    averaged, not_averaged = averaged_and_not
    assert averaged[0].choice_loss < 0.95 * not_averaged[0].choice_loss


def test_the_training_goes_on_from_the_weights_as_they_were(averaged_and_not):
    averaged, not_averaged = averaged_and_not
    for ours, theirs in zip(averaged, not_averaged, strict=True):
        assert ours.training.loss == pytest.approx(theirs.training.loss, rel=1e-3)


def test_the_average_of_a_long_run_does_not_hold_the_first_weights(few):
    long = dataclasses.replace(SHORT, epochs=1, averaged_epochs=100.0)
    assert trained(few, long)[1].best.validation.accuracy > 0.5


def test_a_network_is_unsure_of_what_it_learned_to_be_no_digit(few):
    train, validation = few
    blank = np.zeros((200, 28, 28), np.uint8)
    blank[:, 10:18, 4:24] = 255
    bars = LabelledImages(blank, np.full(len(blank), NO_DIGIT))
    recipe = dataclasses.replace(SHORT, epochs=5)
    network, _ = trained((join(train, bars), validation), recipe)
    assert probabilities(network, bars.images).max() < 0.3
    assert probabilities(network, validation.images).max(axis=1).mean() > 0.5
