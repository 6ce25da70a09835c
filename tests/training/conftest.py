import keras
import numpy as np
import pytest

from digitcli.datasets import mnist
from digitcli.networks import lenet5


@pytest.fixture(scope="session")
def few():
    """A few hundred of MNIST's training pictures, and as many to validate on."""
    parts = mnist.load()
    return parts.train[:600], parts.validation[:300]


@pytest.fixture
def network():
    """LeNet-5 with weights as large as trained ones."""
    keras.utils.set_random_seed(7)
    built = lenet5.build()
    rng = np.random.default_rng(7)
    built.set_weights([w + rng.normal(0, 0.2, w.shape) for w in built.get_weights()])
    return built
