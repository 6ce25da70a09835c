from pathlib import Path

import numpy as np
import pytest

from digitcli.datasets import mnist
from digitcli.errors import DataError


def test_the_three_parts_are_mnist_and_share_nothing() -> None:
    splits = mnist.load_splits()
    assert [len(part) for part in (splits.train, splits.validation, splits.test)] == [
        55_000,
        5_000,
        10_000,
    ]
    train = np.concatenate([splits.train.labels, splits.validation.labels])
    assert np.bincount(train).tolist() == [
        5923,
        6742,
        5958,
        6131,
        5842,
        5421,
        5918,
        6265,
        5851,
        5949,
    ]
    assert np.bincount(splits.test.labels).tolist() == [
        980,
        1135,
        1032,
        1010,
        982,
        892,
        958,
        1028,
        974,
        1009,
    ]
    seen = [
        {image.tobytes() for image in part.images}
        for part in (splits.train, splits.validation, splits.test)
    ]
    assert not seen[0] & seen[1]
    assert not (seen[0] | seen[1]) & seen[2]


def test_damaged_data_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    damaged = tmp_path / "mnist.npz"
    damaged.write_bytes(mnist.PATH.read_bytes()[:-1] + b"x")
    monkeypatch.setattr(mnist, "PATH", damaged)
    with pytest.raises(DataError, match="damaged"):
        mnist.load_test()


def test_the_attribution_travels_with_the_data() -> None:
    text = mnist.PATH.with_name("MNIST.txt").read_text()
    assert "Yann LeCun and Corinna Cortes" in text
    assert "Attribution-Share Alike 3.0" in text
