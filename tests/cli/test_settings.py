"""The user's settings of Keras and Python are neither obeyed nor touched."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

SEVEN = Path(__file__).parent.parent / "samples" / "7-red-marker.png"


def keras_settings(home: Path, **settings: object) -> Path:
    path = home / ".keras" / "keras.json"
    path.parent.mkdir()
    path.write_text(json.dumps(settings))
    return path


CHECK = """
import sys, keras, numpy as np
from digitcli.inference.network import Network
from digitcli.datasets import mnist
images = mnist.load_test().images[:100]
network = keras.models.load_model(sys.argv[1])
assert all(weight.dtype == "float32" for weight in network.weights)
seen = network(images[..., None].astype("float32") / 255).numpy()
np.testing.assert_allclose(seen, Network().probabilities(images), atol=1e-5)
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("settings", "backend"),
    [
        ({"floatx": "float16"}, None),
        ({"backend": "torch", "image_data_format": "channels_first"}, None),
        ({}, "jax"),
        (None, "no such backend"),
    ],
)
def test_what_is_exported_is_what_digitcli_means(
    settings: dict[str, str] | None, backend: str | None, tmp_path: Path
) -> None:
    env = {**os.environ, "HOME": str(tmp_path), **({"KERAS_BACKEND": backend} if backend else {})}
    path = keras_settings(tmp_path, **settings) if settings is not None else None
    before = path.read_bytes() if path else b""
    command = [sys.executable, "-m", "digitcli", "export", "-o", str(tmp_path / "it.keras")]
    done = subprocess.run(command, capture_output=True, text=True, env=env)
    assert (done.returncode, done.stderr) == (0, "")
    assert (path.read_bytes() if path else b"") == before
    assert (tmp_path / ".keras").exists() == (path is not None)
    check = [sys.executable, "-c", CHECK, str(tmp_path / "it.keras")]
    assert subprocess.run(check, capture_output=True, text=True).returncode == 0


@pytest.mark.slow
def test_without_a_home_nothing_is_left_behind(tmp_path: Path) -> None:
    env = {name: value for name, value in os.environ.items() if name != "HOME"}
    command = [sys.executable, "-m", "digitcli", "export", "-o", "it.keras"]
    done = subprocess.run(command, capture_output=True, text=True, env=env, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert os.listdir(tmp_path) == ["it.keras"]


@pytest.mark.parametrize("line", ["classify", "inspect", "info", "evaluate"])
def test_warnings_that_are_errors_end_nothing(line: str, digitcli) -> None:
    picture = [] if line in ("info", "evaluate") else [SEVEN]
    done = digitcli(line, *picture, env={"PYTHONWARNINGS": "error"})
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == digitcli(line, *picture).stdout
