"""Photo-like pictures of MNIST's digits are read right, kind by kind (photos.py makes them)."""

import cv2
import numpy as np
import pytest
from preprocessing import photos
from reading import read_content

from digitcli.inference.classifier import Classifier
from digitcli.inference.network import Network
from digitcli.preprocessing.pipeline import find_ink


@pytest.fixture(scope="module")
def network():
    return Network("lenet5")


def accuracy(kind, count, network):
    pictures, labels = photos.pictures(kind, count)
    canvases = np.stack([read_content(picture).canvas for picture in pictures])
    return float((network.probabilities(canvases).argmax(axis=1) == labels).mean())


@pytest.mark.parametrize("kind", photos.KINDS)
def test_a_kind_of_picture_is_read(kind, network):
    assert accuracy(kind, 5, network) == 1


@pytest.mark.slow
@pytest.mark.parametrize("kind", photos.KINDS)
def test_a_kind_of_picture_is_read_97_times_in_100(kind, network):
    assert accuracy(kind, 500, network) >= 0.97


@pytest.mark.slow
def test_mnist_as_files_loses_no_more_than_a_tenth_of_a_point(network):
    images, labels = photos.digits(5000, seed=0)
    canvases = np.stack([read_content(photos.png(image)).canvas for image in images])
    as_arrays = (network.probabilities(images).argmax(axis=1) == labels).mean()
    as_files = (network.probabilities(canvases).argmax(axis=1) == labels).mean()
    assert as_files >= as_arrays - 0.001


@pytest.mark.parametrize(
    "kind",
    [
        "pen on white paper",
        "shadow",
        "squared paper",
        "faint pencil",
        "light on dark",
        "small on a large page",
    ],
)
def test_the_digit_is_found_where_it_was_written(kind):
    random = np.random.default_rng(3)
    images, _ = photos.digits(5, seed=3)
    found = []
    for image in images:
        ink = read_content(photos.KINDS[kind](image, random)).ink
        found.append(ink.found and ink.bright == (kind == "light on dark"))
        height, width = (600, 500) if kind == "small on a large page" else photos.SIZE
        left, top, right, bottom = ink.box
        found.append(abs(left + right - width) < 60 and abs(top + bottom - height) < 60)
    assert np.mean(found) >= 0.95


def two_pieces(gap):
    """A 5 whose bar was written on its own, above the rest."""
    picture = np.full((200, 160), 220, np.uint8)
    picture[92 - gap : 100 - gap, 62:118] = 40
    cv2.line(picture, (62, 100), (58, 122), 40, 8)
    cv2.ellipse(picture, (76, 136), (26, 22), 0, -130, 140, 40, 8)
    return picture


def test_a_loose_bar_belongs_to_the_digit():
    left, top, right, bottom = find_ink(two_pieces(gap=6)).box
    assert top <= 90 and bottom >= 158 and left <= 60 and right >= 114


def test_noise_alone_is_no_ink():
    noise = np.random.default_rng(0).normal(128, 20, (150, 120)).clip(0, 255).astype(np.uint8)
    assert not find_ink(noise).found


def test_a_light_gradient_alone_is_no_ink():
    gradient = np.tile(np.linspace(60, 220, 160).astype(np.uint8), (120, 1))
    assert not find_ink(gradient).found


def test_ruled_lines_alone_are_no_ink():
    paper = np.random.default_rng(0).normal(200, 2, (240, 200)).clip(0, 255).astype(np.uint8)
    paper[10::30] = 140
    assert not find_ink(paper).found


def test_a_speck_is_no_ink():
    paper = np.full((120, 100), 255, np.uint8)
    paper[60, 50] = 0
    assert not find_ink(paper).found


def test_noise_in_a_crop_is_no_digit():
    for side in (16, 28, 40):
        noise = np.random.default_rng(side).integers(0, 256, (side, side), np.uint8)
        assert Classifier().classify(noise).digit is None


def test_two_digits_side_by_side_are_two_characters():
    images, _ = photos.digits(6, seed=5)
    for left, right in zip(images[::2], images[1::2], strict=True):
        drawing = 255 - np.hstack(
            [np.kron(left, np.ones((5, 5), np.uint8)), np.kron(right, np.ones((5, 5), np.uint8))]
        )
        assert find_ink(drawing).characters == 2
