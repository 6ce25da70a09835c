import doctest
import pickle
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from digitcli.errors import ImageError, WeightsError
from digitcli.inference import classifier as module
from digitcli.inference.classifier import Classifier
from digitcli.inputs.decoding import decode
from digitcli.inputs.memory_budget import MemoryBudget
from digitcli.inputs.source import Source
from digitcli.prediction import Status
from digitcli.preprocessing import pipeline

SAMPLES = sorted((Path(__file__).parent.parent / "samples").glob("*.*g"))


@pytest.fixture(scope="module")
def sources() -> list[Source]:
    return [Source(str(path)) for path in SAMPLES]


def test_an_answer_is_the_same_alone_in_a_batch_by_path_and_by_content(
    sources: list[Source],
) -> None:
    classifier = Classifier()
    together = [answer.prediction for answer in classifier.answer(sources, MemoryBudget())]
    alone = [classifier.answer([source], MemoryBudget())[0].prediction for source in sources]
    by_content = [
        classifier.answer([Source("-", content=path.read_bytes())], MemoryBudget())[0].prediction
        for path in SAMPLES
    ]
    assert together == alone == by_content


def test_all_are_answered_in_order_and_what_fails_costs_only_itself(
    sources: list[Source], tmp_path: Path
) -> None:
    (tmp_path / "cut.png").write_bytes(SAMPLES[0].read_bytes()[:200])
    bad = [
        Source(str(tmp_path / "cut.png")),
        Source("nowhere.png"),
        Source("folder", problem="no pictures in it"),
    ]
    mixed = [bad[0], *sources, bad[1], bad[2]]
    answers = [answer for batch in Classifier().answer_all([mixed], jobs=1) for answer in batch]
    assert [answer.path for answer in answers] == [source.path for source in mixed]
    assert answers[1:-2] == Classifier().answer(sources, MemoryBudget())
    assert [answer.prediction.status for answer in answers[:1] + answers[-2:]] == [Status.ERROR] * 3
    assert [answer.prediction.reason for answer in answers[-2:]] == [
        "no such file",
        "no pictures in it",
    ]


def test_a_batch_in_which_nothing_can_be_read_is_answered() -> None:
    [answer] = Classifier().answer([Source("nowhere.png")], MemoryBudget())
    assert answer.prediction.status is Status.ERROR


def test_a_mistake_of_ours_over_one_picture_does_not_cost_the_others(
    sources: list[Source], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail_at_odd(content: bytes, **options: Any) -> NDArray[np.uint8]:
        if content == b"odd":
            raise ZeroDivisionError("by zero")
        return decode(content, **options)

    monkeypatch.setattr(pipeline, "decode", fail_at_odd)
    odd, other = Classifier().answer([Source("odd", content=b"odd"), sources[0]], MemoryBudget())
    assert odd.prediction.reason == "failed while it was read (ZeroDivisionError: by zero)"
    assert other.prediction.status is not Status.ERROR


def test_the_threshold_is_the_cards_unless_another_is_given(sources: list[Source]) -> None:
    assert {
        answer.prediction.status
        for answer in Classifier(min_confidence=1.0).answer(sources[:2], MemoryBudget())
    } == {Status.UNSURE}
    card = Classifier().network.card.min_confidence
    assert Classifier().answer(sources, MemoryBudget()) == Classifier(min_confidence=card).answer(
        sources, MemoryBudget()
    )


def test_a_picture_taken_as_it_is_reaches_the_network_unchanged(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (28, 28), np.uint8)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    [answer] = Classifier(as_is=True, with_canvas=True).answer(
        [Source(str(tmp_path / "a.png"))], MemoryBudget()
    )
    np.testing.assert_array_equal(answer.canvas, pixels)
    [answer] = Classifier(as_is=True).answer([Source(str(tmp_path / "a.png"))], MemoryBudget())
    assert answer.canvas is None


def test_weights_that_cannot_be_used_are_found_before_anything_is_read() -> None:
    def chunks() -> Iterator[list[Source]]:
        raise ImageError("read")
        yield

    with pytest.raises(WeightsError):
        Classifier("no-such-weights").answer_all(chunks(), jobs=1)


def test_a_picture_is_read_alike_from_path_bytes_image_and_array() -> None:
    path = next(path for path in SAMPLES if path.name == "7-red-marker.png")
    classifier = Classifier(top=3)
    prediction = classifier.classify(path)
    assert prediction.digit == 7
    assert len(prediction.top) == 3
    with Image.open(path) as image:
        pixels = np.asarray(image)
        alike = [classifier.classify(x) for x in (str(path), path.read_bytes(), image, pixels)]
    assert alike == [prediction] * 4


def test_an_image_of_the_callers_is_left_as_it_is() -> None:
    path = next(path for path in SAMPLES if path.name == "2-faint-pencil-turned.jpg")
    with Image.open(path) as image:
        size = image.size
        Classifier().classify(image)
        assert image.size == size


def test_what_cannot_be_read_is_a_prediction_and_what_is_no_picture_a_type_error() -> None:
    classifier = Classifier()
    assert classifier.classify(b"no picture").status is Status.ERROR
    assert classifier.classify("nowhere.png").reason == "no such file"
    nonsense: list[Any] = [7, None, np.zeros((4, 4), np.complex128)]
    for picture in nonsense:
        with pytest.raises(TypeError):
            classifier.classify(picture)


def test_a_picture_with_too_many_pixels_is_an_error() -> None:
    assert "more than the 99 pixels allowed" in (
        Classifier(max_pixels=99).classify(SAMPLES[0]).reason or ""
    )


@pytest.mark.parametrize("jobs", [1, 2])
def test_many_are_answered_in_order_as_one_by_one(jobs: int) -> None:
    classifier = Classifier()
    pictures = [path if row % 2 else path.read_bytes() for row, path in enumerate(SAMPLES * 9)]
    assert (
        list(classifier.classify_many(iter(pictures), jobs=jobs))
        == [classifier.classify(p) for p in SAMPLES] * 9
    )


def test_a_pickled_classifier_answers_the_same() -> None:
    classifier = Classifier(min_confidence=0.999, top=1)
    twin = pickle.loads(pickle.dumps(classifier))
    assert [twin.classify(path) for path in SAMPLES] == [
        classifier.classify(path) for path in SAMPLES
    ]


def test_threads_may_share_a_classifier() -> None:
    classifier = Classifier()
    expected = [classifier.classify(path) for path in SAMPLES]
    with ThreadPoolExecutor(8) as pool:
        for answers in pool.map(
            lambda _: [classifier.classify(path) for path in SAMPLES], range(8)
        ):
            assert answers == expected


def test_the_examples_in_the_docstring_are_true(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(Path(__file__).parent.parent.parent)
    results = doctest.testmod(module)
    assert results.attempted >= 4
    assert results.failed == 0
