from typing import Any

import numpy as np
import pytest

from digitcli.datasets.labelled import NO_DIGIT, LabelledImages
from digitcli.errors import DataError
from digitcli.training.split import OwnImages, OwnSplit, split_by_content


def own(*labels: int, start: int = 0) -> OwnImages:
    """Images that are all different, one for each label."""
    images = np.zeros((len(labels), 28, 28), np.uint8)
    images[:, 0, 0] = np.arange(start, start + len(labels)) % 256
    images[:, 0, 1] = np.arange(start, start + len(labels)) // 256
    data = LabelledImages(images, np.array(labels, np.int64))
    return OwnImages(data, data.digests())


def split(images: OwnImages, **options: Any) -> OwnSplit:
    settings: dict[str, Any] = {"has_test": False, "every_digit": False, **options}
    return split_by_content(images.distinct(), "here", **settings)


def sides(parts: OwnSplit) -> dict[str, str]:
    return {
        digest: side
        for side in ("train", "validation", "test")
        for digest in getattr(parts, side).digests
    }


def test_the_three_sides_share_no_image_and_leave_none_out() -> None:
    images = own(*[row % 10 for row in range(1000)])
    parts = split(images)
    both = [*parts.train.digests, *parts.validation.digests, *parts.test.digests]
    assert sorted(both) == sorted(images.digests)
    assert len(parts.test) == pytest.approx(200, abs=40)
    assert len(parts.validation) == pytest.approx(100, abs=30)
    assert parts.moved == 0


def test_an_image_keeps_its_side_whatever_is_added() -> None:
    few = own(*[row % 10 for row in range(600)])
    more = own(*[row % 10 for row in range(900)])
    before, after = sides(split(few)), sides(split(more))
    assert {digest: after[digest] for digest in before} == before


def test_names_order_and_copies_change_nothing() -> None:
    images = own(*[row % 10 for row in range(300)])
    shuffled = np.random.default_rng(0).permutation(np.repeat(np.arange(300), 2))
    once, twice = split(images), split(images.take(shuffled))
    for side in ("train", "validation", "test"):
        assert getattr(once, side).digests == getattr(twice, side).digests
        assert np.array_equal(getattr(once, side).images.images, getattr(twice, side).images.images)


def test_an_image_with_two_labels_is_on_one_side() -> None:
    images = own(*[row % 10 for row in range(300)])
    other = OwnImages(
        LabelledImages(images.images.images, (images.images.labels + 1) % 10), images.digests
    )
    both = OwnImages(
        LabelledImages(
            np.concatenate([images.images.images, other.images.images]),
            np.concatenate([images.images.labels, other.images.labels]),
        ),
        images.digests + other.digests,
    )
    parts = split(both)
    train, kept = set(parts.train.digests), set(parts.test.digests + parts.validation.digests)
    assert len(parts.train) + len(parts.validation) + len(parts.test) == 600
    assert not train & kept


@pytest.mark.parametrize("seed", range(20))
def test_few_images_of_a_digit_still_reach_every_side(seed: int) -> None:
    parts = split(own(*[row % 10 for row in range(40)], start=1000 * seed))
    for digit in range(10):
        counts = [
            int((getattr(parts, side).images.labels == digit).sum())
            for side in ("train", "validation", "test")
        ]
        assert sum(counts) == 4
        assert counts[0] >= 2
        assert min(counts) >= 1
    assert parts.moved > 0


def test_the_images_moved_are_those_with_the_smallest_hashes() -> None:
    images = own(*[7] * 400)
    natural = sides(split(images))
    train = sorted(digest for digest, side in natural.items() if side == "train")[:10]
    kept = [row for row, digest in enumerate(images.digests) if digest in train]
    parts = split(images.take(kept))
    assert (parts.test.digests, parts.validation.digests) == ([train[0]], [train[1]])
    assert parts.moved == 2


def test_what_was_trained_on_before_is_not_moved_to_the_test_side() -> None:
    images = own(*[7] * 400)
    natural = sides(split(images))
    train = sorted(digest for digest, side in natural.items() if side == "train")[:10]
    kept = [row for row, digest in enumerate(images.digests) if digest in train]
    parts = split(images.take(kept), seen=frozenset(train[:4]))
    assert parts.test.digests == [train[4]]


def test_what_the_network_has_learned_is_not_kept_aside() -> None:
    images = own(*[7] * 300)
    learned = frozenset(split(images).test.digests[:10])
    parts = split(images, seen=learned)
    assert not learned & set(parts.test.digests)
    assert learned <= set(parts.train.digests)
    assert parts.moved == 10


def test_images_without_a_digit_choose_no_epoch() -> None:
    parts = split(own(*[NO_DIGIT] * 200))
    assert len(parts.validation) == 0
    assert len(parts.test) == pytest.approx(40, abs=20)


def test_a_data_set_with_test_images_keeps_none_aside() -> None:
    parts = split(own(*[row % 10 for row in range(300)]), has_test=True)
    assert len(parts.test) == 0
    assert len(parts.validation) == pytest.approx(30, abs=15)


def test_nothing_is_moved_where_three_are_left_to_train_on() -> None:
    images = own(*[7] * 400)
    natural = sides(split(images, has_test=True))
    chosen = [
        digest
        for side, count in (("train", 3), ("validation", 2))
        for digest in sorted(d for d, where in natural.items() if where == side)[:count]
    ]
    kept = [row for row, digest in enumerate(images.digests) if digest in chosen]
    parts = split(images.take(kept), has_test=True)
    assert (len(parts.train), len(parts.validation), parts.moved) == (3, 2, 0)


def test_a_digit_without_enough_images_is_named() -> None:
    without = own(*[row % 10 for row in range(60) if row % 10 != 3])
    with pytest.raises(DataError, match="here: 3: fewer than 4 different images"):
        split(without, every_digit=True)
    split(without)  # MNIST has the threes
    with pytest.raises(DataError, match="here: 5: fewer than 4 different images"):
        split(own(5, 5, 5))
