"""From images to answers: what the command ``classify`` does, for programs."""

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
    """What is said of one source.

    ``canvas``, uint8 of shape (28, 28), only where it was asked for and there is one; ``note``, a
    line about what was read, where notes were asked for and there is something to note.
    ``probabilities`` of the ten digits, in [0, 1], where they were asked for and the network was
    asked; ``digest``, the SHA-256 of the file in hexadecimal, where it was asked for and the file
    could be read.
    """

    path: str
    prediction: Prediction
    canvas: NDArray[np.uint8] | None
    note: str | None = None
    probabilities: tuple[float, ...] | None = None
    digest: str | None = None


class Classifier:
    """Reads images of digits. Threads may share one.

    It can be pickled, and brings its network along.

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
            with_probabilities: keep there the probabilities of all ten digits.
            with_digest: keep there the SHA-256 of the file.

        Raises:
            ValueError: an argument is out of its range.
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
        """Read one picture, in this process.

        A picture that cannot be read is no exception but a prediction with status ``error`` and the
        reason.

        Args:
            picture: a path, a file's content, a file opened in binary mode, a PIL image, or an
                array: of shape (height, width), (height, width, 1), (height, width, 3) for RGB or
                (height, width, 4) for RGBA; bool, integers in [0, 255], or floats in [0, 1], or in
                [0, 255] where one is above 1.

        Raises:
            TypeError: it is nothing of these.
            ValueError: it is an array of another shape or range.

        """
        [answer] = self.answer([to_source(picture)], MemoryBudget())
        return answer.prediction

    def classify_many(self, pictures: Iterable[Picture], *, jobs: int = 1) -> Iterator[Prediction]:
        """Read pictures, in batches of up to 64; yield their predictions in order, as they come.

        With one job they are read in this process: a decoder that crashes ends it, one that hangs
        is waited for. With more, so many worker processes share the work: a picture that ends its
        worker, or takes it longer than a minute, is an error and costs the others nothing. What is
        no picture is an error too.

        Raises:
            TypeError: ``pictures`` is one picture.
            ValueError: ``jobs`` is below 1.

        """
        if jobs < 1:
            raise ValueError(f"jobs must be 1 or more, not {jobs}")
        return self._classify_many(to_sources(pictures), jobs)

    def _classify_many(self, sources: Iterator[Source], jobs: int) -> Iterator[Prediction]:
        chunks = iter(lambda: list(itertools.islice(sources, IMAGES_PER_BATCH)), [])
        for answers in self.answer_all(chunks, jobs=jobs):
            yield from (answer.prediction for answer in answers)

    def answer_all(
        self, chunks: Iterable[list[Source]], *, jobs: int, isolation: Isolation | None = None
    ) -> Generator[list[Answer], None, None]:
        """Read all sources, ``jobs`` at once, and yield their answers in order, batch by batch."""
        return map_in_order(self.answer, chunks, jobs=jobs, isolation=isolation)

    def answer(
        self,
        sources: list[Source],
        budget: MemoryBudget,
        begin: Callable[[], None] = lambda: None,
    ) -> list[Answer]:
        """Read a batch of sources. Whatever is wrong with one of them is said in its answer.

        ``begin`` is called as each is begun.
        """
        readings = []
        for source in sources:
            begin()
            readings.append(try_reading(source, self.options, budget))
        read = [reading for reading in readings if isinstance(reading, Reading)]
        rows = iter(self._probabilities(read))
        return [
            Answer(source.path, Prediction(Status.ERROR, reason=reading.reason), None)
            if isinstance(reading, Unreadable)
            else self._answer(source, reading, next(rows))
            for source, reading in zip(sources, readings, strict=True)
        ]

    def predict(self, readings: Sequence[Reading]) -> list[Prediction]:
        """Ask the network about images that have been read, and decide what to answer."""
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
        return Answer(
            source.path,
            prediction,
            reading.canvas if self.with_canvas else None,
            _SEVERAL if reading.several else None,
            tuple(probabilities)
            if self.with_probabilities and prediction.best_guess is not None
            else None,
            reading.digest,
        )
