"""LeNet-5 as its authors describe it: 60,000 trainable numbers.

Source: Y. LeCun, L. Bottou, Y. Bengio, P. Haffner, "Gradient-Based Learning Applied to Document
Recognition", Proceedings of the IEEE 86 (11), 1998: section II.B (layers), II.C (loss), appendix A
(squashing, first weights). What the paper leaves open is marked "Guess".
"""

import keras
import numpy as np
from keras import layers, ops
from numpy.typing import NDArray

NAME = "lenet5-1998"

# All that is trained: 60,000 numbers.
PARAMETERS = {
    "C1": 156,  # 6 maps × (5×5×1 + 1)
    "S2": 12,  # 6 maps × (coefficient + bias)
    "C3": 1_516,  # 60 planes of 5×5 + 16 biases
    "S4": 32,  # 16 maps × (coefficient + bias)
    "C5": 48_120,  # 120 maps × (5×5×16 + 1)
    "F6": 10_164,  # 84 units × (120 + 1)
}

BACKGROUND, INK = -0.1, 1.175  # "this makes the mean input roughly 0, and the variance roughly 1"

# Table I: a row is a map of S2, a column a map of C3, an X joins them.
TABLE_I = (
    "X...XXX..XXXX.XX",
    "XX...XXX..XXXX.X",
    "XXX...XXX..X.XXX",
    ".XXX..XXXX..X.XX",
    "..XXX..XXXX.XX.X",
    "...XXX..XXXX.XXX",
)

# Figure 3, the ten digits: 7 wide, 12 high. Guess: the figure is a picture, which we have not seen;
# this is taken from two published transcriptions of it, mattwang44's LeNet-from-Scratch and a
# nameless one in another notation. They agree in 839 of 840 pixels and may go back to one. Where
# they differ, in the fourth row of 9, this follows the first, whose 9 is its 6 turned by 180°. Both
# have the bars over 0, 2, 4 and 5.
FIGURE_3 = """
.#####. ...##.. .#####. ####### .#####. .#####. ..####. ####### .#####. .#####.
....... ..###.. ....... .....## ....... ....... .##.... .....## ##...## ##..###
..###.. .####.. .#####. ....##. ....... ####### ##..... .....## ##...## ##...##
.##.##. ...##.. ##...## ...##.. .##..## ##..... ##..... ....##. ##...## ##...##
##...## ...##.. #....## ..####. .##..## ##..... ######. ...##.. .#####. ##..###
##...## ...##.. ....##. .....## ###..## .####.. ###..## ...##.. ##...## .######
##...## ...##.. ..###.. .....## ##...## ..####. ##...## ..##... ##...## .....##
##...## ...##.. .##.... .....## ##...## .....## ##...## ..##... ##...## .....##
.##.##. ...##.. ##..... ##...## ##..### ##...## ###..## ..##... ##...## ....##.
..###.. .###### ####### .#####. .###### .#####. .#####. ..##... .#####. .####..
....... ....... ....... ....... .....## ....... ....... ....... ....... .......
....... ....... ....... ....... .....## ....... ....... ....... ....... .......
"""

WIDTH, HEIGHT = 7, 12

# j of equation 9. Guess: the paper only says that it is positive. On the validation part 1, 10 and
# 30 came out alike (49, 50, 49 errors in 5,000 after 12 epochs), 100 worse (58). One true digit in
# 40 ends up further than 10 from its code.
RUBBISH = 10.0


def build() -> keras.Sequential:
    """Build the network with fresh weights: uniform in ±2.4 / fan-in.

    It takes float32 pictures ``(n, 28, 28, 1)`` in [0, 1], white ink on black, and gives float32
    probabilities ``(n, 10)``. Its layer ``output`` gives the paper's output: the distances from the
    ten codes. Its own kinds of layers are registered, so Keras loads a file of it where this module
    was imported.
    """
    network = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.ZeroPadding2D(2, name="padding"),  # 32×32
            layers.Rescaling(INK - BACKGROUND, offset=BACKGROUND, name="input"),
            layers.Conv2D(6, 5, activation=squash, **fan_in(25), name="C1"),  # 28×28×6
            Subsampling(name="S2"),  # 14×14×6
            TableConvolution(name="C3"),  # 10×10×16
            Subsampling(name="S4"),  # 5×5×16
            layers.Conv2D(120, 5, activation=squash, **fan_in(400), name="C5"),  # 1×1×120
            layers.Flatten(name="flatten"),
            layers.Dense(84, activation=squash, **fan_in(120), name="F6"),
            Distances(name="output"),
            Probabilities(name="probabilities"),
        ],
        name=NAME,
    )
    trained = {
        layer.name: int(sum(np.prod(v.shape) for v in layer.trainable_variables))
        for layer in network.layers
    }
    assert {name: size for name, size in trained.items() if size} == PARAMETERS  # noqa: S101
    return network


@keras.saving.register_keras_serializable(NAME)
def squash(sums: keras.KerasTensor) -> keras.KerasTensor:
    """Return A·tanh(S·a) with A = 1.7159 and S = 2/3 (equation 6, appendix A).

    So f(1) = 1 and f(−1) = −1. Guess: it follows C1, C3 and C5 too, as the paper has it behind
    "units in layers up to F6".
    """
    return 1.7159 * ops.tanh(sums * (2 / 3))


@keras.saving.register_keras_serializable(NAME)
class FanIn(keras.initializers.Initializer):
    """Uniform in ±2.4 / F, where F is the number of a unit's inputs (appendix A).

    ``inputs`` is F, or one F for each place of the last axis. Guess: the bias, not counted in F, is
    drawn as the weights are.
    """

    def __init__(self, inputs: int | list[int]) -> None:
        self.inputs = inputs
        self.limits = np.asarray(2.4 / np.asarray(inputs), np.float32)

    def __call__(self, shape: tuple[int, ...], dtype: str | None = None) -> keras.KerasTensor:
        """Draw the weights."""
        return keras.random.uniform(shape, -1, 1, dtype) * self.limits

    def get_config(self) -> dict[str, int | list[int]]:
        """Give what an exported network needs to build it again."""
        return {"inputs": self.inputs}


def fan_in(inputs: int) -> dict[str, keras.initializers.Initializer]:
    """Give the two initialisers of a layer whose units have so many inputs."""
    return {"kernel_initializer": FanIn(inputs), "bias_initializer": FanIn(inputs)}


@keras.saving.register_keras_serializable(NAME)
class Subsampling(layers.Layer):
    """S2, S4: the sum of four pixels, times a map's coefficient, plus its bias, squashed.

    It halves both sides.
    """

    def build(self, shape: tuple[int, ...]) -> None:
        """Make a coefficient and a bias for each map."""
        self.coefficient = self.add_weight((shape[-1],), initializer=FanIn(4), name="coefficient")
        self.bias = self.add_weight((shape[-1],), initializer=FanIn(4), name="bias")

    def call(self, maps: keras.KerasTensor) -> keras.KerasTensor:
        """Go from maps ``(n, h, w, c)`` to maps ``(n, h/2, w/2, c)``."""
        return squash(ops.average_pool(maps, 2) * (4 * self.coefficient) + self.bias)


@keras.saving.register_keras_serializable(NAME)
class TableConvolution(layers.Layer):
    """C3: 5×5 convolutions where each of 16 maps sees the maps of S2 that table I gives it.

    What is trained are the 60 planes that the table has and 16 biases. To run, the planes are put
    in their places in a common kernel of 6×16 planes, the others zero: LiteRT takes 3 µs for it and
    59 µs for 16 small convolutions.
    """

    def build(self, shape: tuple[int, ...]) -> None:
        """Make the planes, C3 map by C3 map, and the biases."""
        seen = np.array([list(row) for row in TABLE_I]) == "X"
        to, of = np.nonzero(seen.T)
        self.places = np.zeros((len(to), *seen.shape), np.float32)
        self.places[np.arange(len(to)), of, to] = 1
        inputs = 25 * seen.sum(axis=0)
        self.planes = self.add_weight(
            (5, 5, len(to)), initializer=FanIn(inputs[to].tolist()), name="planes"
        )
        self.bias = self.add_weight((len(inputs),), initializer=FanIn(inputs.tolist()), name="bias")

    def kernel(self) -> keras.KerasTensor:
        """Give the planes in their places: ``(5, 5, 6, 16)``, zero where table I has no X."""
        return ops.tensordot(self.planes, self.places, axes=1)

    def call(self, maps: keras.KerasTensor) -> keras.KerasTensor:
        """Go from maps ``(n, 14, 14, 6)`` to maps ``(n, 10, 10, 16)``."""
        return squash(ops.conv(maps, self.kernel()) + self.bias)


@keras.saving.register_keras_serializable(NAME)
class Distances(layers.Layer):
    """The output: ten radial basis units, each the squared distance of F6 from its digit's code."""

    def call(self, units: keras.KerasTensor) -> keras.KerasTensor:
        """Go from F6's units ``(n, 84)`` to distances ``(n, 10)``.

        A distance is 0 where F6 draws the digit's bitmap exactly.
        """
        squares = ops.square(units[:, None, :] - codes())
        # row by row: the sum rounds less
        rows = ops.sum(ops.reshape(squares, (-1, 10, HEIGHT, WIDTH)), axis=-1)
        return ops.sum(rows, axis=-1)


@keras.saving.register_keras_serializable(NAME)
class Probabilities(layers.Layer):
    """Confidence: softmax of minus distance / temperature.

    The paper leaves confidence to those who use the distances. This is the posterior that equation
    9 implies, but for two things. Distances are divided by a temperature, not trained but fitted on
    the validation split and stored with the weights: without it the network is far too sure, as the
    nearest two codes are 48 apart. And rubbish does not compete: at its place in the loss it would
    take the confidence of every digit that is drawn a little oddly.
    """

    def build(self, shape: tuple[int, ...]) -> None:
        """Make the temperature; it begins about where it ends."""
        first = keras.initializers.Constant(10)
        self.temperature = self.add_weight(
            (), initializer=first, trainable=False, name="temperature"
        )

    def call(self, distances: keras.KerasTensor) -> keras.KerasTensor:
        """Go from distances ``(n, 10)`` to probabilities ``(n, 10)``."""
        return ops.softmax(-distances / self.temperature)


def codes() -> NDArray[np.float32]:
    """Return the codes of the ten digits, ``(10, 84)``: figure 3 row by row, ink +1, else −1."""
    rows = [line.split() for line in FIGURE_3.strip().splitlines()]
    return np.array(
        [
            [1 if pixel == "#" else -1 for row in rows for pixel in row[digit]]
            for digit in range(10)
        ],
        "f4",
    )


def losses(truth: keras.KerasTensor, distances: keras.KerasTensor) -> keras.KerasTensor:
    """Return equation 9's loss of each image, in nats.

    It comes from the distances ``(n, 10)`` and the truth ``(n, 10)``, one-hot. The distance from
    the true digit is pulled down. The logarithm pushes the others up, as far as they are nearer
    than rubbish, a class that competes with all digits and is always at ``RUBBISH``.
    """
    rivals = ops.pad(distances, ((0, 0), (0, 1)), constant_values=RUBBISH)
    return ops.sum(truth * distances, axis=-1) + ops.logsumexp(-rivals, axis=-1)
