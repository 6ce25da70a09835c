import keras
import numpy as np

from digitcli.networks import lenet5
from digitcli.weights_folder import bundled, open_weights


def test_its_docstring_tells_the_result_that_the_bundled_weights_have():
    card = open_weights(bundled()[lenet5.NAME]).card
    result = " ".join(lenet5.__doc__.partition("Result: ")[2].split())
    metrics, recipe = card.metrics, card.recipe
    assert result == (
        f"the bundled weights (``digitcli train``, {recipe['epochs']} epochs, seed {card.seed}) "
        f"make {metrics['test_errors']} errors in MNIST's {card.data['test']:,} test images, "
        f"{100 * metrics['test_accuracy']:.2f} % accuracy, "
        f"and {metrics['validation_errors']} in the {card.data['validation']:,} validation images."
    )


def test_it_has_the_seven_layers_of_the_article_and_61_706_numbers():
    network = lenet5.build()
    assert [layer.name for layer in network.layers] == [
        "C1",
        "S2",
        "C3",
        "S4",
        "C5",
        "flatten",
        "F6",
        "output",
    ]
    assert [layer.count_params() for layer in network.layers] == [
        156,
        0,
        2_416,
        0,
        48_120,
        0,
        10_164,
        850,
    ]
    assert network.count_params() == 61_706


def test_its_maps_have_the_sizes_of_the_article():
    network = lenet5.build()
    shapes = {layer.name: tuple(layer.output.shape[1:]) for layer in network.layers}
    assert shapes == {
        "C1": (28, 28, 6),
        "S2": (14, 14, 6),
        "C3": (10, 10, 16),
        "S4": (5, 5, 16),
        "C5": (1, 1, 120),
        "flatten": (120,),
        "F6": (84,),
        "output": (10,),
    }


def test_its_units_are_tanh_and_its_answers_probabilities():
    network = lenet5.build()
    for name in ("C1", "C3", "C5", "F6"):
        assert network.get_layer(name).activation is keras.activations.tanh
    pictures = np.random.default_rng(0).random((3, 28, 28, 1), np.float32)
    answers = network(pictures).numpy()
    assert answers.shape == (3, 10)
    assert (answers > 0).all()
    np.testing.assert_allclose(answers.sum(axis=1), 1, atol=1e-6)
