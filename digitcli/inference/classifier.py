"""From pictures to answers: what the command ``classify`` does, for programs."""

import itertools
import os
from collections.abc import Generator, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from digitcli.inference.network import Network
from digitcli.inference.rejection import decide
from digitcli.inputs.decoding import holds_several
from digitcli.inputs.discovery import MAX_PIXELS, Source, read_source
from digitcli.parallel import BATCH, map_in_order
from digitcli.prediction import Prediction, Status
from digitcli.preprocessing.ink import Invert
from digitcli.preprocessing.pipeline import Reading, or_reason, read_picture

Picture: TypeAlias = "str | os.PathLike[str] | bytes | Image.Image | NDArray[np.uint8]"

_SEVERAL = "holds several pictures, of which the first was read"


class Answer(NamedTuple):
    """What is said of one source.

    ``canvas``, uint8 of shape (28, 28), only where it was asked for and there is one; ``note``, a
    line about what was read, where notes were asked for and there is something to note.
    """

    path: str
    prediction: Prediction
    canvas: NDArray[np.uint8] | None
    note: str | None = None


class Classifier:
    """Reads pictures of digits. Threads may share one, and it can be pickled: workers open the weights again.

    >>> from digitcli import Classifier
    >>> classifier = Classifier()
    >>> prediction = classifier.classify("tests/samples/7-red-marker.png")
    >>> prediction.status.value, prediction.digit
    ('ok', 7)
    >>> [prediction.digit for prediction in classifier.classify_many(["tests/samples/4-chalk.jpg",
    b"no picture"])] [4, None]
    """

    def __init__(
        self,
        weights: str | Path = "lenet5",
        *,
        as_is: bool = False,
        invert: Invert = "auto",
        min_confidence: float | None = None,
        top: int = 0,
        max_pixels: int = MAX_PIXELS,
        with_canvas: bool = False,
        with_note: bool = False,
    ) -> None:
        """Open a network.

        Args:
            weights: the name of a bundled network, or the path of a weights folder.
            as_is: pictures are already MNIST's kind, framed and bright on black: only make them
                grey and 28×28.
            invert: "yes" for dark ink on a bright ground, "no" for bright ink on a dark ground,
                "auto" to find out.
            min_confidence: in [0, 1]; below it the answer is unsure. None is what the weights' card
                says.
            top: how many of the likeliest digits a prediction lists, 0 to 10.
            max_pixels: a picture with more than this is an error, found before it is decoded.
            with_canvas: keep the 28×28 pixels that the network saw in what ``answer`` and
                ``answer_all`` give.
            with_note: note there too where only the first of several pictures in a file was read.

        Raises:
            WeightsError: the weights are missing, damaged, or of another kind of network.
        """
        self.weights = weights
        self.as_is = as_is
        self.invert = invert
        self.top = top
        self.max_pixels = max_pixels
        self.with_canvas = with_canvas
        self.with_note = with_note
        self.network = Network(weights)
        self.min_confidence = (
            self.network.card.min_confidence if min_confidence is None else min_confidence
        )

    def classify(self, picture: Picture) -> Prediction:
        """Read one picture: a path, a file's content, a PIL image, or an array.

        An array is uint8 of shape (height, width) for grey, (height, width, 3) for RGB, (height,
        width, 4) for RGBA. A picture that cannot be read is no exception but a prediction with
        status ``error`` and the reason.

        Raises:
            TypeError: it is nothing of these.
        """
        [answer] = self.answer([_source(picture)])
        return answer.prediction

    def classify_many(self, pictures: Iterable[Picture], *, jobs: int = 1) -> Iterator[Prediction]:
        """Read pictures, in batches of up to 64, and give their predictions in order, as they come.

        With ``jobs`` above 1 so many worker processes share the work; a script that asks for them
        needs the usual ``if __name__ == "__main__":`` where processes are spawned.

        Raises:
            TypeError: one of them is nothing that ``classify`` takes.
        """
        sources = map(_source, pictures)
        runs = iter(lambda: list(itertools.islice(sources, BATCH)), [])
        for answers in self.answer_all(runs, jobs=jobs):
            yield from (answer.prediction for answer in answers)

    def answer_all(
        self, runs: Iterable[list[Source]], *, jobs: int
    ) -> Generator[list[Answer], None, None]:
        """Read all sources, ``jobs`` at once, and give their answers in order, batch by batch, each as it is there."""
        return map_in_order(self.answer, runs, jobs=jobs)

    def answer(self, sources: list[Source]) -> list[Answer]:
        """Read a batch of sources. Whatever is wrong with one of them is said in its answer."""
        read = [or_reason(self._read, source) for source in sources]
        predictions = iter(self.predict([what[0] for what in read if not isinstance(what, str)]))
        answers = []
        for source, what in zip(sources, read, strict=True):
            if isinstance(what, str):
                answers.append(Answer(source.path, Prediction(Status.ERROR, reason=what), None))
            else:
                reading, note = what
                canvas = reading.canvas if self.with_canvas else None
                answers.append(Answer(source.path, next(predictions), canvas, note))
        return answers

    def predict(self, readings: Sequence[Reading]) -> list[Prediction]:
        """Ask the network about pictures that have been read, and decide what to answer."""
        if not readings:
            return []
        rows = self.network.probabilities(
            np.stack([reading.canvas for reading in readings])
        ).tolist()
        return [
            decide(row, reading.ink, min_confidence=self.min_confidence, top=self.top)
            for row, reading in zip(rows, readings, strict=True)
        ]

    def _read(self, source: Source) -> tuple[Reading, str | None]:
        """Read a source, and note what may be worth to know."""
        content = read_source(source)
        reading = read_picture(
            content, as_is=self.as_is, invert=self.invert, max_pixels=self.max_pixels
        )
        return reading, _SEVERAL if self.with_note and holds_several(content) else None

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name != "network"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self.network = Network(self.weights)


def _source(picture: Picture) -> Source:
    if isinstance(picture, bytes | Image.Image):
        return Source("", picture)
    if isinstance(picture, np.ndarray):
        return Source("", Image.fromarray(picture))
    return Source(os.fsdecode(picture))
