import dataclasses
from pathlib import Path

import cv2
import keras
import numpy as np
import pytest

from digitcli.datasets import mnist
from digitcli.errors import ImageError, WeightsError
from digitcli.inference.classifier import Classifier
from digitcli.inference.layers import compute_occlusion, inspect, run_layers
from digitcli.inference.network import Network
from digitcli.inputs.source import Source
from digitcli.networks import lenet5, lenet5_1998
from digitcli.networks.serialization import load_keras_weights, to_keras_weights, to_tflite
from digitcli.prediction import Status
from digitcli.weights_folder import ModelCard, WeightsFolder, open_weights, write_weights

SAMPLES = Path(__file__).parent.parent / "samples"


def keras_layers(network: keras.Sequential, canvas: np.ndarray) -> dict[str, np.ndarray]:
    every = keras.Model(network.inputs, {layer.name: layer.output for layer in network.layers})
    outputs = every([canvas[None, ..., None].astype(np.float32) / 255])
    return {name: np.moveaxis(np.asarray(values)[0], -1, 0) for name, values in outputs.items()}


def bundle_of(folder: Path, network: keras.Sequential) -> WeightsFolder:
    card = ModelCard(network.name, 0, "today", 0.5)
    write_weights(folder, card, model=to_tflite(network), keras_weights=to_keras_weights(network))
    return open_weights(folder)


def agree(layers: dict[str, np.ndarray], expected: dict[str, np.ndarray]) -> None:
    for name, values in layers.items():
        np.testing.assert_allclose(
            values.ravel(), expected[name].ravel(), atol=1e-5, rtol=1e-5, err_msg=name
        )


def canvases(count: int) -> np.ndarray:
    return mnist.load_splits().validation.images[:count]


def test_each_layer_gives_what_keras_gives() -> None:
    bundle = open_weights("lenet5")
    network = lenet5.build()
    load_keras_weights(network, bundle.keras_weights())
    for canvas in canvases(5):
        layers = run_layers(bundle, canvas)
        assert {name: values.shape for name, values in layers.items()} == {
            "C1": (6, 28, 28),
            "S2": (6, 14, 14),
            "C3": (16, 10, 10),
            "S4": (16, 5, 5),
            "C5": (120,),
            "F6": (84,),
            "output": (10,),
        }
        agree(layers, keras_layers(network, canvas))


@pytest.mark.parametrize("weights", ["lenet5", "lenet5-1998"])
def test_the_outputs_are_what_classify_goes_by(weights: str) -> None:
    for canvas in canvases(5):
        *_, output = run_layers(open_weights(weights), canvas).values()
        np.testing.assert_allclose(
            output, Network(weights).probabilities(canvas[None])[0], atol=1e-5
        )


def test_the_paper_s_network_is_looked_into_just_so(tmp_path) -> None:
    keras.utils.set_random_seed(3)
    network = lenet5_1998.build()
    bundle = bundle_of(tmp_path / "weights", network)
    for canvas in canvases(3):
        layers = run_layers(bundle, canvas)
        assert list(layers) == ["C1", "S2", "C3", "S4", "C5", "F6", "output", "probabilities"]
        agree(layers, keras_layers(network, canvas))


def test_an_unknown_architecture_is_refused(tmp_path) -> None:
    bundle = open_weights("lenet5")
    other = dataclasses.replace(
        bundle, card=dataclasses.replace(bundle.card, architecture="resnet")
    )
    with pytest.raises(
        WeightsError, match="the layers of resnet are not known, only those of lenet5"
    ):
        run_layers(other, canvases(1)[0])


def test_a_model_that_is_not_what_its_card_says_is_refused(tmp_path) -> None:
    network = keras.Sequential(
        [keras.Input((28, 28, 1)), keras.layers.Flatten(), keras.layers.Dense(10, "softmax")],
        name="lenet5",
    )
    with pytest.raises(WeightsError, match="its model has no layer C1 of lenet5"):
        run_layers(bundle_of(tmp_path / "weights", network), canvases(1)[0])


def test_every_stage_of_a_picture_is_kept() -> None:
    path = str(SAMPLES / "3-pen-on-ruled-paper.jpg")
    seen = inspect(Source(path), Classifier())
    [[answer]] = Classifier(with_canvas=True).answer_all([[Source(path)]], jobs=1)
    assert seen.prediction == answer.prediction
    assert answer.canvas is not None
    assert np.array_equal(seen.reading.canvas, answer.canvas)
    left, top, right, bottom = seen.reading.ink.box
    assert 0 <= left < right <= seen.image.shape[1]
    assert 0 <= top < bottom <= seen.image.shape[0]
    assert len(seen.layers) == 7
    assert seen.occlusion.shape == (28, 28)


def test_where_nothing_is_to_be_read_no_layer_is_run() -> None:
    white = cv2.imencode(".png", np.full((60, 60), 255, np.uint8))[1].tobytes()
    seen = inspect(Source("white.png", white), Classifier())
    assert seen.prediction.status is Status.NO_DIGIT
    assert (dict(seen.layers), seen.occlusion) == ({}, None)


def test_what_is_no_picture_is_an_error() -> None:
    with pytest.raises(ImageError):
        inspect(Source("x", b"no picture"), Classifier())


class BrightestRow:
    """A network that answers 1 as far as row 7 is bright, else 0."""

    def probabilities(self, images: np.ndarray) -> np.ndarray:
        ones = images[:, 7].mean(axis=1) / 255
        return np.stack([1 - ones, ones, *[np.zeros_like(ones)] * 8], axis=1).astype(np.float32)


def test_occlusion_marks_the_pixels_that_the_answer_rests_on() -> None:
    canvas = np.zeros((28, 28), np.uint8)
    canvas[7] = 255
    marked = compute_occlusion(BrightestRow(), canvas)  # type: ignore[arg-type]
    assert np.allclose(marked[7, 2:26], 5 / 28)
    assert np.allclose(marked[5:10, 10], 5 / 28)
    assert np.allclose(marked[:5], 0)
    assert np.allclose(marked[10:], 0)
    assert np.allclose(marked[7, 0], 3 / 28)


def test_occlusion_of_a_real_digit_rests_on_its_ink() -> None:
    canvas = canvases(1)[0]
    marked = compute_occlusion(Network("lenet5"), canvas)
    assert marked.dtype == np.float32
    far = cv2.dilate(canvas, np.ones((5, 5), np.uint8)) == 0
    assert np.allclose(marked[far], 0, atol=1e-6)
    assert marked.max() > 0
