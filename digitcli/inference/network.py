"""The network of a weights folder: ten probabilities for each 28×28 canvas."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digitcli.architectures import CANVAS_SIDE
from digitcli.errors import WeightsError
from digitcli.inference.model_probe import survives
from digitcli.runtime import Model
from digitcli.weights_folder import bundled, open_weights

# Enough images to make up for the cost of a call, few enough for C1's maps, 19 KB an image, to stay
# in the cache.
IMAGES_PER_RUN = 64
_MAX_PROBABILITY = 1 + 1e-5  # 1, and float32's rounding errors


class Network:
    """The network of a weights folder. Threads may share one."""

    def __init__(self, weights: str | Path = "lenet5") -> None:
        """Open a weights folder by the name of a bundled one or by its path.

        Raises:
            WeightsError: the folder is missing, damaged, or holds another kind of network.

        """
        self.name = str(weights)
        self.weights = open_weights(weights)
        self.card = self.weights.card
        content = self.weights.model()
        folder = self.weights.folder
        if folder not in bundled().values() and not survives(content):
            raise WeightsError(f"{folder}: its network crashes LiteRT, or keeps it busy for ever")
        self._content = content
        self._model = Model(content, str(folder))
        if not self._model.maps((CANVAS_SIDE, CANVAS_SIDE, 1), (10,)):
            raise WeightsError(f"{folder} holds no network from 28×28 pictures to ten digits")

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name != "_model"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Restore the model from the content that was checked, whatever the folder holds by now."""
        vars(self).update(state)
        self._model = Model(self._content, str(self.weights.folder))

    def probabilities(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return the probability of each digit.

        Args:
            images: uint8 of shape (n, 28, 28), white ink on black.

        Returns:
            float32 of shape (n, 10), in [0, 1].

        Raises:
            ValueError: the images are of another shape or type.
            WeightsError: the network's output is no probabilities.

        """
        if images.ndim != 3 or images.shape[1:] != (28, 28) or images.dtype != np.uint8:
            raise ValueError(
                f"images must be uint8 of shape (n, 28, 28), not {images.dtype} of {images.shape}"
            )
        probabilities = np.empty((len(images), 10), np.float32)
        for start in range(0, len(images), IMAGES_PER_RUN):
            rows = slice(start, start + IMAGES_PER_RUN)
            probabilities[rows] = self._model.run(to_network_input(images[rows]))
        # NaN fails both comparisons
        if not ((probabilities >= 0) & (probabilities <= _MAX_PROBABILITY)).all():
            raise WeightsError(
                "the network answers with numbers that are no probabilities; train it again"
            )
        return probabilities


def to_network_input(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return images, uint8 (n, 28, 28), as network input: float32 (n, 28, 28, 1) in [0, 1]."""
    return images[..., np.newaxis].astype(np.float32) / np.float32(255)
