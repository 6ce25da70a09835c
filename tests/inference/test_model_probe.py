"""A stranger's network is tried in a process of its own."""

import os
import subprocess
import sys
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


def pretend(code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the process that tries a network run some code instead."""
    package = tmp_path / "home" / "digitcli" / "inference"
    package.mkdir(parents=True)
    (package.parent / "__init__.py").touch()
    (package / "model_probe.py").write_text(code)
    monkeypatch.setattr(model_probe, "__file__", os.fspath(package / "model_probe.py"))
    monkeypatch.setattr(model_probe, "_SECONDS", 2)


@pytest.mark.parametrize("ending", ["os.abort()", "time.sleep(30)"])
def test_a_network_that_ends_its_process_or_never_ends_is_refused(
    ending: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundled, other = open_weights("lenet5").model(), open_weights("lenet5-1998").model()
    code = f"import os, sys, time\nif len(sys.stdin.buffer.read()) != {len(bundled)}: {ending}"
    pretend(code, tmp_path, monkeypatch)
    with pytest.raises(WeightsError, match="its network crashes LiteRT, or keeps it busy for ever"):
        Network(folder(tmp_path, other))


def test_where_no_network_can_be_tried_none_is_blamed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pretend("raise MemoryError", tmp_path, monkeypatch)
    Network(folder(tmp_path, open_weights("lenet5").model()))


def test_a_program_that_embeds_python_is_not_started_to_try_a_network(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", "/usr/bin/false-editor")
    Network(folder(tmp_path, open_weights("lenet5").model()))


@pytest.mark.parametrize("kilobytes", [900_000, 4_000_000])
def test_ones_own_network_is_used_where_memory_is_limited(kilobytes: int, tmp_path: Path) -> None:
    mine = folder(tmp_path, open_weights("lenet5").model())
    seven = Path(__file__).parent.parent / "samples" / "7-red-marker.png"
    script = f'ulimit -v {kilobytes}; "$@"'
    command = [sys.executable, "-m", "digitcli", "classify", "-f", "digit", "-w", mine, seven]
    done = subprocess.run(
        ["bash", "-c", script, "-", *map(str, command)], capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "7\n", "")


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
