"""The layers of the two networks as tables, for people and for ``inspect``.

The networks themselves are built in ``networks``; the tests compare them with the tables.
"""

from dataclasses import dataclass

CANVAS_SIDE = 28  # pixels; the input of both networks
DETECTOR_SIDE = 128  # pixels; the input of the detector
DETECTOR_CHANNELS = 4  # brightness in the whole image, and R, G, B in the neighbourhood


@dataclass(frozen=True, slots=True)
class Layer:
    """One line of the article's table.

    Attributes:
        name: as the paper names it.
        kind: of the layer.
        maps: number of feature maps; of units where ``side`` is 1.
        side: of a feature map.
        kernel: side of the square that a unit sees; None where it sees everything.
        stride: step from one unit's square to the next.
        activation: of the units.
        parameters: number of trainable parameters.

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

SCALED_TANH = "scaled tanh"  # the paper's squashing function (appendix A): SCALE · tanh(2/3 · a)
SCALE = 1.7159

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
