"""The network answers with probabilities, or not at all."""

from types import SimpleNamespace

import numpy as np
import pytest

from digitcli.errors import WeightsError
from digitcli.inference.network import Network


def network_that_answers(answer: float, monkeypatch: pytest.MonkeyPatch) -> Network:
    network = Network("lenet5")
    rows = np.zeros((1, 10), np.float32)
    rows[0, 3] = answer
    monkeypatch.setattr(network, "_model", SimpleNamespace(run=lambda images: rows))
    return network


CANVASES = np.zeros((1, 28, 28), np.uint8)


@pytest.mark.parametrize("answer", [0.0, 1.0])
def test_zero_and_one_are_probabilities(answer: float, monkeypatch: pytest.MonkeyPatch) -> None:
    network = network_that_answers(answer, monkeypatch)
    assert network.probabilities(CANVASES)[0, 3] == answer


@pytest.mark.parametrize("answer", [np.nan, -0.01, 1.01, np.inf])
def test_a_network_that_answers_with_other_numbers_is_refused(
    answer: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    network = network_that_answers(answer, monkeypatch)
    with pytest.raises(WeightsError, match="no probabilities; train it again"):
        network.probabilities(CANVASES)


@pytest.mark.parametrize(
    "images", [CANVASES[0], CANVASES[:, :27], CANVASES[:, :, :27], CANVASES.astype(np.float32)]
)
def test_images_of_another_shape_or_type_are_refused(images: np.ndarray) -> None:
    with pytest.raises(ValueError, match="uint8 of shape"):
        Network("lenet5").probabilities(images)
