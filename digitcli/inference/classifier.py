"""Classification of images for programs, as the command ``classify`` does it."""

import itertools
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from digitcli.inference.network import Network
from digitcli.inference.pictures import Picture, to_source, to_sources
from digitcli.inference.rejection import decide
from digitcli.inputs.memory_budget import MemoryBudget
from digitcli.inputs.source import MAX_PIXELS, Source
from digitcli.parallel.mapping import IMAGES_PER_BATCH, map_in_order
from digitcli.parallel.processes import Isolation
from digitcli.prediction import Prediction, Status
from digitcli.preprocessing.ink import Invert
from digitcli.preprocessing.pipeline import Reading, ReadingOptions, Unreadable, try_reading

_SEVERAL = "holds several pictures, of which the first was read"


class Answer(NamedTuple):
    """The result for one source. Everything but the prediction is optional, and kept on request.

    Attributes:
        path: of the source.
        prediction: of the digit.
        canvas: the network's input, uint8 of shape (28, 28), where the source could be read.
        note: a line about what was read, where there is something to note.
        probabilities: of the ten digits, in [0, 1], where the network ran.
        digest: the SHA-256 of the file in hexadecimal, where it could be read.

    """

    path: str
    prediction: Prediction
    canvas: NDArray[np.uint8] | None
    note: str | None = None
    probabilities: tuple[float, ...] | None = None
    digest: str | None = None


class Classifier:
    """A classifier of images of digits. Threads may share one.

    It can be pickled, with its network.

    >>> from digitcli import Classifier
    >>> classifier = Classifier()
    >>> prediction = classifier.classify("tests/samples/7-red-marker.png")
    >>> prediction.status.value, prediction.digit
    ('ok', 7)
    >>> pictures = ["tests/samples/4-chalk.jpg", b"no picture"]
    >>> [prediction.digit for prediction in classifier.classify_many(pictures)]
    [4, None]
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
        with_probabilities: bool = False,
        with_digest: bool = False,
    ) -> None:
        """Open a network.

        Args:
            weights: the name of a bundled network, or the path of a weights folder.
            as_is: images are framed as MNIST's already, bright ink on black: they are only made
                grey and 28×28.
            invert: "yes" for dark ink on a bright background, "no" for bright ink on a dark
                background, "auto" to find out.
            min_confidence: in [0, 1]; below it the answer is unsure. None is the value on the
                model card.
            top: number of the likeliest digits in a prediction, 0 to 10.
            max_pixels: an image with more is an error, found before it is decoded.
            with_canvas: keep the network's input in the results of ``answer`` and ``answer_all``.
            with_note: note there where only the first of several images in a file was read.
            with_probabilities: keep there the probabilities of all ten digits.
            with_digest: keep there the SHA-256 of the file.

        Raises:
            ValueError: an argument is out of range.
            WeightsError: the weights are missing, damaged, or of another kind of network.

        """
        if invert not in ("auto", "yes", "no"):
            raise ValueError(f'invert must be "auto", "yes" or "no", not {invert!r}')
        if min_confidence is not None and not 0 <= min_confidence <= 1:
            raise ValueError(f"min_confidence must be 0 to 1, not {min_confidence}")
        if not 0 <= top <= 10:
            raise ValueError(f"top must be 0 to 10, not {top}")
        if max_pixels < 1:
            raise ValueError(f"max_pixels must be 1 or more, not {max_pixels}")
        self.weights = weights
        self.options = ReadingOptions(
            as_is=as_is,
            invert=invert,
            max_pixels=max_pixels,
            note_several=with_note,
            with_digest=with_digest,
        )
        self.top = top
        self.with_canvas = with_canvas
        self.with_probabilities = with_probabilities
        self.network = Network(weights)
        card = self.network.card
        self.min_confidence = card.min_confidence if min_confidence is None else min_confidence

    def classify(self, picture: Picture) -> Prediction:
        """Classify one image, in this process.

        For an image that cannot be read, this does not raise: the prediction has the status
        ``error`` and the reason.

        Args:
            picture: a path, a file's content, a file opened in binary mode, a PIL image, or an
                array: of shape (height, width), (height, width, 1), (height, width, 3) for RGB or
                (height, width, 4) for RGBA; bool, integers in [0, 255], or floats in [0, 1], or in
                [0, 255] where one is above 1.

        Raises:
            TypeError: it is none of these.
            ValueError: it is an array of another shape or range.

        """
        [answer] = self.answer([to_source(picture)], MemoryBudget())
        return answer.prediction

    def classify_many(self, pictures: Iterable[Picture], *, jobs: int = 1) -> Iterator[Prediction]:
        """Classify images, in batches of up to 64; yield their predictions in order, as they come.

        With one job they are read in this process: a decoder that crashes ends it, and one that
        hangs blocks it. With more jobs that many worker processes share the work: an image that
        crashes its worker, or takes longer than a minute, is an error and costs no other its
        prediction. An object that is no image is an error too.

        Raises:
            TypeError: ``pictures`` is a single image.
            ValueError: ``jobs`` is below 1.

        """
        if jobs < 1:
            raise ValueError(f"jobs must be 1 or more, not {jobs}")
        return self._classify_many(to_sources(pictures), jobs)

    def _classify_many(self, sources: Iterator[Source], jobs: int) -> Iterator[Prediction]:
        for answers in self.answer_all(_split_into_batches(sources), jobs=jobs):
            yield from (answer.prediction for answer in answers)

    def answer_all(
        self, chunks: Iterable[list[Source]], *, jobs: int, isolation: Isolation | None = None
    ) -> Generator[list[Answer], None, None]:
        """Classify all sources, by ``jobs`` workers; yield the answers in order, by batches."""
        return map_in_order(self.answer, chunks, jobs=jobs, isolation=isolation)

    def answer(
        self,
        sources: list[Source],
        budget: MemoryBudget,
        begin: Callable[[], None] = lambda: None,
    ) -> list[Answer]:
        """Classify a batch of sources; what is wrong with one of them is in its answer.

        ``begin`` is called before each is read.
        """
        readings = []
        for source in sources:
            begin()
            readings.append(try_reading(source, self.options, budget))
        readable = [reading for reading in readings if isinstance(reading, Reading)]
        rows = iter(self._probabilities(readable))
        answers = []
        for source, reading in zip(sources, readings, strict=True):
            if isinstance(reading, Unreadable):
                prediction = Prediction(Status.ERROR, reason=reading.reason)
                answers.append(Answer(source.path, prediction, canvas=None))
            else:
                answers.append(self._answer(source, reading, next(rows)))
        return answers

    def predict(self, readings: Sequence[Reading]) -> list[Prediction]:
        """Run the network on images that have been read, and decide about each."""
        rows = self._probabilities(readings)
        return [self._decide(row, reading) for row, reading in zip(rows, readings, strict=True)]

    def _probabilities(self, readings: Sequence[Reading]) -> list[list[float]]:
        if not readings:
            return []
        canvases = np.stack([reading.canvas for reading in readings])
        rows: list[list[float]] = self.network.probabilities(canvases).tolist()
        return rows

    def _decide(self, probabilities: list[float], reading: Reading) -> Prediction:
        return decide(probabilities, reading.ink, min_confidence=self.min_confidence, top=self.top)

    def _answer(self, source: Source, reading: Reading, probabilities: list[float]) -> Answer:
        prediction = self._decide(probabilities, reading)
        has_probabilities = self.with_probabilities and prediction.best_guess is not None
        return Answer(
            path=source.path,
            prediction=prediction,
            canvas=reading.canvas if self.with_canvas else None,
            note=_SEVERAL if reading.several else None,
            probabilities=tuple(probabilities) if has_probabilities else None,
            digest=reading.digest,
        )


def _split_into_batches(sources: Iterator[Source]) -> Iterator[list[Source]]:
    while batch := list(itertools.islice(sources, IMAGES_PER_BATCH)):
        yield batch
