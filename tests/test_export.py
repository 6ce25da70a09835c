"""What is exported answers, in its own runtime, as the network in the weights folder does."""

import subprocess
import sys
from dataclasses import replace

import keras
import numpy as np
import pytest
import tensorflow as tf

from digitcli.architectures import ARCHITECTURES
from digitcli.datasets import mnist
from digitcli.errors import WeightsError
from digitcli.export import to_keras, to_onnx, to_saved_model
from digitcli.inference.network import Network
from digitcli.weights_folder import open_weights

# Keras asks NumPy for it, for tf2onnx
pytestmark = pytest.mark.filterwarnings("ignore:.*np.object:FutureWarning")

IMAGES = mnist.load_splits().validation.images[:1000]
PICTURES = IMAGES[..., np.newaxis].astype(np.float32) / 255


@pytest.fixture(params=ARCHITECTURES)
def name(request):
    return request.param


def same(name, probabilities):
    np.testing.assert_allclose(probabilities, Network(name).probabilities(IMAGES), atol=1e-5)
    return True


def test_keras_loads_its_file(name, tmp_path):
    (tmp_path / "it.keras").write_bytes(to_keras(open_weights(name)))
    network = keras.saving.load_model(tmp_path / "it.keras")
    assert same(name, network.predict(PICTURES, verbose=0))


@pytest.mark.slow
def test_keras_loads_its_file_in_a_process_that_knows_the_layers_alone(tmp_path, shell_env):
    (tmp_path / "it.keras").write_bytes(to_keras(open_weights("lenet5-1998")))
    np.save(tmp_path / "pictures.npy", PICTURES)
    code = (
        "import keras, numpy as np, digitcli.networks.lenet5_1998\n"
        "np.save('answers.npy', keras.saving.load_model('it.keras')"
        ".predict(np.load('pictures.npy'), verbose=0))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=shell_env, text=True, capture_output=True
    )
    assert done.returncode == 0, done.stderr
    assert same("lenet5-1998", np.load(tmp_path / "answers.npy"))


def test_tensorflow_loads_its_folder(name, tmp_path):
    for path, content in to_saved_model(open_weights(name)).items():
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_bytes(content)
    [answers] = (
        tf.saved_model.load(tmp_path)
        .signatures["serving_default"](pictures=tf.constant(PICTURES))
        .values()
    )
    assert same(name, answers.numpy())


def test_onnx_runtime_loads_its_file(name):
    pytest.importorskip("tf2onnx", reason="ONNX needs digitcli[onnx]")
    runtime = pytest.importorskip("onnxruntime", reason="ONNX is tested with onnxruntime")
    session = runtime.InferenceSession(to_onnx(open_weights(name)))
    assert [given.name for given in session.get_inputs()] == ["pictures"]
    for n in (1, 1000):
        [answers] = session.run(None, {"pictures": PICTURES[:n]})
        np.testing.assert_allclose(answers, Network(name).probabilities(IMAGES[:n]), atol=1e-5)


def test_damaged_weights_are_refused(tmp_path):
    bundle = open_weights("lenet5")
    (tmp_path / "model.weights.h5").write_bytes(bundle.keras_weights()[:-1] + b"x")
    with pytest.raises(WeightsError, match=r"is not the file that card\.json describes"):
        to_keras(replace(bundle, folder=tmp_path))
