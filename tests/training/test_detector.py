"""Training the detector: the same from the same seed, and LiteRT runs what Keras trained."""

import numpy as np
import numpy.typing as npt
import pytest


@pytest.fixture(scope="module")
def bars() -> npt.NDArray[np.uint8]:
    digits = np.zeros((2, 28, 28), np.uint8)
    digits[0, 4:24, 13:16] = 255
    digits[1, 13:16, 4:24] = 255
    return digits


@pytest.mark.slow
def test_a_seed_gives_the_same_detector_and_litert_runs_it(bars: npt.NDArray[np.uint8]) -> None:
    from digitcli.runtime import Model
    from digitcli.training.detector import (
        DetectorRecipe,
        make_batch,
        to_detector_tflite,
        train_detector,
    )

    recipe = DetectorRecipe(pictures=24, batch_size=8)
    model, again = train_detector(recipe, bars), train_detector(recipe, bars)
    for trained, repeated in zip(model.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(trained, repeated)

    seen, _ = make_batch(bars, 1, np.random.default_rng(0))
    content = to_detector_tflite(model)
    marked = Model(content, "it").run(seen)
    assert len(content) < 1_000_000
    np.testing.assert_allclose(marked, model.predict_on_batch(seen), atol=1e-4)


def test_the_loss_is_least_where_all_ink_is_marked() -> None:
    from digitcli.training.detector import loss

    ink = np.zeros((1, 128, 128, 2), np.float32)
    ink[0, 40:90, 60:64] = 1
    half, all_of_it, none = (
        0.5 * np.ones_like(ink),
        np.clip(ink, 0.01, 0.99),
        np.full_like(ink, 0.01),
    )

    assert loss(ink, all_of_it)[0] < loss(ink, none)[0] < loss(ink, half)[0]
