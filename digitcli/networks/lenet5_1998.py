"""LeNet-5 as its authors describe it, with 60,000 trainable parameters.

Y. LeCun, L. Bottou, Y. Bengio, P. Haffner, "Gradient-Based Learning Applied to Document
Recognition", Proceedings of the IEEE 86 (11), 1998: section II.B (layers), II.C (loss), appendix A
(squashing, initial weights). What the paper leaves open is marked "Guess".
"""

import keras
import numpy as np
from keras import layers, ops
from numpy.typing import NDArray

NAME = "lenet5-1998"

# Number of trainable parameters by layer, together 60,000.
PARAMETERS = {
    "C1": 156,  # 6 maps × (5×5×1 + 1)
    "S2": 12,  # 6 maps × (coefficient + bias)
    "C3": 1_516,  # 60 planes of 5×5 + 16 biases
    "S4": 32,  # 16 maps × (coefficient + bias)
    "C5": 48_120,  # 120 maps × (5×5×16 + 1)
    "F6": 10_164,  # 84 units × (120 + 1)
}

BACKGROUND, INK = -0.1, 1.175  # "this makes the mean input roughly 0, and the variance roughly 1"

# Table I: a row is a map of S2, a column a map of C3; an X connects them.
TABLE_I = (
    "X...XXX..XXXX.XX",
    "XX...XXX..XXXX.X",
    "XXX...XXX..X.XXX",
    ".XXX..XXXX..X.XX",
    "..XXX..XXXX.XX.X",
    "...XXX..XXXX.XXX",
)

# Figure 3, the ten digits: 7 wide, 12 high. Guess: we have not seen the figure. This is taken from
# two published transcriptions, mattwang44's LeNet-from-Scratch and an anonymous one in another
# notation. They agree in 839 of 840 pixels and may have one origin. Where they differ, in the
# fourth row of 9, this follows the first, whose 9 is its 6 turned by 180°. Both have the bars above
# 0, 2, 4 and 5.
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

# j of equation 9. Guess: the paper only says that it is positive. On the 5,000 validation images 1,
# 10 and 30 are alike (49, 50 and 49 errors after 12 epochs), 100 is worse (58). After training one
# digit in 40 is further than 10 from its own code.
RUBBISH = 10.0


def build() -> keras.Sequential:
    """Build the network with fresh weights, uniform in ±2.4 / fan-in.

    Its input is float32 ``(n, 28, 28, 1)`` in [0, 1], white ink on black; its output is float32
    probabilities ``(n, 10)``. The paper's output, the distances from the ten codes, is that of the
    layer ``output``. The classes of its layers are registered, so that Keras can load it from a
    file where this module has been imported.
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
    counts = {layer.name: _count_trainable(layer) for layer in network.layers}
    trainable = {name: count for name, count in counts.items() if count}
    assert trainable == PARAMETERS  # noqa: S101
    return network


def _count_trainable(layer: layers.Layer) -> int:
    return int(sum(np.prod(variable.shape) for variable in layer.trainable_variables))


@keras.saving.register_keras_serializable(NAME)
def squash(sums: keras.KerasTensor) -> keras.KerasTensor:
    """Return A·tanh(S·a) with A = 1.7159 and S = 2/3 (equation 6, appendix A).

    So f(1) = 1 and f(−1) = −1. Guess: it follows C1, C3 and C5 too, as the paper speaks of "units
    in layers up to F6".
    """
    return 1.7159 * ops.tanh(sums * (2 / 3))


@keras.saving.register_keras_serializable(NAME)
class FanIn(keras.initializers.Initializer):
    """Uniform in ±2.4 / F, where F is the number of a unit's inputs (appendix A).

    ``inputs`` is F, or one F for each index of the last axis. Guess: the bias is initialised as the
    weights are, and not counted in F.
    """

    def __init__(self, inputs: int | list[int]) -> None:
        self.inputs = inputs
        self.limits = np.asarray(2.4 / np.asarray(inputs), np.float32)

    def __call__(self, shape: tuple[int, ...], dtype: str | None = None) -> keras.KerasTensor:
        """Return random weights."""
        return keras.random.uniform(shape, -1, 1, dtype) * self.limits

    def get_config(self) -> dict[str, int | list[int]]:
        """Return the arguments that build the initialiser anew from an exported network."""
        return {"inputs": self.inputs}


def fan_in(inputs: int) -> dict[str, keras.initializers.Initializer]:
    """Return the initialisers of a layer whose units have this number of inputs."""
    return {"kernel_initializer": FanIn(inputs), "bias_initializer": FanIn(inputs)}


@keras.saving.register_keras_serializable(NAME)
class Subsampling(layers.Layer):
    """S2, S4: the sum of 2×2 pixels, times a map's coefficient, plus its bias, squashed."""

    def build(self, shape: tuple[int, ...]) -> None:
        """Create a coefficient and a bias for each map."""
        self.coefficient = self.add_weight((shape[-1],), initializer=FanIn(4), name="coefficient")
        self.bias = self.add_weight((shape[-1],), initializer=FanIn(4), name="bias")

    def call(self, maps: keras.KerasTensor) -> keras.KerasTensor:
        """Return maps ``(n, h/2, w/2, c)`` of maps ``(n, h, w, c)``."""
        return squash(ops.average_pool(maps, 2) * (4 * self.coefficient) + self.bias)


@keras.saving.register_keras_serializable(NAME)
class TableConvolution(layers.Layer):
    """C3: a 5×5 convolution in which each of 16 maps sees those maps of S2 that table I connects.

    The 60 planes of the table and 16 biases are trained. To run, the planes are put in their places
    in one kernel of 6×16 planes, the others of which are zero: LiteRT takes 3 µs for that, and
    59 µs for 16 small convolutions.
    """

    def build(self, shape: tuple[int, ...]) -> None:
        """Create the planes, in the order of the maps of C3, and the biases."""
        is_connected = np.array([list(row) for row in TABLE_I]) == "X"  # (maps of S2, maps of C3)
        map_of_c3, map_of_s2 = np.nonzero(is_connected.T)
        count = len(map_of_c3)
        self.places = np.zeros((count, *is_connected.shape), np.float32)
        self.places[np.arange(count), map_of_s2, map_of_c3] = 1
        inputs = 25 * is_connected.sum(axis=0)
        self.planes = self.add_weight(
            (5, 5, count), initializer=FanIn(inputs[map_of_c3].tolist()), name="planes"
        )
        self.bias = self.add_weight((len(inputs),), initializer=FanIn(inputs.tolist()), name="bias")

    def kernel(self) -> keras.KerasTensor:
        """Return the kernel ``(5, 5, 6, 16)``, zero where table I has no X."""
        return ops.tensordot(self.planes, self.places, axes=1)

    def call(self, maps: keras.KerasTensor) -> keras.KerasTensor:
        """Return maps ``(n, 10, 10, 16)`` of maps ``(n, 14, 14, 6)``."""
        return squash(ops.conv(maps, self.kernel()) + self.bias)


@keras.saving.register_keras_serializable(NAME)
class Distances(layers.Layer):
    """The output: ten radial basis units, each the squared distance of F6 from a digit's code."""

    def call(self, units: keras.KerasTensor) -> keras.KerasTensor:
        """Return the distances ``(n, 10)`` of F6's units ``(n, 84)``.

        A distance is 0 where the units are exactly the digit's bitmap.
        """
        squares = ops.square(units[:, None, :] - codes())
        # summed row by row, which rounds less
        rows = ops.sum(ops.reshape(squares, (-1, 10, HEIGHT, WIDTH)), axis=-1)
        return ops.sum(rows, axis=-1)


@keras.saving.register_keras_serializable(NAME)
class Probabilities(layers.Layer):
    """The probabilities: softmax of -distance / temperature.

    The paper leaves them to the users of the distances. This is the posterior that equation 9
    implies, with two differences. The distances are divided by a temperature, which is not trained
    but fitted on the validation images and stored with the weights; without it the network is very
    overconfident, as even the nearest two codes are 48 apart. And the rubbish class is left out; it
    would take the confidence from every digit that is drawn a little oddly.
    """

    def build(self, shape: tuple[int, ...]) -> None:
        """Create the temperature, with about the value that is fitted."""
        first = keras.initializers.Constant(10)
        self.temperature = self.add_weight(
            (), initializer=first, trainable=False, name="temperature"
        )

    def call(self, distances: keras.KerasTensor) -> keras.KerasTensor:
        """Return the probabilities ``(n, 10)`` of distances ``(n, 10)``."""
        return ops.softmax(-distances / self.temperature)


def codes() -> NDArray[np.float32]:
    """Return the codes of the ten digits, ``(10, 84)``: figure 3 row by row, ink +1, else −1."""
    lines = [line.split() for line in FIGURE_3.strip().splitlines()]
    bitmaps = ["".join(rows_of_digit) for rows_of_digit in zip(*lines, strict=True)]
    is_ink = np.array([list(bitmap) for bitmap in bitmaps]) == "#"
    return np.where(is_ink, np.float32(1), np.float32(-1))


def losses(targets: keras.KerasTensor, distances: keras.KerasTensor) -> keras.KerasTensor:
    """Return equation 9's loss of each image, in nats.

    Both arguments are ``(n, 10)``; the targets are one-hot. The first term reduces the distance
    from the label's code. The logarithm increases the other distances, as far as they are shorter
    than ``RUBBISH``, the constant distance of a class that competes with all digits.
    """
    rivals = ops.pad(distances, ((0, 0), (0, 1)), constant_values=RUBBISH)
    return ops.sum(targets * distances, axis=-1) + ops.logsumexp(-rivals, axis=-1)
