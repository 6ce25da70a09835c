"""Training the detector: the same from the same seed, and LiteRT runs what Keras trained."""

import json
import re
import sys

import keras
import numpy as np
import numpy.typing as npt
import pytest
from sklearn.metrics import log_loss

from digitcli.networks import detector as network
from digitcli.runtime import Model
from digitcli.training import detector
from digitcli.training.detector import (
    DetectorRecipe,
    loss,
    make_batch,
    measure,
    to_detector_tflite,
    train_detector,
)


@pytest.fixture(scope="module")
def bars() -> npt.NDArray[np.uint8]:
    digits = np.zeros((2, 28, 28), np.uint8)
    digits[0, 4:24, 13:16] = 255
    digits[1, 13:16, 4:24] = 255
    return digits


@pytest.mark.slow
def test_a_seed_gives_the_same_detector_and_litert_runs_it(bars: npt.NDArray[np.uint8]) -> None:
    recipe = DetectorRecipe(pictures=24, batch_size=8)
    model, again = train_detector(recipe, bars), train_detector(recipe, bars)
    for trained, repeated in zip(model.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(trained, repeated)

    seen, _ = make_batch(bars, 1, np.random.default_rng(0))
    content = to_detector_tflite(model)
    marked = Model(content, "it").run(seen)
    assert len(content) < 1_000_000
    np.testing.assert_allclose(marked, model.predict_on_batch(seen), atol=1e-4)


def test_a_batch_is_what_the_detector_sees_and_what_it_should_mark(bars) -> None:
    seen, maps = make_batch(bars, 3, np.random.default_rng(0))
    assert (seen.shape, maps.shape) == ((3, 128, 128, 4), (3, 128, 128, 2))
    assert seen.dtype == maps.dtype == np.float32
    assert maps.min() == 0
    assert 0.99 < maps.max() <= 1


INK = np.zeros((1, 16, 16, 2), np.float32)
INK[0, 4:12, 6:8] = 1  # 16 of 256 pixels


@pytest.mark.parametrize("marked", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("elsewhere", [0.0, 0.1, 0.5])
def test_the_loss_is_four_times_the_entropy_and_what_dice_lacks(
    marked: float, elsewhere: float
) -> None:
    probability = np.where(INK > 0, marked, elsewhere).clip(1e-6, 1 - 1e-6).astype(np.float32)
    entropy = log_loss(INK.ravel(), probability.ravel().astype(float))
    overlap, both_areas = 16 * marked, 16 + 16 * marked + 240 * elsewhere
    dice = (2 * overlap + 10) / (both_areas + 10)
    assert float(loss(INK, probability)[0]) == pytest.approx(
        4 * entropy + 1 - dice, rel=1e-3, abs=1e-4
    )


def one_by_one() -> keras.Model:
    """A detector so small that it learns in no time: each pixel for itself."""
    image = keras.Input((8, 8, 4))
    return keras.Model(image, keras.layers.Conv2D(2, 1, activation="sigmoid")(image))


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Replace the detector by a tiny one that learns whether a pixel is above 0.

    Returns:
        The number of images in each batch that was drawn.

    """
    sizes = []

    def draw(digits, size, rng):
        sizes.append(size)
        seen = rng.standard_normal((size, 8, 8, 4), np.float32)
        return seen, (seen[..., :2] > 0).astype(np.float32)

    monkeypatch.setattr(detector, "make_batch", draw)
    monkeypatch.setattr(network, "build", one_by_one)
    return sizes


def test_the_detector_learns_step_by_step_from_new_images(tiny, capsys, bars) -> None:
    recipe = DetectorRecipe(pictures=1003, batch_size=4, learning_rate=0.1, averaging=0.5)
    trained = train_detector(recipe, bars)
    lines = re.findall(r"step (\d+) of (\d+): loss ([\d.]+)", capsys.readouterr().out)
    assert [(step, of) for step, of, _ in lines] == [(n, "250") for n in ("100", "200", "250")]
    assert len(tiny) == 251  # the last is drawn and not used
    losses = [float(loss) for _, _, loss in lines]
    assert losses[0] > 1.3 * losses[1] > 1.3 * losses[2]
    seen, maps = detector.make_batch(bars, 50, np.random.default_rng(9))
    assert ((trained.predict_on_batch(seen) > 0.5) == (maps > 0.5)).mean() > 0.9


def test_what_is_kept_is_the_average_of_the_weights(tiny, bars) -> None:
    keras.utils.set_random_seed(4)
    first = one_by_one().get_weights()[0]
    moved = [
        np.abs(
            train_detector(
                DetectorRecipe(pictures=80, batch_size=4, learning_rate=0.1, averaging=averaging),
                bars,
            ).get_weights()[0]
            - first
        ).mean()
        for averaging in (0.0, 0.95, 0.999)
    ]
    assert moved[0] > 1.3 * moved[1] > 13 * moved[2] > 0


def drawn(bars: int, *, marked: int = 8) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """The two maps of an image with some bars, as they should be and as they are seen.

    Each bar is of 4 × 40 pixels; of its ink ``marked`` columns are seen, of which 4 are right.
    """
    wanted, seen = np.zeros((2, 128, 128, 2), np.float32)
    for at in range(bars):
        left = 20 + 40 * at
        wanted[40:80, left : left + 4, 0] = wanted[50:70, left : left + 4, 1] = 1
        seen[40:80, left : left + marked, 0] = seen[50:70, left : left + 4, 1] = 0.9
    return wanted, seen


def test_a_measurement_counts_ink_characters_and_empty_images(monkeypatch, bars) -> None:
    missed = drawn(2)[0], drawn(1)[1]
    dreamt = drawn(0)[0], drawn(1)[1]
    images = [drawn(1), drawn(2), drawn(1, marked=3), missed, drawn(0), drawn(0), drawn(0), dreamt]
    wanted, seen = (np.stack([pair[at] for pair in images]) for at in range(2))
    monkeypatch.setattr(detector, "make_batch", lambda digits, size, rng: (size, wanted))
    sizes = []

    class Seer:
        def predict_on_batch(self, size: int) -> npt.NDArray[np.float32]:
            sizes.append(size)
            return seen

    assert measure(Seer(), bars, DetectorRecipe(batch_size=512)) == {
        "composites": 2048,
        # of 4 columns of ink in each of 6 bars, 19 are seen
        "ink_recall": round(19 / 24, 4),
        # of 8 columns that are seen in each of 5 bars, and 3 in one
        "ink_precision": round(19 / 43, 4),
        "counted_right": 0.75,
        "empty_left_alone": 0.75,
    }
    assert sizes == [512] * 4


def test_the_command_writes_what_it_measured(tmp_path, tiny, monkeypatch, capsys) -> None:
    monkeypatch.setattr(detector, "measure", lambda model, digits, recipe: {"ink_recall": 0.5})
    output = tmp_path / "detector"
    monkeypatch.setattr(sys, "argv", ["detector", "--output", str(output), "--pictures", "32"])
    detector.main()
    card = json.loads((output / "card.json").read_text())
    assert (card["architecture"], card["recipe"]["pictures"]) == ("detector", 32)
    assert card["metrics"]["ink_recall"] == 0.5
    assert card["data"]["train"] == 55_000
    shape = (1, 8, 8, 4)
    assert Model((output / "model.tflite").read_bytes(), "it").run(np.zeros(shape, np.float32)).size
    assert tiny == [16] * 3
