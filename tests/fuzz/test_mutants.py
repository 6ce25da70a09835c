"""Damaged files of every kind end in an answer, a refusal or one line.

tests/benchmarks/fuzz_bench.py has more.
"""

import contextlib
import itertools
import random
from pathlib import Path

import pytest
from fuzz import mutants, outcomes

from digitcli.errors import ImageError
from digitcli.inputs.decoding import decode


def test_mutants_are_many_and_the_same_again() -> None:
    seeds = mutants.pictures()["PNG"]
    first, second = (
        [mutants.mutant(seeds, rng) for _ in range(100)]
        for rng in (random.Random(1), random.Random(1))
    )
    assert first == second
    assert len(set(first)) > 90
    assert not set(first) & set(seeds)


def test_the_whole_pictures_are_all_read() -> None:
    for seed in itertools.chain(*mutants.pictures().values()):
        assert min(decode(seed).shape[:2]) >= 8


@pytest.mark.parametrize(("kind", "seeds"), mutants.pictures().items())
def test_a_few_damaged_pictures(kind: str, seeds: list[bytes]) -> None:
    rng = random.Random(kind)
    read = 0
    for _ in range(60):
        with contextlib.suppress(ImageError):
            decode(mutants.mutant(seeds, rng))
            read += 1
    assert 0 < read < 60  # what is always refused, or never, was not damaged to the point


@pytest.mark.slow
@pytest.mark.parametrize("options", [[], ["--jobs", "1", "--verbose"]])
def test_a_thousand_damaged_pictures(tmp_path: Path, options: list[str]) -> None:
    formats = mutants.pictures()
    paths = []
    for seed, (kind, seeds) in enumerate(formats.items()):
        (tmp_path / kind).mkdir()
        paths += mutants.write_mutants(
            tmp_path / kind, seeds, 1000 // len(formats), seed + 100 * len(options)
        )
    assert outcomes.classify_all(paths, *options) == []


@pytest.mark.parametrize("kind", ["card", "npz", "idx"])
def test_damaged_data_and_cards(kind: str) -> None:
    assert outcomes.use_all(kind, 100, seed=1) == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "count"), [("card", 1000), ("npz", 1000), ("idx", 1000), ("h5", 1000), ("tflite", 50)]
)
def test_many_damaged_data_sets_and_weights(kind: str, count: int) -> None:
    assert outcomes.use_all(kind, count, seed=2) == []
