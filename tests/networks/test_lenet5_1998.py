"""The network of 1998, held against the paper: its tables, its figure, its equations."""

import math

import keras
import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter

from digitcli.datasets import mnist
from digitcli.inference.network import Network, to_network_input
from digitcli.networks import lenet5, lenet5_1998
from digitcli.networks.serialization import load_keras_weights, to_tflite
from digitcli.training.scoring import probabilities
from digitcli.weights_folder import open_weights

# Table I read downwards, in the paper's words: six maps see three neighbours, six see four
# neighbours, three see four that are not all neighbours, the last sees all. The sixth map's
# neighbour is the first.
SEEN = [
    {0, 1, 2}, {1, 2, 3}, {2, 3, 4}, {3, 4, 5}, {4, 5, 0}, {5, 0, 1},
    {0, 1, 2, 3}, {1, 2, 3, 4}, {2, 3, 4, 5}, {3, 4, 5, 0}, {4, 5, 0, 1}, {5, 0, 1, 2},
    {0, 1, 3, 4}, {1, 2, 4, 5}, {0, 2, 3, 5},
    {0, 1, 2, 3, 4, 5},
]  # fmt: skip

# Figure 3: a digit's twelve rows as hexadecimal numbers, a pixel a bit, the leftmost the highest of
# seven.
BITMAPS = {
    0: "3e 00 1c 36 63 63 63 63 36 1c 00 00",
    1: "0c 1c 3c 0c 0c 0c 0c 0c 0c 3f 00 00",
    2: "3e 00 3e 63 43 06 1c 30 60 7f 00 00",
    3: "7f 03 06 0c 1e 03 03 03 63 3e 00 00",
    4: "3e 00 00 33 33 73 63 63 67 3f 03 03",
    5: "3e 00 7f 60 60 3c 1e 03 63 3e 00 00",
    6: "1e 30 60 60 7e 73 63 63 73 3e 00 00",
    7: "7f 03 03 06 0c 0c 18 18 18 18 00 00",
    8: "3e 63 63 63 3e 63 63 63 63 3e 00 00",
    9: "3e 67 63 63 67 3f 03 03 06 3c 00 00",
}


@pytest.fixture(scope="module")
def network():
    keras.utils.set_random_seed(1998)
    return lenet5_1998.build()


@pytest.fixture(scope="module")
def pictures():
    return np.random.default_rng(1998).random((4, 28, 28, 1), np.float32)


def up_to(network: keras.Sequential, layer: str) -> keras.Model:
    return keras.Model(network.inputs[0], network.get_layer(layer).output)


def squashed(sums: np.ndarray) -> np.ndarray:
    return 1.7159 * np.tanh(2 / 3 * sums)


def test_it_trains_60_000_numbers_layer_by_layer_as_the_paper_counts_them(network):
    counts = {
        layer.name: sum(math.prod(v.shape) for v in layer.trainable_variables)
        for layer in network.layers
    }
    trained = {name: count for name, count in counts.items() if count}
    assert trained == {"C1": 156, "S2": 12, "C3": 1_516, "S4": 32, "C5": 48_120, "F6": 10_164}
    assert sum(trained.values()) == 60_000


def test_its_maps_have_the_sizes_of_the_paper(network):
    shapes = {layer.name: tuple(layer.output.shape[1:]) for layer in network.layers}
    assert shapes["input"] == (32, 32, 1)
    assert shapes["C1"] == (28, 28, 6)
    assert shapes["S2"] == (14, 14, 6)
    assert shapes["C3"] == (10, 10, 16)
    assert shapes["S4"] == (5, 5, 16)
    assert shapes["C5"] == (1, 1, 120)
    assert shapes["F6"] == (84,)
    assert shapes["output"] == (10,)


def test_the_picture_lies_in_the_middle_of_32_by_32_between_minus_0_1_and_1_175(network):
    inputs = up_to(network, "input")(np.ones((1, 28, 28, 1), np.float32)).numpy()[0, :, :, 0]
    np.testing.assert_allclose(inputs[2:-2, 2:-2], 1.175, atol=1e-6)
    inputs[2:-2, 2:-2] = -0.1
    np.testing.assert_allclose(inputs, -0.1, atol=1e-6)


def test_squashing_keeps_1_and_minus_1_and_is_bounded_by_1_7159():
    values = lenet5_1998.squash(np.array([-50, -1, 0, 1, 50], np.float32)).numpy()
    np.testing.assert_allclose(values, [-1.7159, -1, 0, 1, 1.7159], atol=1e-4)


@pytest.mark.parametrize("name", ["S2", "S4"])
def test_subsampling_adds_four_pixels_scales_them_adds_a_bias_and_squashes(network, name):
    layer = network.get_layer(name)
    coefficient, bias = layer.coefficient.numpy(), layer.bias.numpy()
    maps = np.random.default_rng(2).normal(size=(3, 6, 8, len(bias))).astype(np.float32)
    sums = maps[:, 0::2, 0::2] + maps[:, 1::2, 0::2] + maps[:, 0::2, 1::2] + maps[:, 1::2, 1::2]
    np.testing.assert_allclose(layer(maps).numpy(), squashed(coefficient * sums + bias), atol=1e-5)


@pytest.mark.parametrize("index", range(16))
def test_a_map_of_c3_sees_the_maps_of_s2_that_table_i_joins_to_it(network, index):
    c3 = network.get_layer("C3")
    plain = np.random.default_rng(3).normal(size=(1, 14, 14, 6)).astype(np.float32)
    before = c3(plain).numpy()[..., index]
    seen = set()
    for number in range(6):
        changed = plain.copy()
        changed[..., number] += 1
        if not np.array_equal(c3(changed).numpy()[..., index], before):
            seen.add(number)
    assert seen == SEEN[index]


def test_every_plane_of_c3_is_trained_and_used_once(network):
    c3 = network.get_layer("C3")
    planes = np.asarray(c3.kernel()).reshape(25, 96).T
    used = planes[np.abs(planes).sum(axis=1) > 0]
    assert used.shape == (60, 25)
    trained = c3.planes.numpy().reshape(25, 60).T
    assert {plane.tobytes() for plane in used} == {plane.tobytes() for plane in trained}


def test_c3_is_a_convolution_squashed(network):
    c3 = network.get_layer("C3")
    maps = np.random.default_rng(4).normal(size=(2, 14, 14, 6)).astype(np.float32)
    kernel, bias = np.asarray(c3.kernel()), c3.bias.numpy()
    # what the unit in row 3, column 4 sees
    one = np.einsum("nyxi,yxio->no", maps[:, 3:8, 4:9], kernel) + bias
    np.testing.assert_allclose(c3(maps).numpy()[:, 3, 4], squashed(one), atol=1e-4)


@pytest.mark.parametrize("digit", range(10))
def test_a_code_is_the_bitmap_of_figure_3_bit_by_bit(digit):
    rows = np.where(lenet5_1998.codes()[digit].reshape(12, 7) > 0, 1, 0)
    assert [int("".join(map(str, row)), 2) for row in rows] == [
        int(row, 16) for row in BITMAPS[digit].split()
    ]


def test_codes_are_plus_and_minus_one_and_differ_in_at_least_twelve_pixels():
    codes = lenet5_1998.codes()
    assert codes.shape == (10, 84)
    assert set(np.unique(codes)) == {-1, 1}
    different = (codes[:, None] != codes[None]).sum(axis=2)
    assert different[~np.eye(10, dtype=bool)].min() == 12  # 6 and 8


def test_an_output_is_the_squared_distance_of_f6_from_the_code(network, pictures):
    f6 = up_to(network, "F6")(pictures).numpy().astype(np.float64)
    distances = up_to(network, "output")(pictures).numpy()
    for digit, code in enumerate(lenet5_1998.codes()):
        np.testing.assert_allclose(distances[:, digit], ((f6 - code) ** 2).sum(axis=1), rtol=1e-5)
    exact = network.get_layer("output")(lenet5_1998.codes()).numpy()
    assert (np.diag(exact) == 0).all()


def test_first_weights_are_uniform_in_2_4_through_fan_in(network):
    ranges = {
        "C1": (network.get_layer("C1").kernel, 25),
        "S2": (network.get_layer("S2").coefficient, 4),
        "C5": (network.get_layer("C5").kernel, 400),
        "F6": (network.get_layer("F6").kernel, 120),
    }
    kernel = np.asarray(network.get_layer("C3").kernel())
    ranges |= {
        f"C3 map {index}": (kernel[..., index], 25 * len(seen)) for index, seen in enumerate(SEEN)
    }
    for name, (weights, inputs) in ranges.items():
        values = np.abs(np.asarray(weights))
        assert values.max() <= 2.4 / inputs, name
        # of six numbers, all are below in one of 4,096 draws
        assert values.max() > 0.25 * 2.4 / inputs, name
    values = network.get_layer("C5").kernel.numpy()
    assert abs(values.mean()) < 1e-4
    # uniform, not only bounded
    np.testing.assert_allclose(values.std(), 2.4 / 400 / math.sqrt(3), rtol=0.02)


def test_the_loss_is_equation_9():
    rng = np.random.default_rng(9)
    distances = rng.uniform(0, 60, (5, 10))
    labels = np.array([0, 3, 9, 5, 5])
    j = lenet5_1998.RUBBISH
    expected = [
        y[label] + math.log(math.exp(-j) + sum(math.exp(-y_i) for y_i in y))
        for y, label in zip(distances, labels, strict=True)
    ]
    losses = lenet5_1998.losses(
        np.eye(10, dtype=np.float32)[labels], distances.astype(np.float32)
    ).numpy()
    np.testing.assert_allclose(losses, expected, rtol=1e-5, atol=1e-5)
    assert (losses > 0).all()


def test_far_rivals_are_not_pushed_further_and_near_ones_are():
    truth = np.eye(10, dtype=np.float32)[[3]]
    far = np.full((1, 10), lenet5_1998.RUBBISH + 20, np.float32)
    far[0, 3] = 1
    near = far.copy()
    near[0, 5] = 2
    loss, pushed = (
        float(lenet5_1998.losses(truth, distances)[0]) for distances in (far, far + 5 * (far > 9))
    )
    assert loss == pytest.approx(pushed, abs=1e-4)
    assert float(lenet5_1998.losses(truth, near)[0]) > loss + 0.1


def test_probabilities_are_a_softmax_of_distances_over_temperature():
    layer = lenet5_1998.Probabilities()
    distances = np.random.default_rng(5).uniform(0, 30, (6, 10)).astype(np.float32)
    layer(distances)
    layer.temperature.assign(4)
    raised = np.exp(-distances.astype(np.float64) / 4)
    np.testing.assert_allclose(
        layer(distances).numpy(), raised / raised.sum(axis=1, keepdims=True), rtol=1e-5
    )


def test_the_temperature_is_stored_but_not_trained(network):
    layer = network.get_layer("probabilities")
    assert [variable.name for variable in layer.non_trainable_variables] == ["temperature"]
    assert not layer.trainable_variables


def test_litert_gives_the_distances_and_the_answers_of_keras():
    bundle = open_weights(lenet5_1998.NAME)
    network = lenet5_1998.build()
    load_keras_weights(network, bundle.keras_weights())
    images = mnist.load_splits().validation.images[:1000]
    keras_distances = up_to(network, "output")(to_network_input(images)).numpy()
    litert_distances = run(to_tflite(up_to(network, "output")), to_network_input(images))
    np.testing.assert_allclose(litert_distances, keras_distances, rtol=0, atol=1e-4)
    answers = Network(lenet5_1998.NAME).probabilities(images)
    np.testing.assert_allclose(answers, probabilities(network, images), atol=1e-5)
    assert (answers.argmax(axis=1) == keras_distances.argmin(axis=1)).all()


def run(model: bytes, inputs: np.ndarray) -> np.ndarray:
    interpreter = Interpreter(model_content=model)
    entry = interpreter.get_input_details()[0]["index"]
    interpreter.resize_tensor_input(entry, inputs.shape)
    interpreter.allocate_tensors()
    interpreter.set_tensor(entry, inputs)
    interpreter.invoke()
    outputs: np.ndarray = interpreter.get_tensor(interpreter.get_output_details()[0]["index"])
    return outputs


def multiplications(network: keras.Sequential) -> int:
    """Count products with weights.

    S2 and S4 have one for each unit, the output of 1998 a square for each pixel.
    """
    total = 0
    for layer in network.layers:
        places = math.prod(layer.output.shape[1:-1])
        if layer.name in ("S2", "S4"):
            total += places * layer.output.shape[-1]
        elif layer.name in lenet5.PARAMETERS and layer.weights:
            total += places * math.prod(layer.weights[0].shape)
        elif layer.name == "output":
            total += lenet5_1998.codes().size
    return total


def test_table_i_saves_90_000_multiplications(network):
    assert multiplications(network) == 328_096
    assert multiplications(lenet5.build()) == 418_096
