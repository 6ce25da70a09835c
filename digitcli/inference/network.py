"""LeNet-5 run by LiteRT: from 28×28 pictures to ten probabilities each."""

import threading
from pathlib import Path
from typing import Any

import numpy as np
from ai_edge_litert.interpreter import Interpreter
from numpy.typing import NDArray

from digitcli.cli.silence import quiet
from digitcli.errors import WeightsError
from digitcli.inference.model_probe import survives
from digitcli.weights_folder import bundled, open_weights

# C1's maps of a batch take 19 KB a picture: enough pictures to make a call worth it, few enough to
# stay in the cache.
BATCH = 64
_ONE = 1 + 1e-5  # as float32 rounds it


class Network:
    """The network of a weights folder. Threads may share one; it runs one batch at a time."""

    def __init__(self, weights: str | Path = "lenet5") -> None:
        """Open a weights folder by the name of a bundled one or by its path.

        Raises:
            WeightsError: the folder is missing, damaged, or holds another kind of network.

        """
        bundle = open_weights(weights)
        self.card = bundle.card
        model = bundle.model()
        if bundle.folder not in bundled().values() and not survives(model):
            raise WeightsError(
                f"{bundle.folder}: its network crashes LiteRT, or keeps it busy for ever"
            )
        self._lock = threading.Lock()
        try:
            with quiet():  # LiteRT announces that it runs on the CPU
                self._interpreter = Interpreter(model_content=model, num_threads=1)
                self._interpreter.allocate_tensors()
            self._input = self._interpreter.get_input_details()[0]
            self._output = self._interpreter.get_output_details()[0]
        except (ValueError, RuntimeError, IndexError) as error:
            raise WeightsError(
                f"{bundle.folder} holds no network that LiteRT can run: {error}"
            ) from error
        if not _fits(self._input, (28, 28, 1)) or not _fits(self._output, (10,)):
            raise WeightsError(
                f"{bundle.folder} holds no network from 28×28 pictures to ten digits"
            )
        self._size = 0

    def probabilities(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Give the probability of each digit, shape (n, 10), for pictures of shape (n, 28, 28), white ink on black.

        Raises:
            WeightsError: what the network gives are no probabilities.

        """
        if images.ndim != 3 or images.shape[1:] != (28, 28) or images.dtype != np.uint8:
            raise ValueError(
                f"images must be uint8 of shape (n, 28, 28), not {images.dtype} of {images.shape}"
            )
        probabilities = np.empty((len(images), 10), np.float32)
        for start in range(0, len(images), BATCH):
            rows = slice(start, start + BATCH)
            probabilities[rows] = self._run(
                images[rows, :, :, np.newaxis].astype(np.float32) / np.float32(255)
            )
        if not (
            (probabilities >= 0) & (probabilities <= _ONE)
        ).all():  # nor is it where one is not a number
            raise WeightsError(
                "the network answers with numbers that are no probabilities; train it again"
            )
        return probabilities

    def _run(self, inputs: NDArray[np.float32]) -> NDArray[np.float32]:
        with self._lock:
            if self._size != len(inputs):
                self._interpreter.resize_tensor_input(
                    self._input["index"], inputs.shape, strict=True
                )
                self._interpreter.allocate_tensors()
                self._size = len(inputs)
            self._interpreter.set_tensor(self._input["index"], inputs)
            self._interpreter.invoke()
            outputs: NDArray[np.float32] = self._interpreter.get_tensor(self._output["index"])
        return outputs


def _fits(tensor: dict[str, Any], shape: tuple[int, ...]) -> bool:
    signature = tensor["shape_signature"]
    return tensor["dtype"] is np.float32 and tuple(signature[1:]) == shape and signature[0] == -1
