import pytest

from digitcli.cli.app import load_command
from digitcli.errors import ExitCode
from digitcli.training.recipe import (
    LONG,
    RECIPES,
    Augmentation,
    Recipe,
    RecipeError,
    recipe_for_epochs,
    warm,
)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"epochs": 0}, "epochs must be 1 to 100,000, not 0"),
        ({"batch_size": 1}, "batch size must be 2 to 100,000, not 1"),
        ({"learning_rate": float("nan")}, "learning rate must be 1e-07 to 10, not nan"),
        ({"patience": 0}, "patience must be 1 to 100,000, not 0"),
    ],
)
def test_a_value_out_of_range_is_a_usage_error(value, message):
    with pytest.raises(RecipeError) as caught:
        Recipe(**value)
    assert str(caught.value) == message
    assert caught.value.exit_code == ExitCode.USAGE


def test_the_default_is_the_recipe_that_fits_its_number_of_epochs():
    assert recipe_for_epochs(Recipe().epochs) == Recipe()


def test_few_epochs_change_pictures_less():
    assert (
        recipe_for_epochs(5).augmentation.rotation
        < recipe_for_epochs(LONG).augmentation.rotation
        == Augmentation().rotation
    )
    assert recipe_for_epochs(5).epochs == 5


def test_few_epochs_take_more_and_larger_steps():
    few, many = recipe_for_epochs(LONG - 1), recipe_for_epochs(LONG)
    assert few.batch_size < many.batch_size
    assert few.learning_rate > many.learning_rate


def test_the_help_names_the_values_that_a_run_has():
    options = {option.name: option.help for option in load_command("train").params}
    long, short, own = Recipe(), recipe_for_epochs(5), warm()
    assert options["epochs"] == f"Number of epochs; {long.epochs}, with --from {own.epochs}."
    assert options["batch_size"].startswith(
        f"Images in a batch; {long.batch_size}, or {short.batch_size} for fewer than {LONG} epochs"
    )
    assert own.batch_size == long.batch_size  # "without --from"
    assert options["learning_rate"] == (
        f"Peak learning rate; {long.learning_rate}, or {short.learning_rate} for fewer than {LONG} "
        f"epochs, with --from {own.learning_rate}."
    )


def test_the_network_of_1998_has_a_recipe_of_its_own():
    paper = recipe_for_epochs(None, "lenet5-1998")
    assert paper == RECIPES["lenet5-1998"]
    assert paper.architecture == "lenet5-1998"
    # MNIST's pictures, moved and bent
    assert (paper.drawn, paper.no_digits, paper.augmentation.blur) == (0, 0, 0)
    assert recipe_for_epochs(5, "lenet5-1998").augmentation.rotation < paper.augmentation.rotation


@pytest.mark.parametrize("architecture", RECIPES)
def test_a_warm_start_is_short_and_slow_and_trains_the_network_as_it_is(architecture):
    cold, own = RECIPES[architecture], warm(architecture)
    assert own.architecture == architecture
    assert own.epochs < cold.epochs and own.learning_rate < cold.learning_rate
    assert not own.normalise and own.label_smoothing == 0
