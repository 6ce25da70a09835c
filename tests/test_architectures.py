"""The tables that people read say what the networks in code are."""

import importlib

import keras
import pytest

from digitcli.architectures import ARCHITECTURES, Layer

NETWORKS = {"lenet5": "lenet5", "lenet5-1998": "lenet5_1998"}


def built(architecture: str) -> keras.Sequential:
    return importlib.import_module(f"digitcli.networks.{NETWORKS[architecture]}").build()


def each_layer() -> list[object]:
    return [
        pytest.param(name, layer, id=f"{name}-{layer.name}")
        for name in NETWORKS
        for layer in ARCHITECTURES[name]
    ]


@pytest.mark.parametrize(("architecture", "layer"), each_layer())
def test_a_line_of_the_table_is_the_layer_of_the_network(architecture: str, layer: Layer) -> None:
    network = built(architecture)
    real = network.get_layer(layer.name)
    shape = (layer.side, layer.side, layer.maps) if layer.kernel else (layer.maps,)
    assert tuple(real.output.shape[1:]) == shape
    assert (
        sum(int(v.shape.num_elements() or 0) for v in real.trainable_variables) == layer.parameters
    )
    if layer.kind == "convolution":
        assert real.kernel_size == (layer.kernel, layer.kernel)
        assert real.strides == (layer.stride, layer.stride)
    if layer.kind == "average pooling":
        assert real.pool_size == (layer.kernel, layer.kernel)
        assert real.strides == (layer.stride, layer.stride)
    if layer.activation in ("tanh", "softmax"):
        assert real.activation.__name__ == layer.activation


@pytest.mark.parametrize("architecture", NETWORKS)
def test_no_trained_number_is_left_out(architecture: str) -> None:
    trained = sum(int(v.shape.num_elements() or 0) for v in built(architecture).trainable_variables)
    assert sum(layer.parameters for layer in ARCHITECTURES[architecture]) == trained
