"""A wrapper of LiteRT, which runs the detector, the classifier, its layers and the probe."""

import threading
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digitcli.errors import WeightsError

_LITERT_ERRORS = (ValueError, RuntimeError, IndexError)  # for a model that it cannot run

Batch = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Tensor:
    """A float32 tensor of a model: its number, its name and its shape in the last run."""

    index: int
    name: str
    shape: tuple[int, ...]


class Model:
    """A LiteRT model with one input and one output, which runs on one thread.

    Threads may share one; it runs one batch at a time.
    """

    def __init__(self, content: bytes, name: str, *, keep_tensors: bool = False) -> None:
        """Prepare a model to run.

        Args:
            content: the flatbuffer.
            name: of its origin, for error messages.
            keep_tensors: keep the results of all operations, for `tensors`. This is slower, as it
                excludes XNNPACK, which fuses operations.

        Raises:
            WeightsError: LiteRT cannot run it.

        """
        # imported here, as reading a clean image takes no model
        from ai_edge_litert.interpreter import Interpreter, OpResolverType

        self._name = name
        self._lock = threading.Lock()
        operations = (
            OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
            if keep_tensors
            else OpResolverType.AUTO
        )
        try:
            self._interpreter = Interpreter(
                model_content=content,
                num_threads=1,
                experimental_op_resolver_type=operations,
                experimental_preserve_all_tensors=keep_tensors,
            )
            self._interpreter.allocate_tensors()
            self._input = self._interpreter.get_input_details()[0]
            self._output = self._interpreter.get_output_details()[0]
        except _LITERT_ERRORS as error:
            raise WeightsError(f"{name} holds no network that LiteRT can run: {error}") from error
        self._shape = tuple(self._input["shape"])

    def maps(self, input_shape: tuple[int, ...], output_shape: tuple[int, ...]) -> bool:
        """Return whether it maps float32 batches of any size between elements of these shapes."""
        return _takes(self._input, input_shape) and _takes(self._output, output_shape)

    def run(self, batch: Batch) -> Batch:
        """Return the output for a batch, whose first axis may have any length.

        Raises:
            WeightsError: the model cannot run on it.

        """
        try:
            with self._lock:
                if self._shape != batch.shape:
                    self._interpreter.resize_tensor_input(
                        self._input["index"], batch.shape, strict=True
                    )
                    self._interpreter.allocate_tensors()
                    self._shape = batch.shape
                self._interpreter.set_tensor(self._input["index"], batch)
                self._interpreter.invoke()
                output: Batch = self._interpreter.get_tensor(self._output["index"])
        except _LITERT_ERRORS as error:
            raise WeightsError(f"{self._name}: LiteRT cannot run its network: {error}") from error
        return output

    @property
    def output(self) -> Tensor:
        """The tensor that `run` returns."""
        return _tensor(self._output)

    def tensors(self) -> list[Tensor]:
        """List the float32 tensors of the last run, in the model's order."""
        details = self._interpreter.get_tensor_details()
        return [_tensor(detail) for detail in details if detail["dtype"] is np.float32]

    def value(self, tensor: Tensor) -> Batch:
        """Return what a tensor held at the end of the last run."""
        value: Batch = self._interpreter.get_tensor(tensor.index)
        return value


def _takes(detail: dict[str, Any], shape: tuple[int, ...]) -> bool:
    signature = tuple(detail["shape_signature"])
    return detail["dtype"] is np.float32 and signature == (-1, *shape)


def _tensor(detail: dict[str, Any]) -> Tensor:
    return Tensor(detail["index"], detail["name"], tuple(detail["shape"]))
