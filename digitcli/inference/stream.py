"""From many files to answers in their order, on all cores."""

from collections.abc import Generator, Iterable
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from digitcli.errors import ImageError
from digitcli.imaging.ink import Invert
from digitcli.imaging.many import in_order
from digitcli.imaging.reading import Reading, read_picture
from digitcli.imaging.sources import Source, read_source
from digitcli.inference.classifier import Network
from digitcli.inference.decide import decide
from digitcli.prediction import Prediction, Status


class Answer(NamedTuple):
    """What is said of one source; ``canvas``, uint8 of shape (28, 28), only where it was asked for and there is one."""

    path: str
    prediction: Prediction
    canvas: NDArray[np.uint8] | None


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads batches of sources: files to canvases, canvases to probabilities, probabilities to answers.

    ``min_confidence`` is the card's where it is None; the fields are those of ``read_picture`` and ``decide``.
    Whatever is wrong with a source is said in its answer.
    """

    weights: str = "lenet5"
    as_is: bool = False
    invert: Invert = "auto"
    min_confidence: float | None = None
    top: int = 0
    with_canvas: bool = False

    def __call__(self, sources: list[Source]) -> list[Answer]:
        """Answer for each source, in order."""
        network = open_network(self.weights)
        threshold = network.card.min_confidence if self.min_confidence is None else self.min_confidence
        readings = [self._read(source) for source in sources]
        canvases = [reading.canvas for reading in readings if not isinstance(reading, str)]
        rows = iter(network.probabilities(np.stack(canvases)).tolist() if canvases else [])
        answers = []
        for source, reading in zip(sources, readings, strict=True):
            if isinstance(reading, str):
                answers.append(Answer(source.path, Prediction(Status.ERROR, reason=reading), None))
            else:
                prediction = decide(next(rows), reading.ink, min_confidence=threshold, top=self.top)
                answers.append(Answer(source.path, prediction, reading.canvas if self.with_canvas else None))
        return answers

    def _read(self, source: Source) -> Reading | str:
        """Read a source, or say why it cannot be read."""
        try:
            return read_picture(read_source(source), as_is=self.as_is, invert=self.invert)
        except ImageError as error:
            return str(error)
        except Exception as error:  # a mistake of ours over one picture must not cost the others
            return f"failed while it was read ({type(error).__name__}: {error})"


def answer_all(runs: Iterable[list[Source]], reader: Reader, *, jobs: int) -> Generator[list[Answer]]:
    """Read all sources, ``jobs`` at once, and give their answers in order, batch by batch, each as soon as it is there.

    Raises:
        WeightsError: the network cannot be used; nothing has been read then.

    """
    open_network(reader.weights)
    return in_order(reader, runs, jobs=jobs)


@cache
def open_network(weights: str) -> Network:
    """Open a network once in each process; one that is forked off has it already."""
    return Network(weights)
