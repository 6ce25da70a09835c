"""A stranger's network is tried in a process of its own."""

import os
from pathlib import Path

import pytest

from digitcli.errors import WeightsError
from digitcli.inference import model_probe
from digitcli.inference.network import Network
from digitcli.runtime import Model
from digitcli.weights_folder import ModelCard, open_weights, write_weights

CARD = ModelCard(architecture="lenet5", seed=1, created="2026-01-01", min_confidence=0.5)


def folder(tmp_path: Path, model: bytes) -> Path:
    write_weights(tmp_path / "mine", CARD, model=model, keras_weights=b"")
    return tmp_path / "mine"


def test_a_whole_network_survives_and_nothing_in_this_folder_is_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "numpy.py").write_text("raise SystemExit('imported')")
    monkeypatch.chdir(tmp_path)
    Network(folder(tmp_path, open_weights("lenet5").model()))


@pytest.mark.parametrize("model", [b"", b"no model", bytes(8) + b"TFL3" * 100])
def test_what_is_no_network_is_refused(tmp_path: Path, model: bytes) -> None:
    with pytest.raises(WeightsError, match="holds no network that LiteRT can run"):
        Network(folder(tmp_path, model))


@pytest.mark.parametrize("ending", ["os.abort()", "import time; time.sleep(30)"])
def test_a_network_that_ends_its_process_or_never_ends_is_refused(
    ending: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "home" / "digitcli" / "inference"
    package.mkdir(parents=True)
    (package.parent / "__init__.py").touch()
    (package / "model_probe.py").write_text(f"import os; {ending}")
    monkeypatch.setattr(model_probe, "__file__", os.fspath(package / "model_probe.py"))
    monkeypatch.setattr(model_probe, "_SECONDS", 1)
    with pytest.raises(WeightsError, match="its network crashes LiteRT, or keeps it busy for ever"):
        Network(folder(tmp_path, open_weights("lenet5").model()))


def test_a_network_whose_answers_are_no_probabilities_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import numpy as np

    network = Network()
    for value in (np.nan, -1, 2):
        monkeypatch.setattr(
            Model, "run", lambda _, inputs, value=value: np.full((len(inputs), 10), value)
        )
        with pytest.raises(WeightsError, match="no probabilities"):
            network.probabilities(np.zeros((1, 28, 28), np.uint8))
