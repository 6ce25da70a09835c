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
def test_a_seed_gives_the_same_finder_and_litert_runs_it(bars: npt.NDArray[np.uint8]) -> None:
    from ai_edge_litert.interpreter import Interpreter

    from digitcli.training.detector import Recipe, batch, convert, fit

    recipe = Recipe(pictures=24, batch_size=8)
    model, again = fit(recipe, bars), fit(recipe, bars)
    for trained, repeated in zip(model.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(trained, repeated)

    seen, _ = batch(bars, 1, np.random.default_rng(0))
    interpreter = Interpreter(model_content=(content := convert(model)), num_threads=1)
    interpreter.allocate_tensors()
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], seen)
    interpreter.invoke()
    marked = interpreter.get_tensor(interpreter.get_output_details()[0]["index"])
    assert len(content) < 1_000_000
    np.testing.assert_allclose(marked, model.predict_on_batch(seen), atol=1e-4)


def test_the_loss_is_least_where_all_ink_is_marked() -> None:
    from digitcli.training.detector import loss

    ink = np.zeros((1, 128, 128, 1), np.float32)
    ink[0, 40:90, 60:64] = 1
    half, all_of_it, none = (
        0.5 * np.ones_like(ink),
        np.clip(ink, 0.01, 0.99),
        np.full_like(ink, 0.01),
    )

    assert loss(ink, all_of_it)[0] < loss(ink, none)[0] < loss(ink, half)[0]
