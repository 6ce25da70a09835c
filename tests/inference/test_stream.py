from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from digitcli.errors import ImageError, WeightsError
from digitcli.imaging.sources import Source
from digitcli.inference import stream
from digitcli.inference.stream import Reader, answer_all
from digitcli.prediction import Status

SAMPLES = sorted((Path(__file__).parent.parent / "samples").glob("*.*g"))


@pytest.fixture(scope="module")
def sources() -> list[Source]:
    return [Source(str(path)) for path in SAMPLES]


def test_an_answer_is_the_same_alone_in_a_batch_by_path_and_by_content(sources: list[Source]) -> None:
    reader = Reader()
    together = [answer.prediction for answer in reader(sources)]
    alone = [reader([source])[0].prediction for source in sources]
    by_content = [reader([Source("-", content=path.read_bytes())])[0].prediction for path in SAMPLES]
    assert together == alone == by_content


def test_all_are_answered_in_order_and_what_fails_costs_only_itself(sources: list[Source], tmp_path: Path) -> None:
    (tmp_path / "cut.png").write_bytes(SAMPLES[0].read_bytes()[:200])
    bad = [Source(str(tmp_path / "cut.png")), Source("nowhere.png"), Source("folder", problem="no pictures in it")]
    mixed = [bad[0], *sources, bad[1], bad[2]]
    answers = [answer for batch in answer_all([mixed], Reader(), jobs=1) for answer in batch]
    assert [answer.path for answer in answers] == [source.path for source in mixed]
    assert answers[1:-2] == Reader()(sources)
    assert [answer.prediction.status for answer in answers[:1] + answers[-2:]] == [Status.ERROR] * 3
    assert [answer.prediction.reason for answer in answers[-2:]] == ["no such file", "no pictures in it"]


def test_a_batch_in_which_nothing_can_be_read_is_answered() -> None:
    [answer] = Reader()([Source("nowhere.png")])
    assert answer.prediction.status is Status.ERROR


def test_a_mistake_of_ours_over_one_picture_does_not_cost_the_others(
    sources: list[Source], monkeypatch: pytest.MonkeyPatch
) -> None:
    real = stream.read_picture

    def read_picture(content: bytes, **options: object) -> object:
        if content == b"odd":
            raise ZeroDivisionError("by zero")
        return real(content, **options)

    monkeypatch.setattr(stream, "read_picture", read_picture)
    odd, other = Reader()([Source("odd", content=b"odd"), sources[0]])
    assert odd.prediction.reason == "failed while it was read (ZeroDivisionError: by zero)"
    assert other.prediction.status is not Status.ERROR


def test_the_threshold_is_the_cards_unless_another_is_given(sources: list[Source]) -> None:
    assert {answer.prediction.status for answer in Reader(min_confidence=1.0)(sources[:2])} == {Status.UNSURE}
    card = stream.open_network("lenet5").card.min_confidence
    assert Reader()(sources) == Reader(min_confidence=card)(sources)


def test_a_picture_taken_as_it_is_reaches_the_network_unchanged(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (28, 28), np.uint8)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    [answer] = Reader(as_is=True, with_canvas=True)([Source(str(tmp_path / "a.png"))])
    np.testing.assert_array_equal(answer.canvas, pixels)
    [answer] = Reader(as_is=True)([Source(str(tmp_path / "a.png"))])
    assert answer.canvas is None


def test_weights_that_cannot_be_used_are_found_before_anything_is_read() -> None:
    def runs() -> object:
        raise ImageError("read")
        yield

    with pytest.raises(WeightsError):
        answer_all(runs(), Reader(weights="no-such-weights"), jobs=1)
