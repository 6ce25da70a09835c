"""LiteRT behind its wrapper: any batch, any thread, one kind of error."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from digitcli.errors import WeightsError
from digitcli.runtime import Model
from digitcli.weights_folder import open_weights

BATCH = np.random.default_rng(0).random((7, 28, 28, 1), np.float32)


@pytest.fixture
def content() -> bytes:
    return open_weights("lenet5").model()


def test_a_batch_of_any_size_is_answered_as_its_elements_are(content: bytes) -> None:
    model = Model(content, "it")
    together = model.run(BATCH)
    assert together.shape == (7, 10)
    alone = [model.run(BATCH[row : row + 1])[0] for row in range(len(BATCH))]
    np.testing.assert_allclose(together, alone, atol=1e-6)


def test_it_knows_what_it_maps(content: bytes) -> None:
    model = Model(content, "it")
    assert model.maps((28, 28, 1), (10,))
    assert not model.maps((28, 28, 3), (10,))
    assert not model.maps((28, 28, 1), (11,))


@pytest.mark.parametrize("content", [b"", b"no model", bytes(8) + b"TFL3" * 100])
def test_what_is_no_model_is_refused_by_its_name(content: bytes) -> None:
    with pytest.raises(WeightsError, match=r"^mine holds no network that LiteRT can run: "):
        Model(content, "mine")


def test_a_batch_of_another_shape_is_the_same_kind_of_error(content: bytes) -> None:
    with pytest.raises(WeightsError, match=r"^mine: LiteRT cannot run its network: "):
        Model(content, "mine").run(np.zeros((1, 27, 28, 1), np.float32))


def test_the_kept_tensors_end_in_the_output(content: bytes) -> None:
    model = Model(content, "it", keep_tensors=True)
    output = model.run(BATCH[:1])
    np.testing.assert_array_equal(model.value(model.output), output)
    of_c1 = [t for t in model.tensors() if t.shape == (1, 28, 28, 6)]
    assert of_c1
    assert np.abs(model.value(of_c1[-1])).max() <= 1  # tanh


def test_threads_may_share_one(content: bytes) -> None:
    model = Model(content, "it")
    expected = [model.run(BATCH[:size]) for size in range(1, 8)]
    with ThreadPoolExecutor(4) as pool:
        for answers in pool.map(lambda _: [model.run(BATCH[:n]) for n in range(1, 8)], range(20)):
            for answer, wanted in zip(answers, expected, strict=True):
                np.testing.assert_array_equal(answer, wanted)
