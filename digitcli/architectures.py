"""The two networks as tables, for people to read and for ``inspect`` to find its way in a model.

The networks themselves are built in ``networks``; the tests hold the tables against them.
"""

from dataclasses import dataclass

CANVAS_SIDE = 28  # pixels of the square image that both networks read
DETECTOR_SIDE = 128  # of the one that the detector of ink reads
DETECTOR_CHANNELS = 4  # brightness in the whole image, and R, G, B in the neighbourhood


@dataclass(frozen=True, slots=True)
class Layer:
    """One line of the article's table.

    ``maps`` counts feature maps of ``side`` × ``side`` values each, or units where ``side`` is 1.
    ``kernel`` is the side of the square that a unit sees, None where it sees everything; ``stride``
    the step from one to the next. ``parameters`` counts the numbers that are trained.
    """

    name: str
    kind: str
    maps: int
    side: int
    kernel: int | None
    stride: int | None
    activation: str
    parameters: int


LENET5 = (
    Layer("C1", "convolution", 6, 28, 5, 1, "tanh", 156),
    Layer("S2", "average pooling", 6, 14, 2, 2, "", 0),
    Layer("C3", "convolution", 16, 10, 5, 1, "tanh", 2_416),
    Layer("S4", "average pooling", 16, 5, 2, 2, "", 0),
    Layer("C5", "convolution", 120, 1, 5, 1, "tanh", 48_120),
    Layer("F6", "fully connected", 84, 1, None, None, "tanh", 10_164),
    Layer("output", "fully connected", 10, 1, None, None, "softmax", 850),
)

SCALED_TANH = "scaled tanh"  # the squashing of the paper's appendix A
SCALE = 1.7159  # of it: SCALE · tanh(2/3 · a)

LENET5_1998 = (
    Layer("C1", "convolution", 6, 28, 5, 1, SCALED_TANH, 156),
    Layer("S2", "subsampling", 6, 14, 2, 2, SCALED_TANH, 12),
    Layer("C3", "table convolution", 16, 10, 5, 1, SCALED_TANH, 1_516),
    Layer("S4", "subsampling", 16, 5, 2, 2, SCALED_TANH, 32),
    Layer("C5", "convolution", 120, 1, 5, 1, SCALED_TANH, 48_120),
    Layer("F6", "fully connected", 84, 1, None, None, SCALED_TANH, 10_164),
    Layer("output", "code distances", 10, 1, None, None, "", 0),
    Layer("probabilities", "softmax", 10, 1, None, None, "", 0),
)

ARCHITECTURES = {"lenet5": LENET5, "lenet5-1998": LENET5_1998}
